"""The same model gives the same bytes, wherever its source lies."""

import importlib.util
import zipfile
from pathlib import Path

import pytest
import torch

from builder.export import export, torch_zip
from builder.spec.project import Backend
from tests.unit.export.zoo import STEPS, given, loaded

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
        return y


class Plain(Model):
    def forward(self, x):
        return torch.relu(self.layer(x)) + torch.arange(x.shape[1]).unsqueeze(-1)
"""


def built(folder: Path, kind: str, backend: Backend, target) -> bytes:
    """Write the source into `folder`, import it from there, export its model and return the file."""
    folder.mkdir()
    (folder / "source_of_model.py").write_text(SOURCE)
    found = importlib.util.spec_from_file_location("source_of_model", folder / "source_of_model.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    torch.manual_seed(0)
    model = loaded(getattr(module, kind)(), {"x": given("fp32", "batch", "time", 4)}, dims=STEPS)
    return export(model, backend, into=folder / "out", release=target).path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "backend"),
    [
        ("Plain", Backend.ONNX),
        ("Model", Backend.ONNX),
        ("Plain", Backend.TORCHSCRIPT),
        ("Model", Backend.TORCHSCRIPT),
    ],
)
def test_two_folders_give_the_same_bytes(kind, backend, target, tmp_path) -> None:
    """Traced, scripted and through both ONNX exporters: no byte depends on the folder, and none names it."""
    first = built(tmp_path / "first-folder", kind, backend, target)
    second = built(tmp_path / "second-folder", kind, backend, target)

    assert first == second
    for word in (b"first-folder", b"source_of_model", str(tmp_path).encode(), b"site-packages"):
        assert word not in first


def test_a_rewritten_archive_is_aligned_and_loads(tmp_path) -> None:
    """Every entry starts at a multiple of 64 bytes, has no date, and torch reads the module back."""
    path = tmp_path / "model.pt"
    module = torch.jit.trace(torch.nn.Linear(3, 2).eval(), torch.zeros(1, 3))
    torch_zip.save(module, path)

    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        assert not [entry.filename for entry in entries if entry.filename.endswith(".debug_pkl")]
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    data = path.read_bytes()
    for entry in entries:
        start = entry.header_offset
        name, extra = (int.from_bytes(data[start + at : start + at + 2], "little") for at in (26, 28))
        assert (start + 30 + name + extra) % 64 == 0
    assert torch.equal(torch.jit.load(path)(torch.ones(1, 3)), module(torch.ones(1, 3)))
