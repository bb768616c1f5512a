"""What is known of a model, from trb.yaml, from its record and from its config.pbtxt."""

from builder import wiring
from builder.pbtxt.schema import parse
from builder.spec.project import Axis, Backend, Batching, Input, Model, Output
from builder.wiring import Face
from tests.unit.wiring.values import FP32, INT64, faces, record

MODEL = Model(
    source="nets:encoder",
    inputs={"ids": Input(dtype=INT64, shape=("rows", "seq"), range=(0, 9))},
    outputs={"vector": Output(dtype=FP32, shape=("rows", 8))},
    dims={"rows": Axis(max=4), "seq": Axis(max=128)},
    batching=Batching(axis="rows"),
)


def test_a_module_may_have_outputs_that_trb_yaml_does_not_name() -> None:
    """Without `output_names` a model has the outputs that it promises, and maybe others."""
    one = wiring.of_spec(MODEL, Backend.ONNX)

    assert one.outputs == faces({"vector": (FP32, ("rows", 8))})
    assert not one.is_whole
    assert (one.max_batch_size, one.batch_axis, one.axes) == (4, "rows", {"seq": Axis(max=128)})


def test_a_function_has_the_outputs_that_it_declares() -> None:
    """Of a Python function, nothing is found when it runs."""
    assert wiring.of_spec(MODEL, Backend.PYTHON).is_whole


def test_a_published_version_is_known_as_it_was_proven() -> None:
    """The batch size is that of the proof, and sizes are still those of trb.yaml."""
    tensors = {"ids": (INT64, ("rows", "seq"))}, {"vector": (FP32, ("rows", 8)), "extra": (FP32, ("rows",))}
    one = wiring.of_record(record(*tensors, max_batch_size=2), MODEL)

    assert one.is_whole
    assert (one.max_batch_size, one.batch_axis, one.axes) == (2, "rows", {"seq": Axis(max=128)})
    assert list(one.outputs) == ["vector", "extra"]


def test_a_published_version_without_an_entry_batches_along_its_first_axis() -> None:
    """The record of a pipeline, or of a model that trb.yaml has no longer, tells the batch axis by its place."""
    one = wiring.of_record(record({"ids": (INT64, ("rows", "seq"))}, {}, max_batch_size=2), None)

    assert (one.batch_axis, one.axes) == ("rows", {})


CONFIG = """\
backend: "onnxruntime" max_batch_size: 8
input { name: "ids" data_type: TYPE_INT64 dims: [ -1, 2 ] }
output { name: "vector" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] } }
"""


def test_a_config_is_taken_at_its_word() -> None:
    """Of a model that trb did not make, config.pbtxt says the tensors: each free dim is an axis of its own."""
    one = wiring.of_config(parse(CONFIG))

    assert one.inputs == {"ids": Face(dtype=INT64, shape=("batch", "ids_dim0", 2))}
    assert one.outputs == {"vector": Face(dtype=FP32, shape=("batch",))}
    assert (one.backend, one.max_batch_size) == ("onnxruntime", 8)


def test_an_ensemble_has_no_backend() -> None:
    """Its platform stands in the place of one."""
    assert wiring.of_config(parse('platform: "ensemble"')).backend == "ensemble"
