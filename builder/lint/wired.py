"""Ensembles as pipelines: what hands which tensor to whom, from the config.pbtxt files of a repository."""

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from builder.errors import RepositoryError
from builder.lint.folder import CONFIG, Folder, look, model_folders
from builder.lint.model import Source, lint_model, read_source
from builder.lint.target import Target
from builder.lint.text import printable
from builder.rules import core, ensembles, fill
from builder.rules.ensembles.steps import SCHEDULING, Step, Use, runnable, steps
from builder.rules.refusal import Config, Refusal, max_batch_size, tensors
from builder.spec.dtypes import DType
from builder.spec.findings import Finding
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.project import Backend
from builder.spec.tensors import Dim, Signature, Tensor

_BOTH: Final[tuple[Literal["input", "output"], ...]] = ("input", "output")

Recorded = Callable[[str], Signature | None]
"""Gives what is known of a model's tensors beside its configuration: the names of their axes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A model's folder and what its configuration says, filled in as the server does."""

    folder: Folder
    source: Source
    config: Config

    @property
    def is_ensemble(self) -> bool:
        return SCHEDULING in self.config

    def require(self, refusals: Iterable[Refusal]) -> None:
        """Raise the first of `refusals` that keeps the server from answering."""
        for refusal in refusals:
            if refusal.kind != "surprise":
                raise _error(self.source.finding(refusal))


def wired(
    repository: Path, target: Target, names: Sequence[str] = (), *, recorded: Recorded = lambda _: None
) -> tuple[Wired, ...]:
    """Return the ensembles of `repository` called `names`, or all of them, sorted.

    Args:
        repository: the folder of the models' folders.
        target: the release whose rules they are read by.
        names: ensembles; empty: all.
        recorded: knows the names of axes.

    Raises:
        RepositoryError: there is no such ensemble, or a config.pbtxt that it needs is wrong.
    """
    if (repository / CONFIG).exists():
        real = repository.resolve()
        raise RepositoryError(
            f"{repository} is a model, and no repository",
            fix=f"trb graph --repository {real.parent} {real.name}",
        )
    folders = {path.name: path for path in model_folders(repository)}
    known: dict[str, _Read] = {}
    for name in names or filter(lambda one: _says_ensemble(folders[one]), folders):
        if name not in folders:
            raise RepositoryError(f"{repository} has no model `{name}`", fix=_meant(name, folders))
        _gather(name, folders, target, known)
        if names and not known[name].is_ensemble:
            what = f"{repository / name} is a model of its own, and no ensemble"
            raise RepositoryError(what, fix=_meant(name, folders))
    found = {name: one for name, one in sorted(known.items()) if one.is_ensemble}
    if not found:
        raise RepositoryError(
            f"{repository} has no ensemble: no {CONFIG} in it has `{SCHEDULING}`",
            fix="name a repository with one, or describe one under `pipelines:` in trb.yaml and run `trb build`",
        )
    circles = ensembles.in_circles({name: one.config for name, one in found.items()})
    others = {name: ensembles.Part() for name in folders if name not in known}
    return tuple(
        _wired(known[name], known, others, circles.get(name), recorded)
        for name in dict.fromkeys(names or found)
    )


def _says_ensemble(path: Path) -> bool:
    """Return whether a folder's configuration has the word, be it readable or not."""
    try:
        return SCHEDULING.encode() in (path / CONFIG).read_bytes()
    except OSError:  # a model without one is no ensemble; who needs it says why it cannot be read
        return False


def _meant(name: str, folders: Mapping[str, Path]) -> str:
    """Return which ensemble may be meant by `name`."""
    known = [one for one, path in folders.items() if _says_ensemble(path)]
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"its ensembles are {', '.join(known)}" if known else "there is no ensemble in it"


def _gather(name: str, folders: Mapping[str, Path], target: Target, known: dict[str, _Read]) -> None:
    """Read `name` and, of an ensemble, the models that it is made of, and theirs."""
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in known and current in folders:
            known[current] = _read(folders[current], target)
            waiting += ensembles.models(known[current].config)


def _read(path: Path, target: Target) -> _Read:
    try:
        folder = look(path)
        source = read_source(folder, target)
    except OSError as error:
        raise RepositoryError(
            f"{error.filename or path} cannot be read: {error.strerror}", fix="check its permissions"
        ) from error
    for mistake in source.mistakes():
        raise _error(mistake)
    if source.refusal is not None:
        raise _error(source.finding(source.refusal))
    given: Config = (source.config.value if source.config is not None else None) or {}
    config = fill.filled(given, folder=path.name, first=_first(folder), server=target.server)
    if isinstance(config, Refusal):
        raise _error(source.finding(config))
    found = _Read(folder=folder, source=source, config=_completed(config | {"name": path.name}, path, target))
    found.require(
        (*ensembles.check(found.config), *core.tensor_refusals(found.config), *_no_types(found.config))
    )
    return found


def _no_types(config: Config) -> Iterator[Refusal]:
    """Yield the tensors whose data type is a number that no type has, which protobuf takes."""
    for io in _BOTH:
        for position, tensor in enumerate(tensors(config, io)):
            if isinstance(tensor.get("data_type"), int):
                message = f"{io} '{tensor.get('name')}': {tensor['data_type']} is no data type"
                yield Refusal(message, place=(io, position, "data_type"))


def _first(folder: Folder) -> fill.First:
    if folder.first is None:
        return fill.First()
    seen = look(folder.first)
    return fill.First(files=seen.files, folders=seen.folders)


def _completed(config: Config, path: Path, target: Target) -> Config:
    """Return `config` with the tensors of the model's file, where it leaves them to the server."""
    if SCHEDULING in config or (config.get("input") and config.get("output")):
        return config
    known = lint_model(path, target).known
    return config if known is None else known.config


def _wired(
    one: _Read,
    known: Mapping[str, _Read],
    others: ensembles.Parts,
    circle: Refusal | None,
    recorded: Recorded,
) -> Wired:
    name = one.folder.name
    one.require([] if circle is None else [circle])
    # Which versions are there is no matter of the wiring: each is taken to have those that are asked of it.
    asked = tuple(step.version for step in steps(one.config))
    parts = {other: ensembles.Part(config=read.config, versions=asked) for other, read in known.items()}
    one.require(ensembles.against(one.config, {**others, **parts}))
    ran = runnable(one.config, [tensor["name"] for tensor in tensors(one.config, "input")])
    found = _steps(ran, known, recorded)
    own = _signature(one, recorded)
    known_tensors = _tensors(own, found)
    one.require(_untold(ran, known_tensors))
    return Wired(
        name=name,
        steps=found,
        inputs=tuple(tensor.name for tensor in own.inputs),
        outputs=tuple(tensor.name for tensor in own.outputs),
        tensors=known_tensors,
        max_batch_size=max_batch_size(one.config),
    )


def _untold(ran: Sequence[Step], known: Collection[str]) -> Iterator[Refusal]:
    """Yield the tensors of which no config says what they are: the server is told by the code of Python models."""
    for step in ran:
        for use in (*step.inputs, *step.outputs):
            if use.tensor not in known:
                yield Refusal(
                    f"no config.pbtxt says the data type and dims of ensemble tensor '{use.tensor}'",
                    place=use.tensor_place,
                    fix=f"give `input` and `output` in the config.pbtxt of '{step.model}'",
                )


def _steps(ran: Sequence[Step], known: Mapping[str, _Read], recorded: Recorded) -> tuple[WiredStep, ...]:
    seen = Counter[str]()
    found = []
    for step in ran:
        seen[step.model] += 1
        read = known[step.model]
        found.append(
            WiredStep(
                name=step.model if seen[step.model] == 1 else f"{step.model}#{seen[step.model]}",
                model=step.model,
                version=step.version,
                backend=Backend.ENSEMBLE.triton
                if read.is_ensemble
                else str(read.config["backend"] or read.config["platform"]),
                signature=_signature(read, recorded),
                max_batch_size=max_batch_size(read.config),
                inputs=_map(step.inputs),
                outputs=_map(step.outputs),
            )
        )
    return tuple(found)


def _map(uses: Collection[Use]) -> dict[str, str]:
    return {use.key: use.tensor for use in uses}


def _signature(read: _Read, recorded: Recorded) -> Signature:
    names = recorded(read.folder.name)
    return Signature(
        inputs=_declared(read.config, "input", names.inputs if names else ()),
        outputs=_declared(read.config, "output", names.outputs if names else ()),
    )


def _declared(config: Config, io: Literal["input", "output"], named: Sequence[Tensor]) -> tuple[Tensor, ...]:
    shapes = {tensor.name: tensor.shape for tensor in named}
    batch: tuple[Dim, ...] = ("batch",) if max_batch_size(config) else ()
    found = []
    for tensor in tensors(config, io):
        shape = (*batch, *map(int, tensor["dims"]))
        found.append(
            Tensor(
                name=tensor["name"],
                dtype=DType.from_name(tensor["data_type"]),
                shape=_met([shapes.get(tensor["name"], shape), shape]),
            )
        )
    return tuple(found)


def _tensors(own: Signature, found: Sequence[WiredStep]) -> dict[str, Tensor]:
    """Return every tensor by its name in the pipeline, with what any of those who have it knows of its shape."""
    seen: dict[str, list[Tensor]] = {}
    for name, tensor in _ends(own, found):
        seen.setdefault(name, []).append(tensor)
    return {
        name: replace(several[0], name=name, shape=_met([one.shape for one in several]))
        for name, several in seen.items()
    }


def _ends(own: Signature, found: Sequence[WiredStep]) -> Iterator[tuple[str, Tensor]]:
    """Yield each tensor as each end of it has it: who gives it first, then who reads it."""
    yield from ((tensor.name, tensor) for tensor in own.inputs)
    for part in ("outputs", "inputs"):
        for step in found:
            names: Mapping[str, str] = getattr(step, part)
            has: Sequence[Tensor] = getattr(step.signature, part)
            yield from ((names[tensor.name], tensor) for tensor in has if tensor.name in names)
    yield from ((tensor.name, tensor) for tensor in own.outputs)


def _met(shapes: Sequence[tuple[Dim, ...]]) -> tuple[Dim, ...]:
    """Return the shape that all of `shapes` are: of each axis its size, else its name, else -1."""
    alike = [shape for shape in shapes if len(shape) == len(shapes[-1])]
    return tuple(_axis(axis) for axis in zip(*alike, strict=True))


def _axis(known: Sequence[Dim]) -> Dim:
    fixed = (dim for dim in known if isinstance(dim, int) and dim >= 0)
    named = (dim for dim in known if isinstance(dim, str))
    return next(fixed, next(named, -1))


def _error(finding: Finding) -> RepositoryError:
    place = f"{finding.path}:{finding.line}:{finding.column}" if finding.line else finding.path
    return RepositoryError(
        printable(f"{place}: {finding.message}"), fix=printable(finding.fix) or "`trb lint` says more of it"
    )
