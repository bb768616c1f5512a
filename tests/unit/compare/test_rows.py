import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from builder.compare.rows import smallest_cosine, top_k_agreement

rows = arrays.arrays(np.float64, (3, 5), elements=st.floats(-1e3, 1e3))


@given(rows, st.integers(1, 5))
def test_an_answer_agrees_with_itself(want, k):
    """Equal rows have a cosine of exactly 1 and the same top k, ties or not."""
    assert smallest_cosine(want, want) == 1.0
    assert top_k_agreement(want, want, k) == 1.0


@given(rows, rows, st.integers(1, 5))
def test_top_k_is_symmetric(a, b, k):
    """Which side is the reference does not matter to top-k agreement."""
    assert top_k_agreement(a, b, k) == top_k_agreement(b, a, k)


def test_the_smallest_cosine_is_that_of_the_worst_row():
    """One row at a right angle decides, however well the others agree."""
    want = np.array([[1.0, 0.0], [1.0, 1.0]])
    got = np.array([[0.0, 1.0], [1.0, 1.0]])

    assert smallest_cosine(want, got) == 0.0


def test_rows_of_zeros():
    """Zeros agree with zeros and with nothing else."""
    zero, one = np.zeros((1, 3)), np.ones((1, 3))

    assert smallest_cosine(zero, zero) == 1.0
    assert smallest_cosine(zero, one) == smallest_cosine(one, zero) == 0.0


def test_the_cosine_survives_extreme_magnitudes():
    """Rows whose squares overflow or vanish still have their angle."""
    for scale in (1e-200, 1e200):
        want, got = np.array([[1.0, 1.0]]) * scale, np.array([[1.0, 0.0]]) * scale

        assert abs(smallest_cosine(want, got) - 2**-0.5) < 1e-12


def test_a_tie_at_the_edge_is_either():
    """Where the k-th and the next value tie in one side, either choice of the other side agrees."""
    want, got = np.array([[3.0, 2.0, 2.0, 1.0]]), np.array([[3.0, 1.9, 2.0, 1.0]])

    assert top_k_agreement(want, got, 2) == 1.0


def test_losing_the_largest_is_no_tie():
    """Two tied runners-up in front of the true largest are a disagreement."""
    assert top_k_agreement(np.array([[3.0, 2.0, 2.0, 1.0]]), np.array([[0.0, 2.0, 2.0, 1.0]]), 2) == 0.0


def test_the_share_of_rows_is_reported():
    """One row of two that disagrees gives one half."""
    want, got = np.array([[2.0, 1.0], [2.0, 1.0]]), np.array([[2.0, 1.0], [1.0, 2.0]])

    assert top_k_agreement(want, got, 1) == 0.5


def test_more_than_there_is_is_everything():
    """A k above the size of the row agrees."""
    assert top_k_agreement(np.array([[2.0, 1.0]]), np.array([[1.0, 2.0]]), 9) == 1.0
