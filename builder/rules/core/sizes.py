"""How large a tensor is in memory."""

import math
from collections.abc import Sequence

from builder.rules.refusal import Config
from builder.spec.dtypes import DType


def dims_of(of: Config) -> list[int]:
    """Return the `dims` of a part of a config."""
    return [int(dim) for dim in of.get("dims") or ()]


def byte_size(data_type: str, dims: Sequence[int]) -> int:
    """Return the bytes of a tensor of fixed size; 0 where its elements have none."""
    try:
        return DType.from_name(data_type).bytes * (math.prod(dims) if dims else 0)
    except KeyError:  # none, or one that the release does not know
        return 0
