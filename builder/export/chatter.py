"""What exporters print goes into a log."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path


@contextmanager
def into_log(log: Path | None) -> Iterator[None]:
    """Append to `log` what is printed, logged or warned of inside, native code included; None: discard it.

    The file descriptors 1 and 2 of the whole process are turned aside meanwhile.
    """
    with (
        Path(log or os.devnull).open("a", encoding="utf-8", errors="replace") as file,
        _descriptors_into(file.fileno()),
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        yield


@contextmanager
def _descriptors_into(target: int) -> Iterator[None]:
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    try:
        for number in (1, 2):
            os.dup2(target, number)
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
