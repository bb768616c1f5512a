"""The steps of a pipeline, run one after another in this process."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from builder import wiring
from builder.errors import SourceError
from builder.spec.project import Output, Pipeline, Step
from tests.unit.wiring.values import FP32, known

ROW = (FP32, ("batch", 2))
MODELS = {
    "double": known({"x": ROW}, {"x": ROW}),
    "both": known({"a": ROW, "b": ROW}, {"sum": ROW, "gap": ROW}),
}
DIAMOND = Pipeline(
    inputs=("x",),
    steps=(
        Step(model="double", outputs={"x": "twice"}),
        Step(model="double", map={"x": "twice"}, outputs={"x": "four"}),
        Step(model="both", map={"a": "four", "b": "x"}),
    ),
    outputs={"sum": Output(), "twice": Output()},
)
X = np.array([[1.0, 2.0]], np.float32)


def double(feed: Mapping[str, Any]) -> dict[str, Any]:
    return {"x": 2 * feed["x"]}


def both(feed: Mapping[str, Any]) -> dict[str, Any]:
    return {"sum": feed["a"] + feed["b"], "gap": feed["a"] - feed["b"]}


def refuse(feed: Mapping[str, Any]) -> dict[str, Any]:
    raise ValueError(f"{len(feed)} inputs are too many")


def test_steps_are_run_by_the_names_of_their_tensors() -> None:
    """A model that stands twice is fed twice, and only what the pipeline promises is given."""
    run = wiring.composed(wiring.wire("p", DIAMOND, MODELS), {"double": double, "both": both})

    answer = run({"x": X})

    assert list(answer) == ["sum", "twice"]
    np.testing.assert_array_equal(answer["sum"], 5 * X)
    np.testing.assert_array_equal(answer["twice"], 2 * X)


def test_every_tensor_can_be_looked_at() -> None:
    """A trace holds what clients send, what steps give, and nothing that nobody reads."""
    found = wiring.traced(wiring.wire("p", DIAMOND, MODELS), {"double": double, "both": both}, {"x": X})

    assert set(found) == {"x", "twice", "four", "sum"}


def test_a_step_that_fails_is_named() -> None:
    """Whatever a step raises is told with its name, which says which of two steps of one model it was."""
    runners = {"double": lambda feed: double(feed) if feed["x"].max() < 3 else refuse(feed), "both": both}
    run = wiring.composed(wiring.wire("p", DIAMOND, MODELS), runners)

    with pytest.raises(SourceError) as caught:
        run({"x": X})

    assert caught.value.what == "step double#2: ValueError: 1 inputs are too many"
