"""A model as far as it could be read, for the checks of its own backend and of ensembles that use it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from builder.lint.folder import Folder
from builder.lint.target import Target
from builder.rules.refusal import Config, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One version of a model under its configuration."""

    config: Config
    """Filled in as the core does; the backend has completed nothing yet."""
    given: Config
    """What config.pbtxt says."""
    folder: Folder
    version: str
    """The name of the version's folder."""
    target: Target

    @property
    def file(self) -> Path:
        """Where the backend looks for the model."""
        return self.folder.path / self.relative

    @property
    def relative(self) -> str:
        """The same, from the model's folder."""
        return f"{self.version}/{self.config['default_model_filename']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a backend makes of a version."""

    refusals: tuple[Refusal, ...] = ()
    completed: Config = field(default_factory=dict)
    """The fields that its auto-complete sets."""


Look = Callable[[Seen], Looked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model that the server would know, for the ensembles that use it."""

    config: Config
    """Completed as far as a server would."""
    versions: tuple[int, ...]
    """Those it serves."""
    is_sound: bool
    """Whether nothing keeps it from loading."""


def missing(seen: Seen, message: str, *, at: str = "") -> Refusal:
    """Return that the model's file is not there; `at` is where the backend looks, if the config does not say."""
    return Refusal(
        message,
        code="R107",
        file=seen.version,
        fix=f"put the model at {at or seen.relative}, or name its file in `default_model_filename`",
    )
