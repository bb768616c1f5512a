"""perf_analyzer's JSON of inputs."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from builder.feeds.wire import tensor_bytes
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed


def write_input(feeds: Sequence[Feed], dtypes: Mapping[str, DType], path: Path, *, batches: bool) -> None:
    """Write `feeds`, shaped as served, for `--input-data`: a step per row where the server batches, else per feed.

    Every tensor is written as base64 of its wire bytes, with its shape: exact for every type, and no
    `--shape` is needed.
    """
    steps = [step for feed in feeds for step in _steps(feed, dtypes, batches=batches)]
    path.write_text(json.dumps({"data": steps}), encoding="utf-8")


def _steps(feed: Feed, dtypes: Mapping[str, DType], *, batches: bool) -> Iterator[Mapping[str, Any]]:
    if not batches:
        yield {name: _tensor(array, dtypes[name]) for name, array in feed.items()}
        return
    for k in range(len(next(iter(feed.values())))):
        yield {name: _tensor(array[k], dtypes[name]) for name, array in feed.items()}


def _tensor(array: Any, dtype: DType) -> Mapping[str, Any]:
    encoded = base64.b64encode(tensor_bytes(array, dtype)).decode("ascii")
    return {"b64": encoded, "shape": list(np.shape(array))}
