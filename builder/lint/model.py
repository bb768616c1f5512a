"""One model of a repository, from its folder to its findings."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builder.lint import layout, text, versions
from builder.lint.backends import library, look_for
from builder.lint.edits import edit_at, sound
from builder.lint.files import ModelFiles
from builder.lint.folder import Folder, look
from builder.lint.seen import Known, Looked, Seen
from builder.lint.target import Target
from builder.pbtxt.read import Mistake, ReadConfig, Span, lines, read
from builder.rules import core, fill
from builder.rules.refusal import Config, Refusal
from builder.spec.config_fields import unknown_to
from builder.spec.findings import Edit, Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLint:
    """What was found in one model."""

    name: str
    findings: tuple[Finding, ...]
    known: Known | None
    """None where its configuration could not be read."""
    source: "Source | None" = None
    """An ensemble's, to which findings about the models of its steps are added; None for every other model."""


def lint_model(path: Path, target: Target, given: str | None = None) -> ModelLint:
    """Return what is to be said of the model in the folder at `path`; `given` stands in for its config.pbtxt."""
    source = Source(path=path)
    try:
        folder = look(path)
        source = read_source(folder, target, given)
        refusals, known = _model(folder, source, target)
        refusals = [*layout.refusals(folder), *refusals]
    except OSError as error:
        where = Path(error.filename) if isinstance(error.filename, str) else path
        refusals, known = [_unreadable(error, where, path)], None
    # Two parts of a config that name one file are one finding about the file.
    findings = dict.fromkeys((*source.mistakes(), *source.overridden(), *map(source.finding, refusals)))
    is_ensemble = known is not None and "ensemble_scheduling" in known.config
    return ModelLint(
        name=path.name,
        findings=tuple(sorted(findings, key=order)),
        known=known,
        source=source if is_ensemble else None,
    )


def python_versions(path: Path, target: Target) -> Iterator[Seen]:
    """Yield the versions that a server would load of the Python model in the folder at `path`; none of any other.

    Raises:
        OSError: a file of it cannot be read.
    """
    folder = look(path)
    given = _given(read_source(folder, target))
    if isinstance(given, Refusal) or given is None:
        return
    config = fill.filled(given, folder=folder.name, first=_first(folder), server=target.server)
    if isinstance(config, Refusal) or config["backend"] != "python":
        return
    config["name"] = folder.name
    picked = versions.served(config, folder.versions)
    for name in picked.values() if not isinstance(picked, Refusal) else ():
        yield Seen(config=config, given=given, folder=folder, version=name, target=target)


def _model(folder: Folder, source: "Source", target: Target) -> tuple[list[Refusal], Known | None]:
    given = _given(source)
    if isinstance(given, Refusal) or given is None:
        return [given] if given else [], None
    config = fill.filled(given, folder=folder.name, first=_first(folder), server=target.server)
    if isinstance(config, Refusal):
        return [layout.no_model(folder, config.message) if layout.is_no_model(folder) else config], None
    refusals = core.polled({**config, "name": given.get("name")}, folder=folder.name, server=target.server)
    config["name"] = folder.name
    picked = versions.served(config, folder.versions)
    if isinstance(picked, Refusal):
        refusals.append(layout.no_model(folder, picked.message) if layout.is_no_model(folder) else picked)
        return [*refusals, *_core(config, folder, target)], None
    refusals += versions.absent(config, folder.versions)
    completed: Config = config
    if not any(one.kind == "load" for one in refusals) and not _malformed(config):
        looked, completed = _versions(folder, given, config, picked, target)
        refusals += looked
    refusals += _core(completed, folder, target)
    return refusals, _known(completed, picked, refusals)


def _given(source: "Source") -> Config | Refusal | None:
    """Return what the model's configuration says, {} where it has none; None where the text is no configuration."""
    if source.refusal is not None:
        return source.refusal
    return source.config.value if source.config is not None else {}


def _first(folder: Folder) -> fill.First:
    if folder.first is None:
        return fill.First()
    seen = look(folder.first)
    return fill.First(files=seen.files, folders=seen.folders)


def _core(config: Config, folder: Folder, target: Target) -> list[Refusal]:
    """Return what the core makes of a config that the backend has completed."""
    return [
        *core.loaded(config, server=target.server, files=ModelFiles(folder.path)),
        *core.surprises(config, target.server),
    ]


def _malformed(config: Config) -> bool:
    """Return whether the tensors are such that no backend can be asked about them."""
    is_whole = config.get("input") and config.get("output")
    # A backend that completes the tensors may find that they are batched.
    return bool(core.tensor_refusals(config if is_whole else {**config, "max_batch_size": 1}))


def _versions(
    folder: Folder, given: Config, config: Config, picked: Mapping[int, str], target: Target
) -> tuple[list[Refusal], Config]:
    if config.get("platform") == core.ENSEMBLE:
        return [], config
    looks = [
        _looked(Seen(config=config, given=given, folder=folder, version=name, target=target))
        for name in picked.values()
    ]
    completed = {**config, **{key: value for look in looks for key, value in look.completed.items()}}
    # What is right for one version has to be right for all.
    shared = frozenset.intersection(*(frozenset(look.refusals) for look in looks))
    refusals = [
        refusal if refusal in shared else replace(refusal, right=None)
        for look in looks
        for refusal in look.refusals
    ]
    return refusals, completed


def _looked(seen: Seen) -> Looked:
    refusal = library.missing(seen)
    return Looked(refusals=(refusal,)) if refusal else look_for(seen.config["backend"])(seen)


def _known(config: Config, picked: Mapping[int, str], refusals: Sequence[Refusal]) -> Known:
    sound = not any(one.kind == "load" for one in refusals)
    return Known(config=config, versions=tuple(picked), is_sound=sound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A model's folder and the text of its configuration, where findings get their place."""

    path: Path
    config_path: Path | None = None
    text: str = ""
    config: ReadConfig | None = None
    """None where there is no config.pbtxt."""
    refusal: Refusal | None = None
    """Why the text could not be read."""

    def mistakes(self) -> Iterator[Finding]:
        """Yield what keeps Triton from reading the configuration."""
        for mistake in self.config.mistakes if self.config is not None else ():
            yield self._at(
                mistake.span,
                Finding(
                    code=mistake.code,
                    severity=Severity.ERROR,
                    model=self.path.name,
                    path=str(self.config_path),
                    message=mistake.message,
                    fix=f"write {mistake.right}" if mistake.right else "",
                    edit=self._edit(mistake),
                ),
            )

    def overridden(self) -> Iterator[Finding]:
        """Yield the entries of maps that Triton reads and forgets."""
        for path, span in self.config.overridden if self.config is not None else ():
            yield self._at(
                span,
                Finding(
                    code="C115",
                    severity=Severity.WARNING,
                    model=self.path.name,
                    path=str(self.config_path),
                    message=f"`{path[-2]}` has the key '{path[-1]}' again further down, and only the last one counts",
                    fix="remove one of them",
                ),
            )

    def finding(self, refusal: Refusal) -> Finding:
        """Return `refusal` with its place."""
        found = Finding(
            code=refusal.code,
            severity=Severity.WARNING if refusal.kind == "surprise" else Severity.ERROR,
            model=self.path.name,
            path=str(self.path / refusal.file if refusal.file else self.config_path or self.path),
            line=refusal.line,
            message=" ".join(refusal.message.split()),
            fix=refusal.fix,
        )
        if refusal.file or self.config is None:
            return found
        if refusal.right is not None and found.severity is Severity.ERROR:
            found = replace(found, edit=edit_at(self.text, self.config, refusal.place, refusal.right))
        span = _nearest(self.config, refusal.place)
        return found if span is None else self._at(span, found)

    def _edit(self, mistake: Mistake) -> Edit | None:
        if not mistake.right:
            return None
        return sound(self.text, Edit(start=mistake.span.start, end=mistake.span.end, text=mistake.right))

    def _at(self, span: Span, finding: Finding) -> Finding:
        starts = list(lines(self.text))
        line = bisect_right(starts, span.start)
        return replace(finding, line=line, column=span.start - starts[line - 1] + 1)


def read_source(folder: Folder, target: Target, given: str | None = None) -> Source:
    """Return the text of the configuration in `folder`; `given` stands in for it."""
    path = folder.config_path
    if path is None:
        return Source(path=folder.path)
    found = text.read(path) if given is None else given
    if isinstance(found, Refusal):
        return Source(path=folder.path, config_path=path, refusal=found)
    return Source(
        path=folder.path, config_path=path, text=found, config=read(found, unknown=unknown_to(target.release))
    )


def _nearest(config: ReadConfig, place: tuple[str | int, ...]) -> Span | None:
    """Return where the innermost part on the way to `place` stands; None for no part at all."""
    for end in range(len(place), 0, -1):
        if place[:end] in config.places:
            return config.places[place[:end]]
    return Span(0, 0) if place else None


def _unreadable(error: OSError, where: Path, folder: Path) -> Refusal:
    inside = str(where.relative_to(folder)) if where.is_relative_to(folder) and where != folder else ""
    return Refusal(
        f"cannot be read: {error.strerror or error}",
        code="R106",
        file=inside,
        fix="give the user that the server runs as the right to read it",
    )


def order(finding: Finding) -> tuple[str, int, int, str]:
    """Return what findings of one model are sorted by."""
    return (finding.path, finding.line, finding.column, finding.code)
