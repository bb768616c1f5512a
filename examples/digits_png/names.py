"""Places to names."""

from pathlib import Path

import numpy as np


class Name:
    """The name of each class, from a file with one a line."""

    def __init__(self, files: Path) -> None:
        self.names = (files / "digits.txt").read_text().split()

    def __call__(self, place: np.ndarray) -> np.ndarray:
        """Return the names of int64 places [3]."""
        return np.array([self.names[n] for n in place], dtype=object)
