"""Which GPUs a container is given."""

import re
from dataclasses import dataclass
from typing import Final

from builder.errors import UsageError

_DEVICES: Final = "device="
_GPUS: Final = re.compile(r"all|[1-9]\d*|device=\w[\w:.-]*(,\w[\w:.-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpus:
    """So many, or certain ones."""

    count: int | None = None
    """How many, whichever; None without `ids`: all."""
    ids: tuple[str, ...] = ()
    """Numbers or UUIDs, as `nvidia-smi -L` lists them."""


def gpus(text: str | None) -> Gpus | None:
    """Return what `--gpus` says, as `docker run` takes it: `all`, a number, or `device=0,1`; None: no GPU.

    Raises:
        UsageError: it is none of these.
    """
    if text is None:
        return None
    if not _GPUS.fullmatch(text):
        raise UsageError(
            f"--gpus {text!r} says neither how many GPUs nor which",
            fix="use `all`, a number, or `device=0,1` with the numbers or UUIDs that `nvidia-smi -L` lists",
        )
    if text.startswith(_DEVICES):
        return Gpus(ids=tuple(text.removeprefix(_DEVICES).split(",")))
    return Gpus(count=None if text == "all" else int(text))
