"""The names of an output's classes, as a file beside config.pbtxt."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")


def label_file(output: str, labels: Sequence[str]) -> str:
    """Return a name that no other content has: the files of the last version and of this lie in the same folder."""
    content = hashlib.sha256(label_bytes(labels)).hexdigest()
    return f"labels_{_UNSAFE.sub('_', output)[:100]}-{content[:8]}.txt"


def label_bytes(labels: Sequence[str]) -> bytes:
    """Return the content of the file: one name a line."""
    return "".join(f"{label}\n" for label in labels).encode()
