"""Which names are names: of a model in a repository, and of a callable in a module."""

import re
from typing import Final

NAME_RULE: Final = "use letters, digits, `_`, `-` and single `.`, beginning with a letter, a digit or `_`"
"""What `is_model_name` asks, for messages."""
LONGEST_NAME: Final = 200
"""Letters of a model's name: files called after it must fit into the 255 of a file system."""

_MODEL: Final = re.compile(r"[A-Za-z0-9_](\.?[A-Za-z0-9_-])*\.?")
_WORD: Final = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
_CALLABLE: Final = re.compile(rf"{_WORD}:{_WORD}")


def is_model_name(name: str) -> bool:
    """Return whether a Triton model may have this name, as a folder and in a URL."""
    return _MODEL.fullmatch(name) is not None and len(name) <= LONGEST_NAME


def names_callable(text: str) -> bool:
    """Return whether `text` has the form `package.module:callable`."""
    return _CALLABLE.fullmatch(text) is not None
