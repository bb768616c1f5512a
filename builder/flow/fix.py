"""`trb lint --fix` and `--diff`: what has one right answer, and nothing else."""

import difflib
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from builder.errors import RepositoryError
from builder.flow.lint import LintRequest, lint_repositories
from builder.lint import edited
from builder.repository import disk
from builder.spec.findings import Change, Edit, LintReport


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fixed:
    """A config.pbtxt on its way from what it says to what it should."""

    texts: tuple[str, ...]
    """What it said, after each round; the first is on the disk."""
    edits: int = 0

    def with_(self, edits: list[Edit]) -> "_Fixed":
        text = edited(self.texts[-1], edits)
        return _Fixed(texts=(*self.texts, text), edits=self.edits + len(edits))


def fix_repositories(spec_file: Path, request: LintRequest, *, write: bool) -> LintReport:
    """Change what has one right answer in the repositories that `request` names, or only say what would change.

    One change may bring the next to light, so that this goes on until there is none.

    Raises:
        SpecError: as `lint_repositories` does.
        RepositoryError: as `lint_repositories` does, or a file cannot be written.
    """
    fixed: dict[Path, _Fixed] = {}
    report = lint_repositories(spec_file, request)
    while step := _step(report, fixed):
        fixed |= step
        report = lint_repositories(
            spec_file, request, texts={path: one.texts[-1] for path, one in fixed.items()}
        )
    if write:
        for path, one in fixed.items():
            _write(path, one.texts[-1])
        if fixed:  # a file may belong to more models than those that had something to mend in it
            report = lint_repositories(spec_file, request)
    return replace(report, changes=tuple(_change(path, one, written=write) for path, one in fixed.items()))


def _step(report: LintReport, fixed: Mapping[Path, _Fixed]) -> dict[Path, _Fixed]:
    """Return the files that change now; a text that was there before does not come again."""
    edits: dict[Path, list[Edit]] = {}
    for finding in report.findings:
        if finding.edit is not None:
            edits.setdefault(Path(finding.path), []).append(finding.edit)
    # What is right for one of several models that share a file by links is not for the others.
    sharing = Counter(path.resolve() for path in {*edits, *fixed})
    edits = {path: found for path, found in edits.items() if sharing[path.resolve()] == 1}
    befores = {path: fixed.get(path) or _Fixed(texts=(_text(path),)) for path in edits}
    afters = {path: before.with_(edits[path]) for path, before in befores.items()}
    return {path: after for path, after in afters.items() if after.texts[-1] not in after.texts[:-1]}


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="surrogateescape")


def _change(path: Path, fixed: _Fixed, *, written: bool) -> Change:
    before, after = (text.splitlines(keepends=True) for text in (fixed.texts[0], fixed.texts[-1]))
    lines = difflib.unified_diff(before, after, str(path), str(path))
    # `patch` wants to be told where a last line has no end.
    diff = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    return Change(path=str(path), edits=fixed.edits, diff=diff, is_written=written)


def _write(path: Path, text: str) -> None:
    """Replace a file in one step; a link stays one, and the rights stay as they are."""
    real = path.resolve()
    try:
        handle, beside = tempfile.mkstemp(prefix=".config.pbtxt.", dir=real.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode(errors="surrogateescape"))
            Path(beside).chmod(real.stat().st_mode & 0o7777)
            disk.keep(Path(beside))
            Path(beside).replace(real)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        disk.keep(real.parent)
    except OSError as error:
        raise RepositoryError(
            f"{path} cannot be written: {error.strerror or error}",
            fix="own the file and its folder, or look at what would change with --diff",
        ) from error
