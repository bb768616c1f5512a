"""The sizes of the axes of a pipeline: those that all steps take."""

from dataclasses import replace

import pytest

from builder import wiring
from builder.spec.project import Axis, Output, Pipeline, Step
from builder.wiring import Known
from builder.wiring.sizes import sizes
from tests.unit.wiring.values import FP32, known


def reader(*limits: int, batch: int = 0) -> Known:
    """Return a model that reads `x`: rows of a fixed number, of up to a number, or a batch."""
    if batch:
        return known({"x": (FP32, ("batch", 4))}, {"sum": (FP32, ("batch", 1))}, batch=batch)
    if len(limits) == 1:
        return known({"x": (FP32, (*limits, 4))}, {"sum": (FP32, (*limits, 1))}, batch=0)
    ranged = known({"x": (FP32, ("n", 4))}, {"sum": (FP32, ("n", 1))}, batch=0)
    return replace(ranged, axes={"n": Axis(min=limits[0], max=limits[1])})


def of(*models: Known) -> tuple[Pipeline, dict[str, Known]]:
    """Return a pipeline whose steps all read `x`."""
    named = {f"m{n}": one for n, one in enumerate(models)}
    steps = tuple(Step(model=name, map={"sum": f"{name}_sum"}) for name in named)
    return Pipeline(inputs=("x",), steps=steps, outputs={f"{name}_sum": Output() for name in named}), named


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ((reader(1, 8), reader(1, 5)), [Axis(max=5)]),
        ((reader(1, 5), reader(3, 8)), [Axis(min=3, max=5)]),
        ((reader(1, 8), reader(3)), []),
        ((reader(batch=8), reader(batch=2)), [Axis(max=2)]),
        ((reader(batch=8), reader(1, 3)), [Axis(max=3)]),
    ],
    ids=["one in the other", "overlapping", "a single size", "batches", "a batch and rows"],
)
def test_an_axis_has_the_sizes_that_all_readers_take(models: tuple[Known, ...], expected: list[Axis]) -> None:
    """What clients send suits every step that reads it, in whatever order the steps stand."""
    for order in (models, models[::-1]):
        pipeline, named = of(*order)

        assert wiring.mistakes(pipeline, named) == ()
        assert list(sizes(wiring.wire("p", pipeline, named), named).values()) == expected


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ((reader(1, 8), reader(3), reader(batch=2)), "m2 takes 1 to 2 as axis 0 of `x`, and others 3"),
        ((reader(1, 8), reader(5, 8), reader(1, 3)), "m2 takes 1 to 3 as axis 0 of `x`, and others 5 to 8"),
    ],
    ids=["a single size and a batch", "ranges"],
)
def test_sizes_that_only_the_first_two_readers_take_are_refused(models: tuple[Known, ...], said: str) -> None:
    """Steps of which each suits the first, and which do not suit each other, are a mistake of the last."""
    pipeline, named = of(*models)

    (found,) = wiring.mistakes(pipeline, named)

    assert found.path == ("steps", 2, "map", "x")
    assert found.message == f"{said}: no size suits them all"
