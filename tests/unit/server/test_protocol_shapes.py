import numpy as np
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from builder.server.protocol_shapes import as_answered, as_sent, ranks, reshapes

CONFIG = """
max_batch_size: 8
input { name: "x" data_type: TYPE_FP32 dims: [1] reshape { } }
input { name: "z" data_type: TYPE_FP32 dims: [1] }
output { name: "x" data_type: TYPE_FP32 dims: [1] reshape { } }
"""


def parsed(text):
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def test_batch_only_tensors_travel_with_one_more_axis():
    """An input with an empty reshape is sent as [batch, 1], and such an output comes back as [batch]."""
    config = parsed(CONFIG)

    sent = as_sent({"x": np.arange(3.0), "z": np.ones((3, 1))}, ranks(config))
    answered = as_answered(sent, reshapes(config.output))

    assert {name: array.shape for name, array in sent.items()} == {"x": (3, 1), "z": (3, 1)}
    assert answered["x"].tolist() == [0.0, 1.0, 2.0]
    assert answered["z"].shape == (3, 1)


def test_a_number_without_axes_travels_as_a_list_of_one():
    """A server that does not batch takes a scalar input, which the protocol cannot name, as [1]."""
    config = parsed(CONFIG.replace("max_batch_size: 8", ""))

    assert as_sent({"z": np.float32(7)}, ranks(config))["z"].tolist() == [7.0]


def test_only_the_axis_of_the_reshape_is_undone():
    """A wrong shape is left as it came, for the comparison to refuse."""
    assert as_answered({"y": np.ones((3, 2))}, {"y": ()})["y"].shape == (3, 2)


def test_an_empty_reshape_is_a_reshape():
    """`reshape { }` is not the same as none."""
    assert reshapes(parsed(CONFIG).output) == {"x": ()}
    assert list(reshapes(parsed(CONFIG).input)) == ["x"]
