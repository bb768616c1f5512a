"""The linter's reading of an ONNX file against ONNX Runtime's own, of the whole file."""

from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
import pytest

from builder.lint.onnx_view import OnnxView, view
from builder.rules.refusal import BATCHED_DIM, ModelTensor, Refusal
from tests.unit.lint.onnx_models import MODELS

SHIPPED = Path(onnx.__file__).parent / "backend" / "test" / "data"
"""Models of torch's and of ONNX's own operators, which the package brings along."""


def session(path: Path) -> Any:
    """Return the session that a server would make of the file; None where ONNX Runtime refuses it."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - ONNX Runtime raises a dozen unrelated classes
        return None


def tensors(found: Any) -> list[ModelTensor]:
    return [
        ModelTensor(
            one.name, one.type, tuple(d if isinstance(d, int) and d >= 0 else BATCHED_DIM for d in one.shape)
        )
        for one in found
    ]


def compare(path: Path) -> None:
    """Hold the linter's view of the file to ONNX Runtime's."""
    want, seen = session(path), view(path)
    assert (want is None) == isinstance(seen, Refusal), seen
    if isinstance(seen, OnnxView):
        assert list(seen.inputs) == tensors(want.get_inputs())
        assert list(seen.outputs) == tensors(want.get_outputs())
        assert sorted(seen.initializers) == sorted(tensors(want.get_overridable_initializers()))


@pytest.mark.parametrize("case", MODELS)
def test_a_graph_is_seen_as_onnx_runtime_sees_it(case: str, tmp_path: Path) -> None:
    """Names, types and inferred shapes are those of the whole file, and what it refuses is refused."""
    onnx.save(MODELS[case], tmp_path / "model.onnx")
    compare(tmp_path / "model.onnx")


@pytest.mark.parametrize("case", MODELS)
def test_a_graph_with_its_weights_elsewhere_is_seen_as_onnx_runtime_sees_it(
    case: str, tmp_path: Path
) -> None:
    """The same, with every weight in another file."""
    path = tmp_path / "model.onnx"
    model = onnx.ModelProto.FromString(MODELS[case].SerializeToString())
    onnx.save(model, path, save_as_external_data=True, location="weights", size_threshold=0)
    compare(path)


@pytest.mark.parametrize("path", sorted(SHIPPED.rglob("*.onnx")), ids=lambda path: path.parent.name)
def test_a_shipped_model_is_seen_as_onnx_runtime_sees_it(path: Path) -> None:
    """The models that the onnx package brings along."""
    compare(path)
