import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from builder.compare import compare
from builder.spec.project import Tolerance
from builder.spec.results import OutputGap

EXACT = Tolerance(rtol=0.0, atol=0.0)
LOOSEST = Tolerance(rtol=1e300, atol=1e300)

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
small_shapes = arrays.array_shapes(max_dims=3, max_side=4)


def gap(want: object, got: object, tolerance: Tolerance | None = None) -> OutputGap:
    allowed = {} if tolerance is None else {"y": tolerance}
    (one,) = compare({"y": np.asarray(want)}, {"y": np.asarray(got)}, allowed)
    return one


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(small_shapes)
    return draw(arrays.arrays(np.float64, shape, elements=finite)), draw(
        arrays.arrays(np.float64, shape, elements=finite)
    )


@given(pairs())
def test_the_needed_rtol_really_passes(pair):
    """The reported rtol, given instead of the failed one, passes."""
    found = gap(*pair, Tolerance(rtol=0.0, atol=1e-6))
    assume(math.isfinite(found.needed_rtol))

    assert gap(*pair, Tolerance(rtol=found.needed_rtol, atol=1e-6)).passed


@given(pairs())
def test_the_needed_atol_really_passes(pair):
    """The reported atol, given instead of the failed one, passes."""
    found = gap(*pair, Tolerance(rtol=1e-3, atol=0.0))
    assume(math.isfinite(found.needed_atol))

    assert gap(*pair, Tolerance(rtol=1e-3, atol=found.needed_atol)).passed


@given(pairs())
def test_nothing_much_smaller_than_the_needed_atol_passes(pair):
    """An atol a millionth below the needed one fails."""
    found = gap(*pair, EXACT)
    assume(1e-300 < found.needed_atol < math.inf)

    assert not gap(*pair, Tolerance(rtol=0.0, atol=found.needed_atol * (1 - 1e-6))).passed


@given(pairs(), st.sampled_from([EXACT, Tolerance(rtol=1e-3, atol=1e-5), LOOSEST]))
def test_the_verdict_is_that_of_allclose(pair, tolerance):
    """A finite pair passes exactly when numpy's allclose says so."""
    want, got = pair
    with np.errstate(over="ignore"):
        expected = bool(np.allclose(got, want, rtol=tolerance.rtol, atol=tolerance.atol))

    assert gap(want, got, tolerance).passed is expected


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_elements_does_not_matter(pair, random):
    """Permuting both sides alike changes neither the verdict nor the needed tolerance."""
    want, got = pair[0].ravel(), pair[1].ravel()
    order = list(range(want.size))
    random.shuffle(order)
    tolerance = Tolerance(rtol=1e-3, atol=1e-5)

    a, b = gap(want, got, tolerance), gap(want[order], got[order], tolerance)

    assert (a.passed, a.needed_rtol, a.needed_atol, a.max_abs) == (
        b.passed,
        b.needed_rtol,
        b.needed_atol,
        b.max_abs,
    )


@given(
    arrays.arrays(np.float32, small_shapes, elements=st.floats(-1e6, 1e6, width=32)),
    st.data(),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
def test_nan_or_infinity_on_one_side_fails_however_loose_the_tolerance(want, data, intruder):
    """One NaN or infinity that the reference does not have fails even at an infinite tolerance."""
    place = data.draw(st.integers(0, want.size - 1))
    got = want.copy()
    got.flat[place] = intruder

    for a, b in ((want, got), (got, want)):
        found = gap(a, b, Tolerance(rtol=math.inf, atol=math.inf))

        assert not found.passed
        assert found.needed_rtol == found.needed_atol == math.inf
        assert found.worst_index == np.unravel_index(place, want.shape)


def test_infinities_pass_only_with_the_same_sign():
    """+inf against +inf passes, against -inf it fails."""
    assert gap([1.0, math.inf], [1.0, math.inf]).passed
    assert not gap([1.0, math.inf], [1.0, -math.inf], LOOSEST).passed


def test_nan_at_the_same_place_passes():
    """NaN against NaN is agreement."""
    assert gap([math.nan, 2.0], [math.nan, 2.0]).passed


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_whole_numbers_are_exact_beyond_2_to_the_53(dtype):
    """A difference of one is seen at the end of the 64-bit range, where float64 sees none."""
    largest = np.iinfo(dtype).max
    want, got = np.array([largest], dtype), np.array([largest - 1], dtype)

    assert not gap(want, got).passed
    assert gap(want, got).max_abs == 1.0
    assert gap(want, got, Tolerance(atol=2.0)).passed


def test_the_distance_of_the_farthest_integers_does_not_overflow():
    """The smallest against the largest int64 is 2**64 apart, not -1."""
    limits = np.iinfo(np.int64)

    assert gap(np.array([limits.min]), np.array([limits.max])).max_abs == 2.0**64


def test_fp16_is_measured_without_its_own_overflow():
    """65504 against -65504 is 131008 apart, which fp16 cannot hold."""
    assert gap(np.array([65504], np.float16), np.array([-65504], np.float16)).max_abs == 131008.0


def test_bf16_outputs_are_compared():
    """A bf16 output, which numpy does not know, is measured like the others."""
    import ml_dtypes

    want = np.array([1.0, 2.0], ml_dtypes.bfloat16)

    assert gap(want, want).passed
    assert not gap(want, want + np.array(1, ml_dtypes.bfloat16)).passed


def test_bools_are_exact():
    """One flipped bool fails."""
    assert not gap([True, False], [True, True]).passed


def test_strings_are_equal_or_not():
    """Bytes and text of the same characters agree, another word fails and is named."""
    want = np.array([b"cat", b"dog"], object)

    assert gap(want, np.array(["cat", "dog"], object)).passed
    failed = gap(want, np.array([b"cat", b"cow"], object), LOOSEST)
    assert not failed.passed
    assert "at [1] want b'dog', got b'cow'; 1 of 2 strings differ" in failed.problem


def test_a_missing_output_fails():
    """An output that only the reference has is a failure that names what came."""
    (found,) = compare({"y": np.ones(2)}, {}, {})

    assert not found.passed
    assert found.compared == 0
    assert "missing from the answer, which has no outputs" in found.problem


def test_an_extra_output_fails():
    """An output that the reference does not have is a failure."""
    gaps = compare({"y": np.ones(2)}, {"y": np.ones(2), "z": np.ones(2)}, {})

    assert [(g.name, g.passed) for g in gaps] == [("y", True), ("z", False)]


@pytest.mark.parametrize(
    ("got", "sentence"),
    [
        (np.ones((2, 1)), "shape [2, 1] instead of [2]"),
        (np.ones(2, np.float32), "dtype float32 instead of float64"),
    ],
)
def test_another_shape_or_dtype_fails_although_the_numbers_agree(got, sentence):
    """Equal numbers in another shape or dtype are a failure that says which."""
    found = gap(np.ones(2), got, LOOSEST)

    assert not found.passed
    assert found.problem == sentence


def test_two_answers_without_elements_agree_on_nothing():
    """A selection may come to nothing on both sides, but not on one, and not in another shape or type."""
    nothing = np.ones((0, 3))

    assert (gap(nothing, nothing).passed, gap(nothing, nothing).compared) == (True, 0)
    for other in (np.ones((1, 3)), np.ones((0, 4)), nothing.astype(np.float32)):
        assert not gap(nothing, other).passed
        assert not gap(other, nothing).passed


def test_the_worst_element_is_the_one_that_decides():
    """The problem names the element with the largest excess over its own allowance, not the largest error."""
    found = gap([1000.0, 1.0], [1000.9, 1.5], Tolerance(rtol=1e-3, atol=0.0))

    assert found.worst_index == (1,)
    assert (found.worst_want, found.worst_got) == (1.0, 1.5)
    assert "at [1] want 1.0, got 1.5; 1 of 2 elements" in found.problem


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (Tolerance(rtol=1.0, atol=1.0, max_error=0.4), "the largest absolute error 0.5 is above 0.4"),
        (Tolerance(rtol=1.0, atol=1.0, mean_error=0.2), "the mean absolute error 0.25 is above 0.2"),
        (Tolerance(rtol=1.0, atol=1.0, p99_error=0.3), "the 99th percentile of the absolute error"),
        (Tolerance(rtol=1.0, atol=1.0, cosine_min=0.999999), "the cosine similarity"),
    ],
)
def test_what_is_asked_beside_allclose_is_held(wish, sentence):
    """A limit that is broken fails although allclose passes."""
    found = gap([[1.0, 2.0]], [[1.0, 2.5]], wish)

    assert not found.passed
    assert sentence in found.problem


def test_the_default_tolerance_is_that_of_the_dtype():
    """Without a tolerance fp32 takes 1e-3 of relative error, fp64 does not."""
    assert gap(np.float32([100.0]), np.float32([100.05])).passed
    assert not gap(np.float64([100.0]), np.float64([100.05])).passed


@pytest.mark.parametrize(
    ("want", "got", "identical"),
    [
        (np.float32([1, 2]), np.float32([1, 2]), True),
        (np.float32([0.0]), np.float32([-0.0]), False),
        (np.float32([np.nan]), np.float32([np.nan]), True),
        (np.uint32([0x7FC00000]).view(np.float32), np.uint32([0x7FC00001]).view(np.float32), False),
        (np.float32(3.0), np.float32(3.0), True),
        (np.arange(6).reshape(2, 3).T, np.ascontiguousarray(np.arange(6).reshape(2, 3).T), True),
        (np.array([True, False]), np.array([True, False]), True),
        (np.array([b"a", b"b"], object), np.array(["a", "b"], object), True),
        (np.array([b"a", b"b"], object), np.array(["a", "c"], object), False),
        (np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), True),
        (np.float32([1]), np.float64([1]), False),
    ],
)
def test_to_the_bit_is_stricter_than_equal(want, got, identical):
    """The sign of a zero and the bits of a NaN count; how an array lies in memory does not."""
    assert gap(want, got, LOOSEST).bit_identical is identical
