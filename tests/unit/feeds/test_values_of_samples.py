"""Inputs whose values come from the samples alone."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from builder.errors import SpecError
from builder.feeds import Case, cases, edge_feeds, random_feed, replace_rows, with_samples
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Model, Parity
from builder.spec.tensors import Signature

MODEL = Model(
    source="m:load",
    inputs={
        "ids": Input(dtype=DType.INT64, shape=("batch", "seq"), range=(0, 9)),
        "mask": Input(dtype=DType.BOOL, shape=("batch", "seq"), values="samples"),
        "length": Input(dtype=DType.FP32, shape=(1, "batch"), values="samples"),
        "scale": Input(dtype=DType.FP32, shape=(2,)),
    },
    dims={"batch": Axis(max=8), "seq": Axis(max=64)},
    parity=Parity(special_values=True),
)
LENGTHS = np.array([3, 1, 4, 4, 5])
SAMPLES = {
    "ids": np.zeros((5, 6), np.int64),
    "mask": np.arange(6)[None] < LENGTHS[:, None],
    "length": LENGTHS[:, None].astype(np.float32),
    "scale": np.ones((5, 2), np.float32),
}
SAMPLED = with_samples(MODEL, SAMPLES)


def lengths(feed: Any) -> list[int]:
    """Return the length of every row, as `mask` and `length` both tell it."""
    assert np.array_equal(feed["mask"].sum(1), feed["length"][0])
    return [int(length) for length in feed["length"][0]]


def feed(batch: int, seed: int = 0) -> Any:
    return random_feed(SAMPLED, {"batch": batch, "seq": 6}, seed, SAMPLES)


@given(batch=st.integers(1, 20), seed=st.integers(0, 2**40))
def test_rows_are_those_of_samples_in_all_inputs_alike(batch: int, seed: int) -> None:
    """However many rows are asked for, each is one sample, whose inputs stay together."""
    assert set(lengths(feed(batch, seed))) <= set(LENGTHS.tolist())


@given(batch=st.integers(1, 9), seed=st.integers(0, 99))
def test_the_next_seed_gives_every_row_another_sample(batch: int, seed: int) -> None:
    """What stands twice in the samples does not make two neighbouring seeds alike."""
    pairs = zip(lengths(feed(batch, seed)), lengths(feed(batch, seed + 1)), strict=True)

    assert all(one != other for one, other in pairs)


def test_their_axes_have_the_sizes_of_the_samples() -> None:
    """No other length is tried than the one that the samples have; the batch is tried at all its sizes."""
    made = cases(MODEL, Signature(inputs=(), outputs=()), SAMPLES)

    assert {case.sizes["seq"] for case in made} == {6}
    assert {1, 2, 3, 8} <= {case.sizes["batch"] for case in made}


def test_edges_and_special_values_are_for_the_others() -> None:
    """At every edge the sampled inputs hold samples, while the others are at the edge."""
    edges = edge_feeds(SAMPLED, {"batch": 4, "seq": 6}, 0, SAMPLES)

    assert set(edges) == {"all-min", "all-max", "all-zero", "mixed", "nan", "inf"}
    assert all(set(lengths(one)) <= set(LENGTHS.tolist()) for one in edges.values())
    assert (edges["all-max"]["ids"] == 9).all()
    assert np.isnan(edges["nan"]["scale"]).any()


def test_a_model_fed_with_samples_alone_has_no_edges() -> None:
    """Where every input is sampled, there is nothing to put at an edge, and the cases say what they are."""
    inputs = {"mask": MODEL.inputs["mask"]}
    model = Model(source="m:load", inputs=inputs, dims=MODEL.dims)
    made: tuple[Case, ...] = cases(model, Signature(inputs=(), outputs=()), {"mask": SAMPLES["mask"]})

    assert {case.name.split(" batch")[0].rstrip("s 0123456789.") for case in made} == {
        "recombined sample",
        "sample",
    }


def test_replaced_rows_are_other_samples_and_never_nan() -> None:
    """A neighbour of NaN would be a value that no sample has."""
    before = feed(5)
    after = replace_rows(SAMPLED, before, 2, seed=1, nan=True, samples=SAMPLES)

    changed = [one != other for one, other in zip(lengths(before), lengths(after), strict=True)]
    assert changed == [True, True, False, True, True]


def test_without_samples_there_is_nothing_to_feed() -> None:
    """The input is named."""
    with pytest.raises(SpecError, match="input mask"):
        random_feed(MODEL, {"batch": 1, "seq": 6}, 0)
