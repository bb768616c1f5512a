"""perf_analyzer's JSON of inputs."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from builder.perf.target import Target
from builder.perf.wire import tensor_bytes
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed


def write_input(target: Target, feeds: Sequence[Feed], path: Path) -> None:
    """Write `feeds` for `--input-data`: one step per row where the server batches, else one per feed.

    Every tensor is written as base64 of its wire bytes, with its shape: exact for every type, and no
    `--shape` is needed.
    """
    steps = [step for feed in feeds for step in _steps(target, target.as_served(feed))]
    path.write_text(json.dumps({"data": steps}), encoding="utf-8")


def _steps(target: Target, feed: Feed) -> Iterator[Mapping[str, Any]]:
    if target.max_batch_size == 0:
        yield {name: _tensor(array, target.dtypes[name]) for name, array in feed.items()}
        return
    for k in range(len(next(iter(feed.values())))):
        yield {name: _tensor(array[k], target.dtypes[name]) for name, array in feed.items()}


def _tensor(array: Any, dtype: DType) -> Mapping[str, Any]:
    encoded = base64.b64encode(tensor_bytes(array, dtype)).decode("ascii")
    return {"b64": encoded, "shape": list(np.shape(array))}
