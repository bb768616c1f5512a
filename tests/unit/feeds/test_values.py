import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from builder.errors import SpecError
from builder.feeds import edge_feeds, random_feed
from builder.spec.dtypes import DType
from builder.spec.project import Input, Model, Parity

INTEGERS = [dtype for dtype in DType if dtype.is_integer]
FLOATS = [dtype for dtype in DType if dtype.is_float]


def model(dtype: DType, ends: tuple[float, float] | None = None, *, special: bool = False) -> Model:
    given_input = Input(dtype=dtype, shape=("batch", 5), range=ends)
    return Model(source="m:load", inputs={"x": given_input}, parity=Parity(special_values=special))


def drawn(spec: Model, *, batch: int = 4, seed: int = 0) -> Any:
    return random_feed(spec, {"batch": batch}, seed)["x"]


@st.composite
def whole_ranges(draw: st.DrawFn) -> tuple[DType, tuple[float, float]]:
    dtype = draw(st.sampled_from(INTEGERS))
    limits = np.iinfo(dtype.numpy)
    held = st.integers(int(limits.min), int(limits.max)).map(float).filter(lambda end: end <= int(limits.max))
    ends = sorted(draw(held) for _ in range(2))  # trb.yaml may not say 2**63 for an int64, its nearest float
    return dtype, (ends[0], ends[1])


@given(case=whole_ranges(), seed=st.integers(0, 2**32))
def test_random_integers_have_their_type_and_stay_in_range(
    case: tuple[DType, tuple[float, float]], seed: int
) -> None:
    """No integer lies outside its range, up to the ends of its type."""
    dtype, (low, high) = case
    array = drawn(model(dtype, (low, high)), seed=seed)

    assert array.dtype == dtype.numpy
    assert all(low <= int(value) <= high for value in array.ravel())


@given(
    dtype=st.sampled_from(FLOATS),
    ends=st.tuples(*[st.floats(-60000, 60000, allow_subnormal=False)] * 2).map(sorted),
    seed=st.integers(0, 2**32),
)
def test_random_floats_stay_in_a_range_their_type_can_hold(dtype: DType, ends: Any, seed: int) -> None:
    """Rounding to a narrow type takes no value out of a range that has room for two of its values."""
    low, high = ends
    if high - low < 0.02 * max(1.0, abs(low), abs(high)):
        high = low + 0.02 * max(1.0, abs(low))
    spec = model(dtype, (low, high))
    edges = edge_feeds(spec, {"batch": 4}, seed)

    for array in (drawn(spec, seed=seed), *(feed["x"] for feed in edges.values())):
        assert array.astype(np.float64).min() >= low
        assert array.astype(np.float64).max() <= high


def test_both_ends_of_an_integer_range_are_drawn() -> None:
    """A range includes both of its ends."""
    assert set(drawn(model(DType.INT64, (3, 4)), batch=40).ravel()) == {3, 4}


def test_a_range_as_wide_as_the_type_gives_no_infinity() -> None:
    """The width of a range may overflow; its values do not."""
    largest = np.finfo(np.float64).max
    assert np.isfinite(drawn(model(DType.FP64, (-largest, largest)))).all()


def test_floats_without_a_range_are_standard_normal() -> None:
    """Mean 0 and deviation 1, to the accuracy of 5000 draws."""
    array = drawn(model(DType.FP32), batch=1000)

    assert abs(array.mean()) < 0.1
    assert abs(array.std() - 1) < 0.1


def test_the_same_seed_gives_the_same_values_in_every_process() -> None:
    """Values depend on seed, name and sizes alone: these were drawn in another process."""
    array = drawn(model(DType.INT64, (0, 999)), batch=2, seed=7)

    assert array.tolist() == [[315, 270, 663, 219, 131], [281, 630, 94, 594, 344]]


@pytest.mark.parametrize("change", [{"seed": 1}, {"batch": 5}])
def test_another_seed_or_size_gives_other_values(change: dict[str, int]) -> None:
    """Neither another seed nor another size begins with the same row."""
    spec = model(DType.FP32)

    assert not np.array_equal(drawn(spec)[0], drawn(spec, **change)[0])


def test_two_inputs_of_one_kind_differ() -> None:
    """The name of an input is part of its seed."""
    both = Input(dtype=DType.FP32, shape=("batch", 5))
    feed = random_feed(Model(source="m:load", inputs={"a": both, "b": both}), {"batch": 2}, 0)

    assert not np.array_equal(feed["a"], feed["b"])


def test_strings_are_ascii_words_as_bytes() -> None:
    """A string input is an object array of non-empty bytes of ASCII letters."""
    array = drawn(model(DType.STRING))

    assert array.dtype == object
    assert all(isinstance(word, bytes) and word.isalpha() for word in array.ravel())


def test_an_integer_without_a_range_is_refused_by_name() -> None:
    """Nobody may guess which integers a model takes."""
    with pytest.raises(SpecError, match="input x") as caught:
        drawn(model(DType.INT64))

    assert "range" in caught.value.fix


def test_edges_hold_the_ends_zero_and_a_mixture() -> None:
    """All-min, all-max and all-zero are constant, and mixed holds both ends."""
    feeds = edge_feeds(model(DType.INT32, (-2, 9)), {"batch": 40})

    assert {name: set(feed["x"].ravel()) for name, feed in feeds.items() if name != "mixed"} == {
        "all-min": {-2}, "all-max": {9}, "all-zero": {0},
    }  # fmt: skip
    assert {-2, 9} < set(feeds["mixed"]["x"].ravel())


def test_a_range_without_zero_has_no_zero_edge() -> None:
    """Zero is fed only where the range includes it."""
    assert "all-zero" not in edge_feeds(model(DType.FP32, (1, 2)), {"batch": 2})


@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values_are_fed_only_when_asked_for(dtype: DType) -> None:
    """NaN and infinity appear with `parity.special_values`, and not without it."""
    plain = edge_feeds(model(dtype, (0, 1)), {"batch": 4})
    special = edge_feeds(model(dtype, (0, 1), special=True), {"batch": 4})

    assert all(math.isfinite(value) for feed in plain.values() for value in feed["x"].astype(float).ravel())
    assert np.isnan(special["nan"]["x"].astype(float)).any()
    assert np.isinf(special["inf"]["x"].astype(float)).any()


def test_special_values_leave_whole_numbers_alone() -> None:
    """A model without float inputs has no NaN or infinite case."""
    assert not {"nan", "inf"} & set(edge_feeds(model(DType.INT64, (0, 3), special=True), {"batch": 2}))


@pytest.mark.parametrize("dtype", list(DType))
def test_every_type_keeps_its_type_at_every_edge(dtype: DType) -> None:
    """Random and edge arrays of an input have one dtype and the asked shape."""
    spec = model(dtype, (0, 100) if dtype.is_integer else None)
    arrays = [drawn(spec), *(feed["x"] for feed in edge_feeds(spec, {"batch": 4}).values())]

    assert {array.dtype for array in arrays} == {arrays[0].dtype}
    assert {array.shape for array in arrays} == {(4, 5)}
