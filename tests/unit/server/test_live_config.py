import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from builder.errors import RepositoryError
from builder.server.live_config import differences, read_config

OURS = """
name: "m" backend: "onnxruntime" max_batch_size: 8 dynamic_batching { max_queue_delay_microseconds: 100 }
input { name: "x" data_type: TYPE_FP32 dims: [4] }
output { name: "y" data_type: TYPE_FP32 dims: [1] reshape { } }
instance_group { kind: KIND_AUTO count: 2 }
parameters { key: "intra_op_thread_count" value: { string_value: "1" } }
default_model_filename: "model.onnx"
"""
FILLED_IN = """
platform: "onnxruntime_onnx" version_policy { latest { num_versions: 1 } }
optimization { priority: PRIORITY_DEFAULT } parameters { key: "more" value: { string_value: "2" } }
"""


def parsed(text):
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def test_what_a_server_fills_in_is_no_difference():
    """A live configuration with defaults filled in is ours."""
    live = parsed(OURS.replace("KIND_AUTO", "KIND_CPU") + FILLED_IN)

    assert differences(parsed(OURS), live) == ()


def test_what_ours_does_not_say_is_the_servers_to_choose():
    """Instances, parameters and a file name that only the live configuration has are no difference."""
    silent = parsed(OURS[: OURS.index("instance_group")])

    assert differences(silent, parsed(OURS)) == ()


def test_a_group_with_a_device_is_held_to_it():
    """A group on GPU 1 that runs on the CPU is told with its kind and its device."""
    ours = parsed(OURS.replace("kind: KIND_AUTO", "kind: KIND_GPU gpus: [1]"))

    found = differences(ours, parsed(OURS.replace("KIND_AUTO", "KIND_CPU")))

    assert [one.split("has ", 1)[1] for one in found] == [
        "instance_group.kind KIND_CPU, config.pbtxt has KIND_GPU",
        "instance_group.gpus [], config.pbtxt has [1]",
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"onnxruntime"', '"python"', "has backend python, config.pbtxt has onnxruntime"),
        ("max_batch_size: 8", "max_batch_size: 4", "has max_batch_size 4, config.pbtxt has 8"),
        ("dynamic_batching { max_queue_delay_microseconds: 100 }", "", "has dynamic_batching False"),
        ("dims: [4]", "dims: [5]", "has input x as TYPE_FP32 [5], config.pbtxt as TYPE_FP32 [4]"),
        ('"x" data_type: TYPE_FP32', '"x" data_type: TYPE_FP16', "has input x as TYPE_FP16 [4]"),
        ('name: "y"', 'name: "z"', "lacks the output y of config.pbtxt"),
        ("microseconds: 100", "microseconds: 5", "max_queue_delay_microseconds 5, config.pbtxt has 100"),
        ("count: 2", "count: 3", "has instance_group.count 3, config.pbtxt has 2"),
        ('string_value: "1"', 'string_value: "4"', "intra_op_thread_count 4, config.pbtxt has 1"),
        ("intra_op", "inter_op", "has parameters.intra_op_thread_count not set, config.pbtxt has 1"),
        ('"model.onnx"', '"other.onnx"', "default_model_filename other.onnx, config.pbtxt has model.onnx"),
        ("reshape { }", "", "has output y as TYPE_FP32 [1], config.pbtxt as TYPE_FP32 [1] reshape []"),
    ],
)
def test_a_difference_is_named_with_both_sides(old, new, sentence):
    """Each difference that changes what a client sees is one sentence with both values."""
    assert old in OURS

    found = differences(parsed(OURS), parsed(OURS.replace(old, new)))

    assert any(sentence in one for one in found), found


@pytest.mark.parametrize("text", [None, "nonsense: {", b"\xff\xfe"])
def test_a_config_that_cannot_be_read_is_an_error(tmp_path, text):
    """A missing, broken or binary config.pbtxt is a repository error that names the file."""
    path = tmp_path / "config.pbtxt"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(RepositoryError, match=r"config\.pbtxt cannot be read"):
        read_config(path)
