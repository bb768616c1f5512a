"""What the tests of loading share: a project folder with a model.py, loaded as trb loads it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from builder.loading import load
from builder.spec.dtypes import DType
from builder.spec.loaded import Loaded
from builder.spec.project import Axis, Input, Model
from builder.spec.releases import release

LINEAR = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x)

def load():
    torch.manual_seed(0)
    return Net()
"""
X = {"x": Input(dtype=DType.FP32, shape=("batch", 3))}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Loaded]]:
    """Yield a function that writes model.py and loads it; nothing of it is left in this process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def loaded(text: str = LINEAR, **spec: Any) -> Loaded:
        _forget(tmp_path)
        (tmp_path / "model.py").write_text(dedent(text))
        given = {"source": "model:load", "inputs": X, "dims": {"batch": Axis(max=4)}, **spec}
        return load("net", Model(**given), tmp_path, release("24.10"))

    yield loaded
    _forget(tmp_path)


def _forget(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]
