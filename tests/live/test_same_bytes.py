"""The same model gives the same bytes in every process."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        y = torch.relu(self.layer(x))
        for i in range(x.shape[1]):
            y = y + 0.1 * x[:, i : i + 1]
        return {"a": y, "b": x * 2}
"""
SCRIPT = """
import hashlib, json, sys
from pathlib import Path

import torch

sys.path[:0] = [sys.argv[1], sys.argv[2]]
from builder.export import export
from builder.spec.project import Backend
from builder.spec.releases import release
from source_of_model import Model
from tests.unit.export.zoo import STEPS, cnn, given, loaded

found = {}
for name in ("scripted", "traced"):
    torch.manual_seed(0)
    model = cnn() if name == "traced" else loaded(Model(), {"x": given("fp32", "batch", "time", 4)}, dims=STEPS)
    for backend in (Backend.ONNX, Backend.TORCHSCRIPT):
        into = Path(sys.argv[2]) / name / backend.value
        data = export(model, backend, into=into, release=release("24.10")).path.read_bytes()
        assert sys.argv[2].encode() not in data
        found[f"{name} {backend.value}"] = hashlib.sha256(data).hexdigest()
print(json.dumps(found))
"""


def hashes(folder: Path) -> dict[str, str]:
    """Export two models from `folder` in a process of its own; return the hash of each file."""
    folder.mkdir()
    (folder / "source_of_model.py").write_text(SOURCE)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT), str(folder)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_two_processes_in_two_folders_write_the_same_bytes(tmp_path) -> None:
    """Traced and scripted TorchScript, and ONNX by both exporters, do not depend on folder or process."""
    first, second = hashes(tmp_path / "one"), hashes(tmp_path / "another-one")

    assert len(first) == 4
    assert first == second
    assert hashlib.sha256(b"").hexdigest() not in first.values()
