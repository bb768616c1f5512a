"""A small loaded model, real numbers and no torch."""

from typing import Any

import numpy as np
import pytest

from builder.spec.artifact import Provenance
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed, Fingerprint, Loaded
from builder.spec.project import Axis, Input, Model
from builder.spec.tensors import Signature, Tensor

WEIGHTS = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
SIGNATURE = Signature(
    inputs=(Tensor(name="x", dtype=DType.FP32, shape=("batch", 4)),),
    outputs=(Tensor(name="y", dtype=DType.FP32, shape=("batch", 3)),),
)


def linear(feed: Feed) -> dict[str, Any]:
    """Multiply row by row, so that a row has the same bits whatever its company."""
    return {"y": np.stack([row @ WEIGHTS for row in feed["x"]])}


@pytest.fixture
def loaded() -> Loaded:
    """A linear model of up to 8 rows."""
    return Loaded(
        name="linear",
        model=Model(
            source="m:load",
            inputs={"x": Input(dtype=DType.FP32, shape=("batch", 4))},
            dims={"batch": Axis(max=8)},
        ),
        kind="module",
        signature=SIGNATURE,
        reference=linear,
        reference_name="eager PyTorch",
        provenance=Provenance(source="m:load", source_sha256="s", weights_sha256="w"),
        fingerprint=Fingerprint(entry_sha256="e", files={}, packages={}),
    )
