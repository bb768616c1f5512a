"""The time of a pipeline's requests is told by step."""

import pytest

from builder.perf import step_times
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
