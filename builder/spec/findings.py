"""What `trb lint` has to say, as values."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The release's server will not load the model, or will load it and fail or crash on a request."""
    WARNING = "warning"
    """The server loads it, and will surprise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A replacement of a part of a file."""

    start: int
    """The first character that goes, counted from 0."""
    end: int
    """The first that stays."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing at one place of a repository."""

    code: str
    severity: Severity
    model: str
    """Empty for what is about the whole repository."""
    path: str
    """The file or folder it is about, as it was reached from the repository's path as given."""
    line: int = 0
    """Counted from 1; 0: no line in particular."""
    column: int = 0
    """Counted from 1, in characters; 0: no part of the line in particular."""
    message: str
    """One sentence: what the server will say, in its own words where it has any."""
    fix: str = ""
    edit: Edit | None = None
    """What `--fix` would change, where there is one right answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What `--fix` made of a file, or would make of it."""

    path: str
    edits: int
    """How many places were changed."""
    diff: str
    """The change in unified format."""
    is_written: bool
    """Whether the file has it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintReport:
    """All findings in some repositories."""

    repositories: tuple[str, ...]
    release: str
    """The target, such as 24.10."""
    models: int
    """How many were looked at."""
    findings: tuple[Finding, ...]
    """In the order of models, files and lines."""
    changes: tuple[Change, ...] = ()
    """Those of `--fix`; the findings are what is left after them."""
    strict: bool = False
    """Whether warnings fail too."""
    seconds: float = 0.0

    @property
    def errors(self) -> int:
        """The number of errors."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def warnings(self) -> int:
        """The number of warnings."""
        return len(self.findings) - self.errors

    @property
    def passed(self) -> bool:
        """Whether nothing fails, and no change is only proposed."""
        is_fixed = all(change.is_written for change in self.changes)
        return is_fixed and not (self.findings if self.strict else self.errors)

    @property
    def exit_code(self) -> int:
        """5 for an error, a change that is not made, or a warning when `strict`; else 0."""
        return 0 if self.passed else 5
