"""The time of a pipeline's requests is told by step."""

from typing import Any, cast

import pytest

from builder.perf import step_times
from builder.perf.steps import counts_at_rest
from builder.server.statistics import Statistics, Timing
from builder.spec.dtypes import DType
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.tensors import Signature, Tensor

X = Tensor(name="x", dtype=DType.FP32, shape=("batch", 4))


def step(name: str, model: str = "") -> WiredStep:
    return WiredStep(
        name=name,
        model=model or name,
        backend="python",
        signature=Signature(inputs=(X,), outputs=(X,)),
        max_batch_size=8,
        inputs={"x": "a"},
        outputs={"x": "b"},
    )


def wired(*steps: WiredStep) -> Wired:
    return Wired(
        name="p", steps=steps, inputs=("a",), outputs=("b",), tensors={"a": X, "b": X}, max_batch_size=8
    )


def counted(requests: int, queue_us: int, infer_us: int) -> Statistics:
    """Requests that took so long each, a tenth of the inference again on copies on each side."""

    def timing(each_us: float) -> Timing:
        return Timing(count=requests, total_ns=int(requests * each_us * 1000))

    return Statistics(
        inference_count=requests,
        execution_count=requests,
        success=timing(queue_us + infer_us),
        queue=timing(queue_us),
        compute_input=timing(infer_us / 10),
        compute_infer=timing(infer_us),
        compute_output=timing(infer_us / 10),
    )


def test_each_step_has_its_averages_and_its_share() -> None:
    """Copies count as compute, waiting counts in the share, and the shares are a whole."""
    before = {"a": counted(0, 0, 0), "b": counted(0, 0, 0)}
    a, b = step_times(
        wired(step("a"), step("b")), before, {"a": counted(10, 40, 50), "b": counted(10, 60, 200)}
    )

    assert (a.requests, a.queue_us, a.compute_us) == (10, 40, 60)
    assert (b.queue_us, b.compute_us) == (60, 240)
    assert [a.share, b.share] == pytest.approx([0.25, 0.75])


def test_what_was_counted_before_is_left_out() -> None:
    """Only the requests between the two readings count."""
    (one,) = step_times(wired(step("a")), {"a": counted(1000, 5, 5)}, {"a": counted(1010, 5, 5)})

    assert one.requests == 10


def test_two_steps_of_one_model_are_both_told() -> None:
    """Each has the model's averages, and half of the time."""
    now = counted(20, 10, 100)
    first, second = step_times(
        wired(step("m"), step("m#2", "m")), {"m": Statistics(), "m#2": Statistics()}, {"m": now, "m#2": now}
    )

    assert (first.step, second.step, second.model) == ("m", "m#2", "m")
    assert first.share == second.share == 0.5


def test_without_requests_there_is_nothing_to_tell() -> None:
    """No request in between leaves no step, instead of zeros."""
    now = {"a": counted(5, 1, 1)}

    assert step_times(wired(step("a")), now, now) == ()


class Counting:
    """A server that goes on counting for some readings after the last answer."""

    def __init__(self, readings: int) -> None:
        self.readings, self.requests = readings, 10

    def model_versions_ready(self, _: str) -> tuple[int, ...]:
        return (1,)

    def statistics(self, _: str, __: int) -> Statistics:
        if self.readings:
            self.readings, self.requests = self.readings - 1, self.requests + 1
        return counted(self.requests, 5, 5)


def test_counters_are_read_when_they_stand_still() -> None:
    """A request that was counted after its answer was out is among them."""
    found = counts_at_rest(cast("Any", Counting(3)), wired(step("a")))

    assert found["a"].success.count == 13


def test_counters_that_never_stand_still_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that others use too does not hold a measurement up."""
    monkeypatch.setattr("builder.perf.steps._LATEST_S", 0.1)

    assert counts_at_rest(cast("Any", Counting(1000)), wired(step("a")))["a"].success.count > 11
