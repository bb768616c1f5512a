"""`trb init`: a commented trb.yaml for a callable."""

import re
from dataclasses import dataclass
from pathlib import Path

from builder import readspec
from builder.errors import SourceError, UsageError


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
        return "\n".join([f"wrote {self.path}; fill in what is marked TODO", *self.notes, "then: trb build"])


def init(source: str, spec_file: Path, *, name: str | None, force: bool) -> WrittenSpec:
    """Write a spec for `source`, its inputs inferred from `forward` where they can be.

    Raises:
        UsageError: the file exists, or `source` is not `module:callable`.
        SourceError: the callable cannot be loaded.
    """
    from builder.loading.signature_guess import guess, write_spec

    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", source):
        raise UsageError(
            f"{source!r} is not `module:callable`", fix="name a callable, such as `trb init model:load`"
        )
    if spec_file.exists() and not force:
        raise UsageError(
            f"{spec_file} exists", fix="add the model there by hand, or replace the file with --force"
        )
    guessed = guess(source, spec_file.absolute().parent)
    called = name or source.split(":", maxsplit=1)[0].rsplit(".", 1)[-1]
    spec_file.write_text(write_spec(called, guessed), encoding="utf-8")
    return WrittenSpec(path=spec_file, name=called, complete=guessed.complete, notes=guessed.notes)


__all__ = ["SourceError", "WrittenSpec", "init", "readspec"]
