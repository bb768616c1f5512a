"""The client carries every type both ways, and passes the server's words on."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builder.errors import ServerError
from builder.server import Serving, open_server
from builder.server.client import Client, IndexRow, connected
from builder.server.endpoint import Endpoint
from builder.server.url import at
from builder.spec.releases import release
from tests.live.waiting import at_rest

ECHO = """
import json
import triton_python_backend_utils as pb

class TritonPythonModel:
    def initialize(self, args):
        self.names = [one["name"] for one in json.loads(args["model_config"])["input"]]

    def execute(self, requests):
        return [self.answer(one) for one in requests]

    def answer(self, request):
        sent = {name: pb.get_input_tensor_by_name(request, name) for name in self.names}
        return pb.InferenceResponse(
            [pb.Tensor(name.replace("x", "y"), tensor.as_numpy()) for name, tensor in sent.items() if tensor]
        )
"""
SENT = {
    "TYPE_BOOL": np.array([[True, False, True]]),
    **{
        f"TYPE_{name.upper()}": np.array([[0, 1, np.iinfo(name).max]], name)
        for name in ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
    },
    "TYPE_FP16": np.array([[0.5, -65504, np.inf]], np.float16),
    "TYPE_FP32": np.array([[0.1, -1e30, np.nan]], np.float32),
    "TYPE_FP64": np.array([[0.1, 1e300, -np.inf]]),
    "TYPE_STRING": np.array([[b"", b"word", "\N{SNOWMAN}".encode()]], object),
}


def tensor(kind: str, name: str, dtype: str) -> str:
    optional = "optional: true" if kind == "input" else ""
    return f'{kind} {{ name: "{name}" data_type: {dtype} dims: [ -1 ] {optional} }}\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One model that gives back what it is sent, an input and an output of every type."""
    folder = tmp_path_factory.mktemp("client") / "models"
    (folder / "echo" / "1").mkdir(parents=True)
    (folder / "echo" / "1" / "model.py").write_text(ECHO)
    tensors = [tensor("input", f"x{name}", name) + tensor("output", f"y{name}", name) for name in SENT]
    config = 'backend: "python" max_batch_size: 8 dynamic_batching { max_queue_delay_microseconds: 50000 }\n'
    (folder / "echo" / "config.pbtxt").write_text(config + "".join(tensors))
    with open_server("embedded", Serving(repository=folder, release=release("24.10"))) as endpoint:
        yield endpoint


@pytest.fixture
def client(server: Endpoint) -> Iterator[Client]:
    with connected(server) as found:
        yield found


@pytest.fixture(params=["gRPC", "HTTP"])
def infer(request: pytest.FixtureRequest, client: Client) -> Callable[..., dict[str, Any]]:
    return client.infer_grpc if request.param == "gRPC" else client.infer_http


@pytest.mark.parametrize("dtype", SENT)
def test_every_type_comes_back_as_it_was_sent(dtype: str, infer: Callable[..., dict[str, Any]]) -> None:
    """Values, NaN and infinity included, type and shape survive the way there and back."""
    back = infer("echo", 1, {f"x{dtype}": SENT[dtype]}, [f"y{dtype}"])

    assert list(back) == [f"y{dtype}"]
    assert back[f"y{dtype}"].dtype == SENT[dtype].dtype
    np.testing.assert_array_equal(back[f"y{dtype}"], SENT[dtype])


def test_numpys_own_strings_are_sent_as_bytes(infer: Callable[..., dict[str, Any]]) -> None:
    """A unicode array arrives as UTF-8."""
    back = infer("echo", 1, {"xTYPE_STRING": np.array([["caf\N{LATIN SMALL LETTER E WITH ACUTE}"]])})

    assert back["yTYPE_STRING"].tolist() == [["caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode()]]


def test_an_array_that_is_not_contiguous_arrives_in_order(infer: Callable[..., dict[str, Any]]) -> None:
    """A transposed array is sent by its values, not by its memory."""
    turned = np.arange(6, dtype=np.float32).reshape(3, 2).T

    np.testing.assert_array_equal(infer("echo", 1, {"xTYPE_FP32": turned})["yTYPE_FP32"], turned)


@pytest.mark.parametrize(
    ("model", "version", "feed", "outputs", "words"),
    [
        ("echo", 7, {"xTYPE_FP32": np.ones((1, 3), np.float32)}, None, "version 7 is not found"),
        ("other", 1, {"xTYPE_FP32": np.ones((1, 3), np.float32)}, None, "unknown model: 'other'"),
        ("echo", 1, {"xTYPE_FP32": np.ones((1, 3), np.float32)}, ["z"], "unexpected inference output 'z'"),
        ("echo", 1, {"xTYPE_FP32": np.ones((1, 3))}, None, "data-type is 'FP64'"),
        ("echo", 1, {"xTYPE_FP32": np.ones((9, 3), np.float32)}, None, "batch-size must be <= 8"),
        ("echo", 1, {"xTYPE_FP32": np.ones((1, 3), np.complex64)}, None, "complex64 cannot be sent"),
    ],
)
def test_a_refusal_comes_in_the_servers_words(
    model: str,
    version: int,
    feed: dict[str, Any],
    outputs: list[str] | None,
    words: str,
    infer: Callable[..., dict[str, Any]],
) -> None:
    """What the server refuses is a ServerError with its text, over either protocol."""
    with pytest.raises(ServerError, match=words):
        infer(model, version, feed, outputs)


def test_the_server_tells_what_it_serves(client: Client) -> None:
    """Version, index, ready versions and the config come from the server."""
    assert client.server_version() == "2.51.0"
    assert client.index() == (IndexRow(name="echo", version=1, state="READY", reason=""),)
    assert client.model_versions_ready("echo") == (1,)
    assert client.model_versions_ready("other") == ()
    assert client.live_config("echo", 1)["max_batch_size"] == 8
    with pytest.raises(ServerError, match="echo version 7"):
        client.live_config("echo", 7)


def test_concurrent_requests_show_up_as_batches(client: Client) -> None:
    """Requests from many threads over one connection form batches, and the difference counts just them."""
    row = {"xTYPE_FP32": np.ones((1, 3), np.float32)}
    before = at_rest(lambda: client.statistics("echo", 1))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: client.infer_grpc("echo", 1, row), range(64)))

    added = at_rest(lambda: client.statistics("echo", 1)).since(before)
    assert added.inference_count == 64
    assert added.success.count == 64
    assert added.largest_batch > 1
    assert sum(size * count for size, count in added.batches.items()) == 64


def test_a_running_server_is_reached_by_its_url(server: Endpoint) -> None:
    """From the outside it has its address and its version, and no log of ours."""
    with at(f"http://{server.http}", server.grpc) as endpoint:
        assert endpoint.description == f"Triton 2.51.0 at {server.http}"
        assert (endpoint.kind, endpoint.log) == ("url", None)
        with connected(endpoint) as client:
            assert client.model_versions_ready("echo") == (1,)


def test_a_server_that_is_killed_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    """After the server's death every call says so, and points to the log."""
    (tmp_path / "models" / "echo" / "1").mkdir(parents=True)
    (tmp_path / "models" / "echo" / "1" / "model.py").write_text(ECHO)
    config = 'backend: "python" max_batch_size: 8\n' + tensor("input", "x", "TYPE_FP32")
    (tmp_path / "models" / "echo" / "config.pbtxt").write_text(config + tensor("output", "y", "TYPE_FP32"))
    row = {"x": np.ones((1, 3), np.float32)}
    with (
        open_server(
            "embedded", Serving(repository=tmp_path / "models", release=release("24.10"))
        ) as endpoint,
        connected(endpoint, timeout_s=10) as client,
    ):
        assert endpoint.pid is not None
        os.kill(endpoint.pid, signal.SIGKILL)

        for ask in (client.infer_grpc, client.infer_http):
            with pytest.raises(ServerError) as caught:
                ask("echo", 1, row)
            assert str(endpoint.log) in caught.value.fix

    with pytest.raises(ServerError, match="no Triton answers"), at(endpoint.http):
        pytest.fail("somebody answered")
