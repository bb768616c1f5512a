"""Weights in other files: the linter's verdict against ONNX Runtime's own."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import onnxruntime as ort
import pytest

from builder.lint import onnx_external
from builder.lint.onnx_view import OnnxView, view
from builder.spec.releases import release

GRAPH = (
    '<ir_version: 8, opset_import: ["": 18]> '
    "g (float[N,4] x) => (float[N,4] y) <float[4] w = {1, 2, 3, 4}> { y = Add(x, w) }"
)
WHERE: list[tuple[str, str | None, str | None]] = [
    ("w.bin", None, None),
    ("w.bin", "0", "16"),
    ("w.bin", "0", None),
    ("w.bin", "0", "0"),
    ("w.bin", "4", "16"),
    ("w.bin", "4", None),
    ("w.bin", "0", "12"),
    ("w.bin", "0", "20"),
    ("w.bin", "-4", "16"),
    ("w.bin", "one", "16"),
    ("w.bin", "0", "one"),
    ("sub/w.bin", "0", "16"),
    ("./w.bin", "0", "16"),
    ("sub/../w.bin", "0", "16"),
    ("../w.bin", "0", "16"),
    ("../1/w.bin", "0", "16"),
    ("inside.bin", "0", "16"),
    ("outside.bin", "0", "16"),
    ("broken.bin", "0", "16"),
    ("nothing.bin", "0", "16"),
    ("sub", "0", "16"),
    ("", "0", "16"),
    ("{absolute}/w.bin", "0", "16"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A version's folder with weights in it and around it."""
    inside = tmp_path / "m" / "1"
    (inside / "sub").mkdir(parents=True)
    for place in (inside, inside / "sub", inside.parent, tmp_path):
        (place / "w.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    (inside / "inside.bin").symlink_to("w.bin")
    (inside / "outside.bin").symlink_to(tmp_path / "w.bin")
    (inside / "broken.bin").symlink_to("nothing")
    return inside


def write(path: Path, location: str, offset: str | None, length: str | None) -> None:
    model = onnx.parser.parse_model(GRAPH)
    weight = model.graph.initializer[0]
    weight.ClearField("float_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        if value is not None:
            weight.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(("location", "offset", "length"), WHERE)
def test_weights_are_taken_where_onnx_runtime_takes_them(
    location: str, offset: str | None, length: str | None, folder: Path
) -> None:
    """A graph is refused for its weights exactly where a session on it is."""
    path = folder / "model.onnx"
    write(path, location.format(absolute=folder), offset, length)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - ONNX Runtime raises a dozen unrelated classes
        is_taken = False
    else:
        is_taken = True

    found = view(path)

    assert isinstance(found, OnnxView)
    assert (not list(onnx_external.check(found.external, path, release("26.08")))) == is_taken


@pytest.mark.parametrize("location", ["../w.bin", "outside.bin", "{absolute}/w.bin"])
def test_older_releases_look_outside_the_folder(location: str, folder: Path) -> None:
    """ONNX Runtime 1.23 and older (tried: 1.19.2 to 1.23.2) follow any path."""
    path = folder / "model.onnx"
    write(path, location.format(absolute=folder), "0", "16")
    found = view(path)
    assert isinstance(found, OnnxView)

    assert list(onnx_external.check(found.external, path, release("26.01"))) == []
    assert [one.code for one in onnx_external.check(found.external, path, release("26.02"))] == ["O108"]
