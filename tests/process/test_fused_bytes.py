"""Merged files have the same bytes in every process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MERGE = """
import hashlib, sys
from pathlib import Path
from builder.export.fused import groups, merge
from builder.spec.releases import release
from tests.unit.export.fused.zoo import onnx_file, pipeline, row, torch_file

folder = Path(sys.argv[1])

def told(backend, files, into):
    steps = [
        row("first", "x", "y", gives={"y": "t"}, backend=backend),
        row("second", "x", "y", reads={"x": "t"}, gives={"y": "u"}, backend=backend),
        row("first", "x", "y", reads={"x": "u"}, name="first#2", backend=backend),
    ]
    wired = pipeline("x", steps, "t y")
    for turn in range(2):  # what a process did before leaves its mark in torch's class names
        made = merge(groups(wired)[0], wired, files, folder / into / str(turn), release("24.10"))
        data = made.path.read_bytes()
        assert str(folder).encode() not in data
        print(backend, hashlib.sha256(data).hexdigest())

told("onnxruntime", {name: Path(name) / "model.onnx" for name in ("first", "second")}, "onnx")
told("pytorch", {name: Path(name) / "model.pt" for name in ("first", "second")}, "torch")
"""
PARTS = """
import torch
from pathlib import Path
from tests.unit.export.fused.zoo import onnx_file, rows, torch_file

text = "g (float[b,4] x) => (float[b,4] y) { z = MatMul (x, w) m = ReduceMean <axes = [1]> (z) y = Sub (z, m) }"
onnx_file(Path("first"), text, {"w": rows(4, 4)}, opset=17)
onnx_file(Path("second"), "g (float[b,4] x) => (float[b,4] y) { y = MatMul (x, w) }", {"w": rows(4, 4)})
for name in ("first", "second"):
    torch_file(Path(name), torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh()))
"""


def _run(code: str, folder: Path, seed: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, check=True, capture_output=True
    ).stdout


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    """Neither the seed of the hashes nor what was merged before shows in a file, nor the folder."""
    _run(PARTS, tmp_path, "0")
    first = _run(MERGE, tmp_path, "1", str(tmp_path / "a"))
    second = _run(MERGE, tmp_path, "2", str(tmp_path / "b"))

    assert first == second
    assert len(set(first.splitlines())) == 2
