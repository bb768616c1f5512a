"""Every failure that `trb` foresees, one exit code per class.

TrbError (1)
 +- CommandFailed (1)     a program failed or hung where its caller did not foresee it
 +- UsageError (2)        the command line asks for what cannot be
 +- SpecError (3)         trb.yaml, or what it names, is wrong
 |   +- SourceError       the source could not be loaded
 +- ExportError (4)       the model could not be exported, or the file is not the model
 |   +- BatchingRefused   the batch axis is not what the spec claims
 +- RepositoryError (5)   the repository could not be read or written
 |   +- RepositoryBusy    another build holds the lock
 |   +- SignatureChanged  a new version would break the clients of the old one
 +- ServerError (6)       no live Triton, or it will not load the model
 +- ParityFailed (7)      the numbers differ
 +- BudgetMissed (8)      the latency or throughput budget was missed
 +- DeployError (9)
 +- MissingTool (10)      something this machine lacks

An exception outside this tree is a bug in `trb` and ends with exit code 1 and its traceback, but for Interrupted
(129, 130, 143): somebody wants it to end.
"""

from typing import ClassVar


class Interrupted(KeyboardInterrupt):
    """SIGTERM, SIGHUP or Ctrl-C has come: no failure, and nothing that catches those may catch it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number
        """As a shell says it."""


class TrbError(Exception):
    """A foreseen failure: what happened, and how to fix it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        """What happened and where, one or more plain lines."""
        self.fix = fix
        """The next thing to do; empty when the message says it all."""


class CommandFailed(TrbError):
    """A program that `trb` ran failed or hung, and no other failure here says it better: a bug in `trb`."""


class UsageError(TrbError):
    """The command line asks for what cannot be."""

    exit_code = 2


class SpecError(TrbError):
    """trb.yaml, or something it names, is wrong."""

    exit_code = 3


class SourceError(SpecError):
    """A model's source could not be loaded."""


class ExportError(TrbError):
    """The model could not be exported, or the file does not answer like the model."""

    exit_code = 4


class BatchingRefused(ExportError):
    """The batch axis is not what the spec claims."""


class RepositoryError(TrbError):
    """The repository could not be read or written."""

    exit_code = 5


class RepositoryBusy(RepositoryError):
    """Another build holds the repository's lock."""


class SignatureChanged(RepositoryError):
    """A new version would break the clients of the one it replaces."""


class ServerError(TrbError):
    """There is no live Triton, or it will not load the model."""

    exit_code = 6


class ParityFailed(TrbError):
    """The numbers differ from the reference."""

    exit_code = 7


class BudgetMissed(TrbError):
    """The latency or throughput budget was missed."""

    exit_code = 8


class DeployError(TrbError):
    """The deployment could not be rendered, applied or watched."""

    exit_code = 9


class MissingTool(TrbError):
    """Something that this machine lacks."""

    exit_code = 10
