from typing import Any

import numpy as np
import pytest

from builder.errors import SpecError
from builder.feeds import cases, sample_rows, with_samples
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Model
from builder.spec.tensors import Signature, Tensor

MODEL = Model(
    source="m:load",
    inputs={
        "ids": Input(dtype=DType.INT64, shape=("batch", "seq")),
        "state": Input(dtype=DType.FP32, shape=(2, "batch", 3)),
    },
    dims={"batch": Axis(max=8), "seq": Axis(max=64)},
)
SIGNATURE = Signature(inputs=(), outputs=(Tensor(name="y", dtype=DType.FP32, shape=("batch", 3)),))


def samples(count: int) -> Any:
    ids = np.arange(count * 5).reshape(count, 5)
    return {"ids": ids, "state": np.arange(count * 6, dtype=np.float32).reshape(count, 2, 3)}


def sampled(count: int) -> list[Any]:
    return [case for case in cases(MODEL, SIGNATURE, samples(count)) if case.name.startswith("sample")]


def test_names_say_what_is_fed_and_at_which_sizes() -> None:
    """Random, edge and sample cases each have a readable name."""
    names = [case.name for case in cases(MODEL, SIGNATURE, samples(3))]

    assert {"random batch=3 seq=17", "all-min batch=2 seq=17", "sample 0 batch=1 seq=5"} <= set(names)
    assert len(names) == len(set(names))


def test_the_largest_batch_meets_the_longest_axis() -> None:
    """A client may send both at once, so that is compared too."""
    assert "random batch=8 seq=64" in [case.name for case in cases(MODEL, SIGNATURE, samples(3))]


def test_the_largest_batch_meets_the_longest_axis_unless_that_is_too_large() -> None:
    """Tensors of many megabytes are not made."""
    wide = Signature(inputs=(), outputs=(Tensor(name="y", dtype=DType.FP32, shape=("batch", "seq", 10**6)),))

    assert "random batch=8 seq=64" not in [case.name for case in cases(MODEL, wide, samples(3))]


@pytest.mark.parametrize("count", [1, 2, 5, 20, 255])
def test_every_sample_is_fed_exactly_once(count: int) -> None:
    """However they are cut into batches, the samples are all there, in order."""
    fed = np.concatenate([case.feed["ids"] for case in sampled(count)])

    assert np.array_equal(fed, samples(count)["ids"])


def test_samples_come_at_batch_sizes_up_to_the_largest() -> None:
    """Enough samples are cut into 1, 2, 3 and the maximum; no batch is larger."""
    assert [case.sizes["batch"] for case in sampled(20)] == [1, 2, 3, 8, 6]


def test_no_more_than_256_samples_are_fed() -> None:
    """A large set of samples does not make a check endless."""
    assert sum(case.sizes["batch"] for case in sampled(1000)) == 256


def test_samples_go_where_the_model_has_its_batch_axis() -> None:
    """An input whose batch axis comes second takes its samples there."""
    feed = sample_rows(MODEL, samples(4), 1, 3)

    assert feed["state"].shape == (2, 2, 3)
    assert np.array_equal(feed["state"][:, 1], samples(4)["state"][2])


def test_integers_without_a_range_take_that_of_the_samples() -> None:
    """Random integers stay between the smallest and the largest sample."""
    model = with_samples(MODEL, samples(3))

    assert model.inputs["ids"].range == (0, 14)
    assert model.inputs["state"].range is None


def test_integers_with_neither_range_nor_samples_are_refused() -> None:
    """There is nothing to draw them from."""
    with pytest.raises(SpecError, match="ids"):
        cases(MODEL, SIGNATURE)
