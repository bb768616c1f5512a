"""Which steps are merged, and the pipeline that is left."""

from typing import Any

import pytest

from builder.export.fused import fused_wiring, groups
from builder.spec.pipeline import Wired, WiredStep
from tests.unit.export.fused.zoo import pipeline, row, step, tensor


def wired(*steps: WiredStep, inputs: str = "x", outputs: str = "y") -> Wired:
    return pipeline(inputs, steps, outputs)


def graph(name: str, takes: str, makes: str, **options: Any) -> WiredStep:
    return row(name, takes, makes, **options)


def python(name: str, takes: str, makes: str) -> WiredStep:
    return row(name, takes, makes, backend="python")


def torch(name: str, takes: str, makes: str) -> WiredStep:
    return row(name, takes, makes, backend="pytorch")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([graph("A", "x", "a"), graph("B", "a", "y")], ["AB"], id="a chain"),
        pytest.param([graph("A", "x", "y")], [], id="a single step"),
        pytest.param(
            [graph("A", "x", "a"), python("P", "a", "p"), graph("B", "p", "y")],
            [],
            id="a function between",
        ),
        pytest.param(
            [graph("A", "x", "a"), python("P", "x", "p"), graph("B", "a", "b"), graph("C", "b p", "y")],
            ["ABC"],
            id="a function beside",
        ),
        pytest.param(
            [graph("A", "x", "a"), python("P", "a", "p"), graph("B", "a", "b"), graph("C", "b p", "y")],
            ["AB"],
            id="a way out and back in",
        ),
        pytest.param(
            [graph("A", "x", "a"), torch("T", "x", "t"), graph("B", "a t", "y")],
            ["AB"],
            id="another backend that can go first",
        ),
        pytest.param(
            [graph("A", "x", "a"), torch("T", "a", "t"), torch("U", "t", "u"), graph("B", "u", "y")],
            ["TU"],
            id="each backend its own",
        ),
        pytest.param(
            [graph("A", "x", "a", batch=8), graph("B", "a", "b", batch=4), graph("C", "b", "y", batch=0)],
            ["AB"],
            id="batching or not",
        ),
        pytest.param(
            [graph("A", "x", "a"), python("P", "a", "p"), graph("B", "p", "b"), graph("C", "b", "y")],
            ["BC"],
            id="after the function",
        ),
        pytest.param(
            [
                graph("A", "x", "a"),
                python("P", "a", "p"),
                python("Q", "x", "q"),
                graph("B", "q", "b"),
                graph("C", "p b", "y"),
            ],
            ["AB"],
            id="two functions",
        ),
    ],
)
def test_neighbours_are_merged(steps, expected) -> None:
    """Graphs of one backend are together where some order of the pipeline has them in one go."""
    assert ["".join(one.name for one in group) for group in groups(wired(*steps))] == expected


def test_a_tensor_of_another_rank_parts_two_graphs() -> None:
    """A server gives [batch, 1] what a model has as [batch]; in one file it would be [batch] for both."""
    first = step("A", [tensor("x", "batch", 4)], [tensor("a", "batch")])
    second = step("B", [tensor("a", "batch", 1)], [tensor("y", "batch", 1)])

    assert groups(wired(first, second)) == ()


def test_a_group_becomes_one_step() -> None:
    """It reads what comes from outside and gives what is read outside or by clients, under the pipeline's names."""
    steps = [
        python("P", "x", "p"),
        graph("A", "q", "r s", reads={"q": "p"}, gives={"r": "a", "s": "b"}, batch=4),
        graph("B", "a x", "y"),
        python("Q", "b y", "z"),
    ]
    before = wired(*steps, outputs="y z")

    after = fused_wiring(before, groups(before), ["whole_fused"])

    assert [one.name for one in after.steps] == ["P", "whole_fused", "Q"]
    fused = after.steps[1]
    assert (fused.model, fused.backend, fused.max_batch_size) == ("whole_fused", "onnxruntime", 4)
    assert fused.inputs == {"p": "p", "x": "x"}
    assert fused.outputs == {"b": "b", "y": "y"}
    assert [str(one) for one in fused.signature.outputs] == ["b fp32[batch, 4]", "y fp32[batch, 4]"]
    assert set(after.tensors) == {"x", "p", "b", "y", "z"}
    assert after.signature == before.signature


def test_the_steps_that_are_left_can_run_in_order() -> None:
    """A function that a later step of a group needs comes before the group, wherever it stood."""
    steps = [graph("A", "x", "a"), python("P", "x", "p"), graph("B", "a p", "b"), python("Q", "a", "q")]
    before = wired(*steps, outputs="b q")

    after = fused_wiring(before, groups(before), ["fused"])

    assert [one.name for one in after.steps] == ["P", "fused", "Q"]


def test_a_pipeline_without_groups_stays_as_it_is() -> None:
    """Nothing to merge, nothing changed."""
    before = wired(python("P", "x", "y"))

    assert fused_wiring(before, groups(before), []) == before
