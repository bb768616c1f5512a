"""One small repository entry and what the genuine backend was seen to do with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]

WIRE = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
    "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "float16": "FP16", "float32": "FP32", "float64": "FP64", "object": "BYTES",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request: what is sent and what comes back."""

    sent: Arrays
    answered: Arrays = field(default_factory=dict)
    requested: tuple[str, ...] = ()
    """Empty: no outputs are named, so all come."""
    status: str = "200"
    says: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model that loads and answers, or is refused."""

    name: str
    write: Callable[[Path], Any]
    """Writes into the version folder."""
    config: str | None = ""
    """config.pbtxt without name; None: no file."""
    refused: str = ""
    """Part of the reason; empty: it loads."""
    asks: tuple[Ask, ...] = ()
    completed: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the served config must have."""

    def lay_out(self, repository: Path) -> None:
        """Write the model's folder."""
        version = repository / self.name / "1"
        version.mkdir(parents=True)
        self.write(version)
        if self.config is not None:
            text = f'name: "{self.name}"\n{self.config}\ninstance_group {{ count: 1 kind: KIND_CPU }}\n'
            (repository / self.name / "config.pbtxt").write_text(text)


def io(kind: str, name: str, dims: list[int], dtype: str = "TYPE_FP32", more: str = "") -> str:
    """An `input` or `output` block."""
    return f'{kind} {{ name: "{name}" data_type: {dtype} dims: {dims} {more} }}\n'


def f32(*rows: list[float]) -> np.ndarray:
    """A small matrix."""
    return np.array(rows, dtype=np.float32)
