"""The hash that names the content of a file."""

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
