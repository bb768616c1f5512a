"""Damaged files never make the linter fail: whatever the bytes are, there is a verdict."""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import onnx.parser
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.lint import Target, lint_model
from builder.spec.releases import release
from tests.unit.lint.torch_models import Two

TARGET: Final = Target(release=release("24.10"))
CONFIG: Final = """
backend: "{backend}"
max_batch_size: 8
input [ {{ name: "a" data_type: TYPE_FP32 dims: [ 4 ] }}, {{ name: "b" data_type: TYPE_FP32 dims: [ 4 ] }} ]
output [ {{ name: "OUTPUT__0" data_type: TYPE_FP32 dims: [ 4 ] }} ]
dynamic_batching {{ preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 }}
instance_group [ {{ count: 2 kind: KIND_CPU }} ]
parameters {{ key: "intra_op_thread_count" value: {{ string_value: "2" }} }}
"""
GRAPH: Final = """
<ir_version: 8, opset_import: ["": 18]>
g (float[N,4] a, float[N,4] b) => (float[N,4] OUTPUT__0) <int64[2] s = {-1, 4}, float[4] w = {1, 2, 3, 4}>
{ c = Add(a, b) d = Mul(c, w) OUTPUT__0 = Reshape(d, s) }
"""
ONNX: Final = onnx.parser.parse_model(GRAPH).SerializeToString()
SOURCE: Final = """
import json
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.config = json.loads(args["model_config"])

    def execute(self, requests):
        return [pb_utils.InferenceResponse([]) for _ in requests]
"""

Change = tuple[str, int, bytes]
changes = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "remove", "repeat"]),
        st.integers(0, 1 << 16),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def mutated(data: bytes, made: list[Change]) -> bytes:
    """Return `data` with bytes flipped, cut off, put in, taken out or doubled."""
    for how, where, new in made:
        at = where % (len(data) + 1)
        match how:
            case "flip":
                data = data[:at] + bytes(b ^ new[0] for b in data[at : at + 1]) + data[at + 1 :]
            case "cut":
                data = data[:at]
            case "insert":
                data = data[:at] + new + data[at:]
            case "remove":
                data = data[:at] + data[at + len(new) :]
            case _:
                data = data[:at] + data[at : at + 40] + data[at:]
    return data


@pytest.fixture(scope="module")
def torchscript(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("torch") / "model.pt"
    torch.jit.save(torch.jit.script(Two()), str(path))
    return path.read_bytes()


def judge(backend: str, file: str, model: bytes, config: bytes) -> None:
    """Lint a model of these two files; nothing may be raised."""
    with tempfile.TemporaryDirectory() as folder:
        version = Path(folder) / "m" / "1"
        version.mkdir(parents=True)
        (version.parent / "config.pbtxt").write_bytes(config)
        (version / file).write_bytes(model)
        for finding in lint_model(version.parent, TARGET).findings:
            assert finding.code
            assert finding.message


@given(changes)
@settings(max_examples=60, deadline=None)
def test_a_damaged_config_gets_a_verdict(made: list[Change]) -> None:
    """Whatever happened to config.pbtxt, linting ends in findings or none."""
    judge("onnxruntime", "model.onnx", ONNX, mutated(CONFIG.format(backend="onnxruntime").encode(), made))


@given(changes)
@settings(max_examples=60, deadline=None)
def test_a_damaged_onnx_file_gets_a_verdict(made: list[Change]) -> None:
    """Whatever happened to model.onnx, linting ends in findings or none."""
    judge("onnxruntime", "model.onnx", mutated(ONNX, made), CONFIG.format(backend="onnxruntime").encode())


@given(made=changes)
@settings(max_examples=60, deadline=None)
def test_a_damaged_torchscript_file_gets_a_verdict(torchscript: bytes, made: list[Change]) -> None:
    """Whatever happened to model.pt, linting ends in findings or none."""
    judge("pytorch", "model.pt", mutated(torchscript, made), CONFIG.format(backend="pytorch").encode())


@given(st.sampled_from(["data.pkl", "constants.pkl", ".py"]), changes)
@settings(max_examples=60, deadline=None)
def test_a_damaged_record_gets_a_verdict(torchscript: bytes, record: str, made: list[Change]) -> None:
    """The same for what is inside the archive, which stays whole as a zip."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(torchscript)) as before, zipfile.ZipFile(written, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, mutated(data, made) if name.endswith(record) else data)
    judge("pytorch", "model.pt", written.getvalue(), CONFIG.format(backend="pytorch").encode())


@given(changes)
@settings(max_examples=60, deadline=None)
def test_a_damaged_source_gets_a_verdict(made: list[Change]) -> None:
    """Whatever happened to model.py, linting ends in findings or none."""
    judge("python", "model.py", mutated(SOURCE.encode(), made), CONFIG.format(backend="python").encode())
