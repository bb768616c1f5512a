import json

import numpy as np
from tritonclient.grpc import service_pb2

from builder.perf.target import split
from builder.perf.wire import request_bytes
from builder.server.statistics import Statistics, Timing
from builder.spec.dtypes import DType
from builder.spec.results import ServerSplit

TEXTS = np.array([[b"a", "h\u00e9".encode()], [b"", b"\x00\xff"]], dtype=object)


def test_a_grpc_request_is_the_message_that_the_client_would_send() -> None:
    """The bytes parse as a ModelInferRequest with model, version, shape, datatype and raw contents."""
    body = request_bytes("grpc", "m", 7, {"x": np.ones((2, 3), np.int16)}, {"x": DType.INT16})

    request = service_pb2.ModelInferRequest.FromString(body)
    assert (request.model_name, request.model_version) == ("m", "7")
    assert (request.inputs[0].name, request.inputs[0].datatype, list(request.inputs[0].shape)) == (
        "x",
        "INT16",
        [2, 3],
    )
    assert request.raw_input_contents[0] == np.ones((2, 3), "<i2").tobytes()


def test_an_http_request_says_its_lengths() -> None:
    """Header length, body length and every tensor's size match the bytes that follow."""
    feed = {"s": TEXTS, "x": np.ones((2, 3), np.float16)}

    whole = request_bytes("http", "m", 1, feed, {"s": DType.STRING, "x": DType.FP16}, "host:80")

    head, _, body = whole.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"POST /v2/models/m/versions/1/infer HTTP/1.1\r\n")
    assert int(fields["Content-Length"]) == len(body)
    size = int(fields["Inference-Header-Content-Length"])
    sizes = [one["parameters"]["binary_data_size"] for one in json.loads(body[:size])["inputs"]]
    assert sum(sizes) == len(body) - size


def counted(requests: int, *, executions: int, ns: int) -> Statistics:
    spent = Timing(count=requests, total_ns=requests * ns)
    return Statistics(
        inference_count=2 * requests,
        execution_count=executions,
        queue=spent,
        compute_input=spent,
        compute_infer=spent,
        compute_output=spent,
    )


def test_the_split_is_the_average_between_two_readings() -> None:
    """Ten requests before do not count; thirty more of two rows in six runs, are a batch of ten."""
    before, after = counted(10, executions=10, ns=9000), counted(40, executions=16, ns=5000)
    each_us = (40 * 5000 - 10 * 9000) / 30 / 1000

    assert split(before, after) == ServerSplit(
        queue_us=each_us,
        compute_input_us=each_us,
        compute_infer_us=each_us,
        compute_output_us=each_us,
        average_batch=10,
    )


def test_no_request_between_the_readings_gives_no_split() -> None:
    """Counters that stood still are no account of zero microseconds."""
    assert split(counted(4, executions=4, ns=1), counted(4, executions=4, ns=1)) is None
