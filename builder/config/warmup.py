"""The requests that Triton runs before the model is ready: real values, never random bytes."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from builder.feeds import random_feed, sample_count, sample_rows, typical_sizes
from builder.feeds.wire import tensor_bytes
from builder.spec.loaded import Feed, Loaded
from builder.spec.model_config import ConfigTensor, ModelConfig, Warmup, WarmupInput
from builder.spec.project import Backend, Model, axis_range

_RUNS: Final = {Backend.ONNX: 1, Backend.TORCHSCRIPT: 3, Backend.PYTHON: 1}
"""torch's profiling executor is at full speed from the third run of a shape on."""
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")


def warmups(
    loaded: Loaded, backend: Backend, inputs: tuple[ConfigTensor, ...], max_batch_size: int
) -> tuple[Warmup, ...]:
    """Return a warmup request for every batch size that matters: the smallest, the preferred and the largest.

    Raises:
        SpecError: an integer input has neither range nor samples.
    """
    feed = warmup_feed(loaded)
    tensors = {
        one.name: WarmupInput(
            dtype=one.dtype,
            dims=_dims(feed[one.name], max_batch_size),
            data_file=_file_name(place, one, feed),
        )
        for place, one in enumerate(inputs)
    }
    return tuple(
        Warmup(name=f"batch_{size}", batch_size=size, inputs=tensors, count=_RUNS[backend])
        for size in _batch_sizes(loaded.model, max_batch_size)
    )


def warmup_feed(loaded: Loaded) -> Feed:
    """Return the smallest batch: the first samples, else one drawn from the declared ranges at typical sizes.

    Triton repeats its first row for larger batches.
    """
    model, sizes = loaded.model, typical_sizes(loaded.model)
    batch = model.batching.axis
    rows = axis_range(model, batch).min if batch in sizes else 1
    if loaded.samples is not None and sample_count(loaded.samples) >= rows:
        return sample_rows(model, loaded.samples, 0, rows)
    return random_feed(model, {**sizes, batch: rows}, model.parity.seed, loaded.samples)


def warmup_files(config: ModelConfig, feed: Feed) -> Mapping[str, bytes]:
    """Return the content of every data file that the warmups of `config` name."""
    needed = {
        one.data_file: (name, one.dtype)
        for warmup in config.warmups
        for name, one in warmup.inputs.items()
        if one.data_file is not None
    }
    return {file: tensor_bytes(feed[name], dtype) for file, (name, dtype) in needed.items()}


def _dims(array: Any, max_batch_size: int) -> tuple[int, ...]:
    shape = tuple(np.shape(array))
    return (shape[1:] if max_batch_size else shape) or (1,)


def _batch_sizes(model: Model, max_batch_size: int) -> tuple[int, ...]:
    if max_batch_size == 0:
        return (1,)  # Triton takes no other where it does not batch
    smallest = min(axis_range(model, model.batching.axis).min, max_batch_size)
    preferred = (size for size in model.batching.preferred_sizes if size <= max_batch_size)
    return tuple(sorted({smallest, *preferred, max_batch_size}))


def _file_name(place: int, tensor: ConfigTensor, feed: Feed) -> str:
    """Return a name that no other content has.

    A server may be about to read the warmup of the last version when the next is published, so both lie in the folder.
    The place keeps apart names that differ only in what a path cannot hold.
    """
    content = hashlib.sha256(tensor_bytes(feed[tensor.name], tensor.dtype)).hexdigest()
    return f"{place}_{_UNSAFE.sub('_', tensor.name)[:100]}-{content[:8]}"
