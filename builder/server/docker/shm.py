"""How much shared memory the models of a repository need."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tritonclient.grpc import model_config_pb2

from builder.errors import RepositoryError
from builder.server.live_config import read_config
from builder.spec.dtypes import DType

_BASE: Final = 256 << 20
_PER_INSTANCE: Final = 16 << 20
"""A stub's own queues and pool, which begin at 1 MiB and grow."""
_UNKNOWN_DIM: Final = 1024
"""Taken for a dynamic axis, which the config does not bound."""
_COPIES: Final = 4
"""A request that runs, one that waits, and the growth of a pool, which needs the old and the new."""
_STRING_BYTES: Final = 256
_MOST: Final = 1 << 40
"""More than a machine has to give; several dynamic axes multiply to more than the daemon's integers hold."""


def shm_bytes(repository: Path, models: Sequence[str], *, all_in_stubs: bool = False) -> int:
    """Return the size of /dev/shm in bytes for `models`: what their Python stubs pass tensors through.

    Memory is taken only as it is used, so a generous size costs nothing; one that is too small ends a stub with a
    bus error.

    Args:
        repository: the model repository.
        models: those that are loaded.
        all_in_stubs: whether ONNX and TorchScript models run in stubs too, as in our own image.
    """
    configs = [found for name in models if (found := _config(repository / name)) is not None]
    wanted = _BASE + sum(_of_model(one) for one in configs if all_in_stubs or one.backend == "python")
    return min(wanted, _MOST)


def _config(folder: Path) -> Any:
    try:
        return read_config(folder / "config.pbtxt")
    except RepositoryError:  # the server completes it, or says what is wrong with it
        return None


def _of_model(config: Any) -> int:
    instances = sum(max(1, group.count) * max(1, len(group.gpus)) for group in config.instance_group) or 1
    batch = max(1, config.max_batch_size)
    tensors = sum(_of_tensor(one) for one in (*config.input, *config.output))
    return int(instances * (_PER_INSTANCE + _COPIES * batch * tensors))


def _of_tensor(tensor: Any) -> int:
    elements = math.prod(_UNKNOWN_DIM if dim < 0 else dim for dim in tensor.dims)
    return elements * _itemsize(tensor.data_type)


def _itemsize(number: int) -> int:
    try:
        dtype = DType.from_name(model_config_pb2.DataType.Name(number))
    except (ValueError, KeyError):
        return 0
    return _STRING_BYTES if dtype is DType.STRING else dtype.bytes
