"""What check and perf ask a live Triton, over connections that are kept."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from geventhttpclient.response import HTTPParseError
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from builder.errors import ServerError
from builder.server.endpoint import Endpoint
from builder.server.statistics import Statistics, read_statistics
from builder.spec.loaded import Feed

_TIMEOUT_S: Final = 120.0
_ANY_SIZE: Final = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
_NO_PROXY: Final = (("grpc.enable_http_proxy", 0),)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """One version of one model in the server's repository index."""

    name: str
    version: int | None
    """None: the server found no version of it."""
    state: str
    """READY, UNAVAILABLE, LOADING, UNLOADING; empty: never loaded."""
    reason: str
    """Why it is not ready, in the server's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Open connections to one server. gRPC may be used from many threads, HTTP only where it was opened."""

    endpoint: Endpoint
    grpc: Any
    """tritonclient.grpc.InferenceServerClient."""
    http: Any
    """tritonclient.http.InferenceServerClient."""
    timeout_s: float

    def server_version(self) -> str:
        """Return the version of the server core, such as 2.51.0."""
        with self._words("GET /v2"):
            return str(self.http.get_server_metadata()["version"])

    def live_config(self, model: str, version: int) -> dict[str, Any]:
        """Return the config that the server runs, as JSON: every default filled in.

        Raises:
            ServerError: it does not serve this version.
        """
        with self._words(f"the config of {model} version {version}"):
            return dict(self.http.get_model_config(model, str(version)))

    def index(self) -> tuple[IndexRow, ...]:
        """Return every model the server knows of, with the reason where one did not load."""
        with self._words("the repository index"):
            rows = self.http.get_model_repository_index()
        return tuple(
            IndexRow(
                name=row["name"],
                version=int(row["version"]) if row.get("version") else None,
                state=row.get("state", ""),
                reason=row.get("reason", ""),
            )
            for row in rows
        )

    def model_versions_ready(self, model: str) -> tuple[int, ...]:
        """Return the versions of `model` that answer, in order; none when the server has no such model."""
        ready = (row.version for row in self.index() if row.name == model and row.state == "READY")
        return tuple(sorted(version for version in ready if version is not None))

    def load(self, model: str) -> None:
        """Have the server load `model`; it must take load calls.

        Raises:
            ServerError: it does not load.
        """
        with self._words(f"loading {model}"):
            self.http.load_model(model)

    def statistics(self, model: str, version: int) -> Statistics:
        """Return the server's counts since it started; use the difference of two.

        Raises:
            ServerError: it does not serve this version.
        """
        with self._words(f"the statistics of {model} version {version}"):
            return read_statistics(self.http.get_inference_statistics(model, str(version))["model_stats"][0])

    def infer_grpc(
        self, model: str, version: int, feed: Feed, outputs: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Return the outputs by name, as numpy arrays (strings as object arrays of bytes).

        Args:
            model: its name in the repository.
            version: asked for by number.
            feed: inputs by name; the dtype of each array decides the type on the wire.
            outputs: the outputs asked for; None: all.

        Raises:
            ServerError: the server refused, in its words, or left out an output.
        """
        inputs = [_filled(triton_grpc.InferInput, name, array) for name, array in feed.items()]
        asked = None if outputs is None else [triton_grpc.InferRequestedOutput(name) for name in outputs]
        with self._words(f"{model} version {version} over gRPC"):
            result = self.grpc.infer(
                model, inputs, str(version), outputs=asked, client_timeout=self.timeout_s
            )
            names = outputs or [output.name for output in result.get_response().outputs]
            return _arrays(result, names)

    def infer_http(
        self, model: str, version: int, feed: Feed, outputs: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Return the outputs by name; arguments, result and errors as for `infer_grpc`."""
        inputs = [_filled(triton_http.InferInput, name, array) for name, array in feed.items()]
        asked = None if outputs is None else [triton_http.InferRequestedOutput(name) for name in outputs]
        with self._words(f"{model} version {version} over HTTP"):
            result = self.http.infer(model, inputs, str(version), outputs=asked)
            names = outputs or [output["name"] for output in result.get_response().get("outputs", ())]
            return _arrays(result, names)

    @contextmanager
    def _words(self, what: str) -> Iterator[None]:
        """Turn what the client libraries raise into the server's own words."""
        try:
            yield
        except InferenceServerException as error:
            raise ServerError(f"{what}: {error.message()}", fix=_see_log(self.endpoint)) from error
        except (OSError, HTTPParseError) as error:
            raise ServerError(
                f"{what}: the server at {self.endpoint.http} does not answer: {error}",
                fix=_see_log(self.endpoint),
            ) from error


@contextmanager
def connected(
    endpoint: Endpoint, *, timeout_s: float = _TIMEOUT_S, http_connections: int = 1
) -> Iterator[Client]:
    """Yield a client whose connections close with the block.

    Args:
        endpoint: the server.
        timeout_s: seconds any one answer may take.
        http_connections: HTTP requests that may be under way at once.
    """
    options = _ANY_SIZE + (_NO_PROXY if endpoint.kind != "url" else ())
    with (
        triton_grpc.InferenceServerClient(endpoint.grpc, channel_args=list(options)) as grpc,
        triton_http.InferenceServerClient(
            endpoint.http,
            concurrency=http_connections,
            connection_timeout=timeout_s,
            network_timeout=timeout_s,
        ) as http,
    ):
        yield Client(endpoint=endpoint, grpc=grpc, http=http, timeout_s=timeout_s)


def _filled(kind: Any, name: str, array: Any) -> Any:
    tensor = np.asarray(array)
    if tensor.dtype.kind in "SU":
        tensor = tensor.astype(object)
    wire = np_to_triton_dtype(tensor.dtype)
    if wire is None:
        raise ServerError(f"input {name}: {tensor.dtype} cannot be sent to Triton")
    filled = kind(name, list(tensor.shape), wire)
    filled.set_data_from_numpy(tensor)
    return filled


def _arrays(result: Any, names: Sequence[str]) -> dict[str, Any]:
    arrays = {name: result.as_numpy(name) for name in names}
    if absent := [name for name, array in arrays.items() if array is None]:
        raise ServerError(f"the answer has no output {', '.join(absent)}")
    return arrays


def _see_log(endpoint: Endpoint) -> str:
    return f"the server's log: {endpoint.log}" if endpoint.log else "look at the server's log"
