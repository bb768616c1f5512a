import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from builder.check.live_config import differences, read_config, reshapes
from builder.errors import RepositoryError

OURS = """
name: "m" backend: "onnxruntime" max_batch_size: 8 dynamic_batching { max_queue_delay_microseconds: 100 }
input { name: "x" data_type: TYPE_FP32 dims: [4] }
output { name: "y" data_type: TYPE_FP32 dims: [1] reshape { } }
"""


def parsed(text):
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def test_what_a_server_fills_in_is_no_difference():
    """A live configuration with defaults filled in is ours."""
    live = parsed(
        OURS + "instance_group { count: 2 kind: KIND_CPU } version_policy { latest { num_versions: 1 } }"
    )

    assert differences(parsed(OURS), live) == ()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"onnxruntime"', '"python"', "has backend python, config.pbtxt has onnxruntime"),
        ("max_batch_size: 8", "max_batch_size: 4", "has max_batch_size 4, config.pbtxt has 8"),
        ("dynamic_batching { max_queue_delay_microseconds: 100 }", "", "has dynamic_batching False"),
        ("dims: [4]", "dims: [5]", "has input x as TYPE_FP32 [5], config.pbtxt as TYPE_FP32 [4]"),
        ('"x" data_type: TYPE_FP32', '"x" data_type: TYPE_FP16', "has input x as TYPE_FP16 [4]"),
        ('name: "y"', 'name: "z"', "lacks the output y of config.pbtxt"),
        ("reshape { }", "", "has output y as TYPE_FP32 [1], config.pbtxt as TYPE_FP32 [1] reshape []"),
    ],
)
def test_a_difference_is_named_with_both_sides(old, new, sentence):
    """Each difference that changes what a client sees is one sentence with both values."""
    assert old in OURS

    found = differences(parsed(OURS), parsed(OURS.replace(old, new)))

    assert any(sentence in one for one in found), found


def test_an_empty_reshape_is_a_reshape():
    """`reshape { }` is not the same as none."""
    assert reshapes(parsed(OURS).output) == {"y": ()}
    assert reshapes(parsed(OURS).input) == {}


@pytest.mark.parametrize("text", [None, "nonsense: {", b"\xff\xfe"])
def test_a_config_that_cannot_be_read_is_an_error(tmp_path, text):
    """A missing, broken or binary config.pbtxt is a repository error that names the file."""
    path = tmp_path / "config.pbtxt"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(RepositoryError, match=r"config\.pbtxt cannot be read"):
        read_config(path)
