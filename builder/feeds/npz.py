"""A file of arrays, as numpy.savez writes it."""

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np


def read_npz(path: Path) -> dict[str, Any]:
    """Return the arrays of `path` by name; nothing in it is unpickled.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is empty, damaged, or no .npz of plain arrays.
    """
    try:
        found = _members(path)
    except EOFError as error:
        raise ValueError("it is empty, or ends too early") from error
    except (BadZipFile, zlib.error, RuntimeError) as error:  # RuntimeError: it is encrypted
        raise ValueError(str(error)) from error
    if other := [name for name, value in found.items() if not isinstance(value, np.ndarray)]:
        raise ValueError(f"{other[0]} is no array")
    return found


def _members(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:  # numpy leaves a damaged file open that it opened itself
        archive = np.load(file, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise BadZipFile("it holds one array without a name, as numpy.save writes it")
        with archive:
            return dict(archive)
