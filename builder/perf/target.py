"""The model under load, as the live server describes it, and the server's own account of its requests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

import numpy as np

from builder.errors import ServerError
from builder.server.endpoint import Endpoint
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.results import ServerSplit

_TIMEOUT_S: Final = 30.0
_PARTS: Final = ("queue", "compute_input", "compute_infer", "compute_output")

Statistics = Mapping[str, Any]
"""One entry of the server's `model_stats`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One version of one model on a live server."""

    endpoint: Endpoint
    triton_name: str
    version: int
    max_batch_size: int
    """0: the server does not batch, and the first axis is like any other."""
    ranks: Mapping[str, int]
    """How many axes each input has on the wire, the batch axis included."""
    dtypes: Mapping[str, DType]

    def as_served(self, feed: Feed) -> dict[str, Any]:
        """Return `feed` in the shapes the server takes: an input with only a batch axis gets one of 1."""
        return {name: _with_rank(np.asarray(array), self.ranks[name]) for name, array in feed.items()}


def describe(endpoint: Endpoint, triton_name: str, version: int) -> Target:
    """Ask the server for the model's configuration.

    Raises:
        ServerError: the server does not answer, or does not serve this version.
    """
    config = _get(endpoint, f"/v2/models/{triton_name}/versions/{version}/config")
    batches = config.get("max_batch_size", 0)
    return Target(
        endpoint=endpoint,
        triton_name=triton_name,
        version=version,
        max_batch_size=batches,
        ranks={tensor["name"]: len(tensor["dims"]) + (batches > 0) for tensor in config["input"]},
        dtypes={tensor["name"]: DType.from_name(tensor["data_type"]) for tensor in config["input"]},
    )


def statistics(target: Target) -> Statistics:
    """Return the server's counters of this version, as they are now.

    Raises:
        ServerError: the server does not answer, or does not serve this version.
    """
    found = _get(target.endpoint, f"/v2/models/{target.triton_name}/versions/{target.version}/stats")
    return dict(found["model_stats"][0])


def split(before: Statistics, after: Statistics) -> ServerSplit | None:
    """Return the average parts of the requests between two readings; None without any, or after a reload."""
    inferences = after["inference_count"] - before["inference_count"]
    executions = after["execution_count"] - before["execution_count"]
    parts = [_average_us(before, after, part) for part in _PARTS]
    if executions <= 0 or inferences <= 0 or any(part is None or part < 0 for part in parts):
        return None
    queue, given, inferred, taken = (part or 0.0 for part in parts)
    return ServerSplit(
        queue_us=queue,
        compute_input_us=given,
        compute_infer_us=inferred,
        compute_output_us=taken,
        average_batch=inferences / executions,
    )


def _average_us(before: Statistics, after: Statistics, part: str) -> float | None:
    then, now = before["inference_stats"][part], after["inference_stats"][part]
    count = int(now.get("count", 0)) - int(then.get("count", 0))
    return (int(now.get("ns", 0)) - int(then.get("ns", 0))) / count / 1000 if count > 0 else None


def _with_rank(array: Any, rank: int) -> Any:
    return array.reshape(array.shape + (1,) * max(0, rank - array.ndim))


def _get(endpoint: Endpoint, path: str) -> dict[str, Any]:
    connection = HTTPConnection(endpoint.http, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as error:
        raise ServerError(
            f"{endpoint.http} does not answer {path}: {error}",
            fix="run `trb doctor`, or look at the server's log",
        ) from error
    finally:
        connection.close()
    if response.status != 200:  # noqa: PLR2004
        raise ServerError(
            f"{endpoint.http}{path}: HTTP {response.status}: {body.decode(errors='replace')[:500]}"
        )
    return dict(json.loads(body))
