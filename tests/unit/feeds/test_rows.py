from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from builder.feeds import concat_rows, random_feed, replace_rows, sizes_of, take_rows
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Model

MODEL = Model(
    source="m:load",
    inputs={
        "ids": Input(dtype=DType.INT64, shape=("batch", "seq"), range=(0, 10**6)),
        "state": Input(dtype=DType.FP32, shape=(2, "batch", 3)),
        "scale": Input(dtype=DType.FP32, shape=(4,)),
        "word": Input(dtype=DType.STRING, shape=("batch", 1)),
    },
    dims={"seq": Axis(max=9)},
)


def feed(batch: int, seed: int = 0) -> Any:
    return random_feed(MODEL, {"batch": batch, "seq": 5}, seed)


def row(name: str, given_feed: Any, n: int) -> Any:
    return np.moveaxis(given_feed[name], 1, 0)[n] if name == "state" else given_feed[name][n]


@given(batch=st.integers(2, 6), data=st.data(), nan=st.booleans())
def test_the_kept_row_is_bit_equal_and_every_other_row_differs(batch: int, data: Any, nan: bool) -> None:
    """Replacing neighbours changes every row of every batched input but the kept one."""
    keep = data.draw(st.integers(0, batch - 1))
    before = feed(batch)
    after = replace_rows(MODEL, before, keep, seed=1, nan=nan)

    for name in ("ids", "state", "word"):
        same = [np.array_equal(row(name, before, n), row(name, after, n)) for n in range(batch)]
        assert same[keep], name
        assert name == "word" or not any(same[:keep] + same[keep + 1 :]), name


def test_nan_fills_floats_alone() -> None:
    """With `nan`, replaced float rows are NaN throughout and integers stay in range."""
    after = replace_rows(MODEL, feed(3), 1, seed=1, nan=True)

    assert np.isnan(after["state"][:, [0, 2]]).all()
    assert not np.isnan(after["state"][:, 1]).any()
    assert after["ids"].min() >= 0


def test_inputs_without_the_batch_axis_stay() -> None:
    """What all rows share is no neighbour."""
    before = feed(3)

    assert np.array_equal(replace_rows(MODEL, before, 0, seed=1)["scale"], before["scale"])


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_rows_taken_apart_come_together_again(cut: int) -> None:
    """Concatenating the two parts of a feed gives the feed, wherever its batch axis is."""
    whole = feed(4)
    again = concat_rows(MODEL, take_rows(MODEL, whole, 0, cut), take_rows(MODEL, whole, cut, 4))

    assert all(np.array_equal(again[name], whole[name]) for name in MODEL.inputs)


def test_the_sizes_of_a_feed_are_those_it_was_made_with() -> None:
    """Sizes are read off the arrays, wherever an axis stands."""
    assert sizes_of(MODEL, feed(3)) == {"batch": 3, "seq": 5}
