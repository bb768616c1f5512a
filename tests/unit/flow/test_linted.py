"""What the build refuses because the target release would."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import helper

from builder import config
from builder.errors import ExportError
from builder.flow.linted import require_served
from builder.spec.artifact import Artifact
from builder.spec.dtypes import DType
from builder.spec.model_config import DynamicBatching, InstanceGroup, ModelConfig
from builder.spec.releases import release
from tests.unit.config.two_outputs import IN, two_outputs
from tests.unit.config.values import ONNX, Shapes, artifact, loaded, proof

TARGET = release("24.10")


def onnx_case(folder: Path, outputs: Shapes, opset: int = 20, **spec: object) -> tuple[ModelConfig, Artifact]:
    """Write a file that returns its input as `y`, and the config of a model with `outputs`."""
    y = helper.make_tensor_value_info("y", 1, ["batch", 4])
    x = helper.make_tensor_value_info("x", 1, ["batch", 4])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.save(proto, folder / "model.onnx")
    one = loaded(IN, outputs, **spec)
    made = replace(artifact(one, ONNX, folder), opset=opset, ir_version=10)
    return config.make("m", one, made, proof(8), cores=2), made


def require(settings: ModelConfig, made: Artifact) -> None:
    """Lay out what a build has made, but for the data of warmup, as it stands before it is published, and ask."""
    stage = Path(tempfile.mkdtemp(dir=made.folder))
    (stage / "version").mkdir()
    shutil.copy(made.path, stage / "version")
    (stage / "config.pbtxt").write_text(config.render(replace(settings, warmups=())))
    require_served(stage, "m", TARGET)


def said(settings: ModelConfig, made: Artifact) -> str:
    with pytest.raises(ExportError) as caught:
        require(settings, made)
    assert caught.value.fix
    return caught.value.what


def test_what_the_build_makes_passes(tmp_path) -> None:
    """A file and the config made of its signature are served, in either format."""
    require(*onnx_case(tmp_path, {"y": (DType.FP32, ("batch", 4))}))
    require(*two_outputs(tmp_path, "logits", "probs"))


def test_an_instance_on_a_gpu_passes_on_a_machine_without(tmp_path) -> None:
    """Where the model is built says nothing about where it is served."""
    settings, made = onnx_case(tmp_path, {"y": (DType.FP32, ("batch", 4))})

    require(replace(settings, instance_group=(InstanceGroup(kind="KIND_GPU", count=1),)), made)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"z": (DType.FP32, ("batch", 4))}, "unexpected inference output 'z', allowed outputs are: y"),
        (
            {"y": (DType.INT64, ("batch", 4))},
            (
                "unable to load model 'm', configuration expects datatype TYPE_INT64 for output 'y', model "
                "provides TYPE_FP32"
            ),
        ),
        (
            {"y": (DType.FP32, ("batch", 5))},
            (
                "model 'm', tensor 'y': the model expects 2 dimensions (shape [-1,4]) but the model configuration "
                "specifies 2 dimensions"
            ),
        ),
    ],
)
def test_a_config_that_is_not_the_files_is_told_in_the_servers_words(outputs, words, tmp_path) -> None:
    """Another name, type or shape than the ONNX file has is refused as Triton's onnxruntime backend does."""
    assert words in said(*onnx_case(tmp_path, outputs))


def test_a_parameter_that_the_backend_cannot_read_is_refused(tmp_path) -> None:
    """`parameters` of the spec go to the backend as they are, so its own reading decides."""
    case = onnx_case(
        tmp_path, {"y": (DType.FP32, ("batch", 4))}, parameters={"intra_op_thread_count": "many"}
    )

    assert "failed to convert 'many' to integral number" in said(*case)


def test_an_opset_above_the_release_is_refused(tmp_path) -> None:
    """A file that only a newer ONNX Runtime takes is refused in the words of the release's own."""
    assert "Current official support for domain ai.onnx is till opset 21." in said(
        *onnx_case(tmp_path, {"y": (DType.FP32, ("batch", 4))}, opset=22)
    )


def test_what_the_server_core_refuses_is_refused(tmp_path) -> None:
    """A preferred batch size above the largest batch does not get as far as a server."""
    settings, made = onnx_case(tmp_path, {"y": (DType.FP32, ("batch", 4))})
    batching = DynamicBatching(preferred_batch_size=(16,), max_queue_delay_microseconds=1)

    assert "dynamic batching preferred size must be <= max batch size for m" in said(
        replace(settings, dynamic_batching=batching), made
    )


def test_an_input_whose_name_points_beyond_the_call_is_refused(tmp_path) -> None:
    """The genuine pytorch backend would crash the whole server at a request."""
    beyond: Shapes = {"x__7": (DType.FP32, ("batch", 4))}

    assert "crashes the whole server" in said(*two_outputs(tmp_path, "a", inputs=beyond))
