"""Reading files that may hold pickles, without running what is in them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from builder.errors import SourceError

ALLOW: Final = "if you trust the file, set `allow_pickle: true`"
_FORCE: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_GUARDED: list[str] = []
_HOOKED: list[bool] = []


@contextmanager
def no_unpickling(file: str) -> Iterator[None]:
    """Refuse every pickle inside the block that is more than tensors.

    torch.export.load reads tensors with weights_only=False where a file says so, and falls back to it where the
    safe reading fails; no argument turns that off.

    Raises:
        SourceError: the file holds such a pickle.
    """
    if not _HOOKED:
        sys.addaudithook(_refuse)  # there is no way to take a hook out again, so there is one
        _HOOKED.append(True)
    before = os.environ.get(_FORCE)
    os.environ[_FORCE] = "1"
    _GUARDED.append(file)
    try:
        yield
    finally:
        _GUARDED.pop()
        os.environ.pop(_FORCE)
        if before is not None:
            os.environ[_FORCE] = before


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "pickle.find_class" and _GUARDED:
        raise SourceError(
            f"source: {_GUARDED[-1]} holds a pickle ({arguments[0]}.{arguments[1]}), which can run code",
            fix=ALLOW,
        )
