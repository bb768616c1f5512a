"""`trb init`: a commented trb.yaml for a callable."""

from dataclasses import dataclass
from pathlib import Path

from builder.errors import UsageError
from builder.spec.names import LONGEST_NAME, NAME_RULE, is_model_name, names_callable


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSpec:
    """What `trb init` wrote."""

    path: Path
    name: str
    complete: bool
    """Whether every input could be inferred, so that `trb build` works as it is."""
    notes: tuple[str, ...]

    def __str__(self) -> str:
        if self.complete:
            return "\n".join([f"wrote {self.path}", *self.notes, "next: trb build"])
        return "\n".join(
            [f"wrote {self.path}; fill in what is marked FILL IN", *self.notes, "then: trb build"]
        )


def init(source: str, spec_file: Path, *, name: str | None, force: bool) -> WrittenSpec:
    """Write a spec for `source`, its inputs inferred from `forward` where they can be.

    Raises:
        UsageError: the file exists or cannot be written, `source` is not `module:callable`, or Triton would
            refuse the name.
        SourceError: the callable cannot be loaded.
    """
    from builder.loading.signature_guess import guess, write_spec

    if not names_callable(source):
        raise UsageError(
            f"{source!r} is not `module:callable`", fix="name a callable, such as `trb init model:load`"
        )
    called = name if name is not None else source.split(":", maxsplit=1)[0].rsplit(".", 1)[-1]
    _require_name(called)
    if spec_file.exists() and not force:
        raise UsageError(
            f"{spec_file} exists", fix="add the model there by hand, or replace the file with --force"
        )
    guessed = guess(source, spec_file.absolute().parent)
    _write(spec_file, write_spec(called, guessed))
    return WrittenSpec(path=spec_file, name=called, complete=guessed.complete, notes=guessed.notes)


def _require_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise UsageError(
            f"the name has {len(name)} letters, at most {LONGEST_NAME} are allowed", fix="shorten it"
        )
    if not is_model_name(name):
        raise UsageError(
            f"Triton would refuse a model called {name!r}", fix=f"give another with --name; {NAME_RULE}"
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", fix="name another file with --file"
        ) from error
