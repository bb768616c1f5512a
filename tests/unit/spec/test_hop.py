"""When a hop has passed: something of every output was compared, and all of it agrees."""

from builder.spec.results import Comparison, Hop, OutputGap


def gap(name: str, compared: int, *, passed: bool = True) -> OutputGap:
    return OutputGap(name=name, passed=passed, compared=compared)


def hop(*comparisons: tuple[OutputGap, ...], problem: str = "") -> Hop:
    cases = tuple(Comparison(case="c", outputs=outputs) for outputs in comparisons)
    return Hop(name="h", comparisons=cases, problem=problem)


def test_one_answer_of_nothing_among_others_is_no_failure() -> None:
    """An output that was compared in one case may be empty in the next."""
    assert hop((gap("boxes", 8),), (gap("boxes", 0),)).passed


def test_an_output_that_was_never_compared_fails_its_hop() -> None:
    """Whatever the other outputs say, and it is named."""
    found = hop((gap("boxes", 0), gap("scores", 4)), (gap("boxes", 0), gap("scores", 4)))

    assert not found.passed
    assert found.uncompared == ("boxes",)


def test_nothing_at_all_and_a_problem_fail() -> None:
    """No comparison, a comparison without outputs, one that differs, and one that did not end."""
    assert not hop().passed
    assert not hop(()).passed
    assert not hop((gap("y", 4, passed=False),)).passed
    assert not hop((gap("y", 4),), problem="it ended").passed


def test_an_output_that_differs_is_not_called_uncompared() -> None:
    """A missing output has no elements either; that it is missing is said once."""
    assert hop((gap("y", 0, passed=False),)).uncompared == ()
