"""A pipeline as an entry of a model: what it is fed, how near its answers must be."""

from dataclasses import replace
from typing import Any

import pytest

from builder import wiring
from builder.spec.project import (
    Axis,
    Backend,
    Batching,
    Input,
    Instances,
    Latency,
    Model,
    Output,
    Parity,
    Pipeline,
    Step,
    Tolerance,
)
from builder.wiring import as_model
from tests.unit.wiring.values import FP32, INT64

ENCODER = Model(
    source="nets:encoder",
    inputs={
        "ids": Input(dtype=INT64, shape=("rows", "seq"), range=(0, 99)),
        "mask": Input(dtype=INT64, shape=("rows", "seq"), range=(0, 1), values="samples"),
    },
    outputs={"vector": Output(dtype=FP32, shape=("rows", 8))},
    output_names=("vector",),
    dims={"rows": Axis(max=4), "seq": Axis(min=2, max=128)},
    batching=Batching(axis="rows", queue_delay_us=300, row_tolerance=0.25),
    samples="texts.npz",
)
LENGTHS = Model(
    source="nets:lengths",
    inputs={"ids": Input(dtype=INT64, shape=("batch", "length"), range=(5, 9))},
    outputs={"lengths": Output(dtype=INT64, shape=("batch", 1))},
    output_names=("lengths",),
    dims={"length": Axis(max=64)},
)
HEAD = Model(
    source="nets:head",
    inputs={"vector": Input(dtype=FP32, shape=("batch", 8))},
    outputs={
        "score": Output(dtype=FP32, shape=("batch", 1), parity=Tolerance(rtol=0.5)),
        "other": Output(dtype=FP32, shape=("batch", 1)),
    },
    output_names=("score", "other"),
    parity=Parity(atol=0.125, seed=7),
)
ENTRIES = {"encoder": ENCODER, "lengths": LENGTHS, "head": HEAD}
OUTPUTS = {name: Output() for name in ("score", "other", "lengths")}
SEARCH = Pipeline(
    inputs=("ids", "mask"),
    steps=(Step(model="encoder"), Step(model="lengths"), Step(model="head")),
    outputs=OUTPUTS,
)


def model(**changes: Any) -> Model:
    pipeline = Pipeline(
        **{"inputs": SEARCH.inputs, "steps": SEARCH.steps, "outputs": SEARCH.outputs, **changes}
    )
    known = {name: wiring.of_spec(one, Backend.ONNX) for name, one in ENTRIES.items()}
    assert wiring.mistakes(pipeline, known) == ()
    return as_model(wiring.wire("search", pipeline, known), ENTRIES, pipeline)


def test_inputs_have_the_values_that_all_readers_take() -> None:
    """The range of an input suits every step that reads it; how values are drawn is for the first to say."""
    inputs = model().inputs

    assert inputs["ids"] == Input(dtype=INT64, shape=("batch", "seq"), range=(5, 9))
    assert inputs["mask"].values == "samples"


def test_axes_have_the_sizes_that_all_steps_take() -> None:
    """An axis is as long as the shortest limit of the steps that read it, and the batch as large as the pipeline's."""
    assert model().dims == {"seq": Axis(min=2, max=64), "batch": Axis(max=4)}


def test_a_pipeline_that_does_not_batch_has_the_rows_that_all_steps_take() -> None:
    """Where a step does not batch, the batch axis is an axis like any other, with the sizes that the steps name."""
    alone = Model(
        source="nets:alone",
        inputs={"vector": Input(dtype=FP32, shape=("rows", 8))},
        outputs={"score": Output(dtype=FP32, shape=("rows", 1))},
        output_names=("score",),
        dims={"rows": Axis(max=3)},
        batching=Batching(axis="rows", enabled=False),
    )
    pipeline = Pipeline(
        inputs=("ids", "mask"),
        steps=(Step(model="encoder"), Step(model="alone")),
        outputs={"score": Output()},
    )
    entries = {"encoder": ENCODER, "alone": alone}
    known = {name: wiring.of_spec(one, Backend.ONNX) for name, one in entries.items()}
    wired = wiring.wire("search", pipeline, known)

    assert wired.max_batch_size == 0
    assert as_model(wired, entries, pipeline).dims["batch"] == Axis(max=3)


def test_batching_is_as_patient_and_as_tolerant_as_a_step() -> None:
    """A request may wait as long as at any step, and a row may change as much as any step lets it."""
    batching = model().batching

    assert (batching.axis, batching.enabled) == ("batch", "auto")
    assert (batching.queue_delay_us, batching.row_tolerance) == (300, 0.25)


SCORE = Tolerance(rtol=0.5, atol=0.125)
"""Its own rtol, and the atol of its model."""
OTHER = Tolerance(rtol=1e-3, atol=0.125)
"""The atol of its model, and the rtol of its dtype."""
EXACT = Tolerance(rtol=0.0, atol=0.0)


@pytest.mark.parametrize(
    ("changes", "score", "other", "lengths"),
    [
        pytest.param({}, SCORE, OTHER, EXACT, id="those of the steps"),
        pytest.param({"parity": Parity(rtol=2.0)}, None, None, None, id="the pipeline's own"),
        pytest.param(
            {"outputs": {**OUTPUTS, "score": Output(parity=Tolerance(top_k=1))}},
            Tolerance(top_k=1),
            OTHER,
            EXACT,
            id="that of one output",
        ),
    ],
)
def test_outputs_are_held_to_the_nearest_word(
    changes: dict[str, Any], score: Tolerance | None, other: Tolerance | None, lengths: Tolerance | None
) -> None:
    """An output is held to its own tolerance, else to the pipeline's, else to that of the step that gives it."""
    outputs = model(**changes).outputs

    assert [outputs[name].parity for name in ("score", "other", "lengths")] == [score, other, lengths]


def test_what_is_the_pipelines_own_is_kept() -> None:
    """Samples, budget and tolerances of the entry are those of the model."""
    one = model(samples="a:b", latency=Latency(p99_ms=5.0), parity=Parity(seed=3))

    assert (one.samples, one.latency, one.parity) == ("a:b", Latency(p99_ms=5.0), Parity(seed=3))


def test_a_part_of_a_pipeline_has_no_entry_of_its_own() -> None:
    """Without an entry nothing is asked but what the steps say."""
    known = {name: wiring.of_spec(one, Backend.ONNX) for name, one in ENTRIES.items()}

    one = as_model(wiring.wire("part", SEARCH, known), ENTRIES)

    assert (one.samples, one.latency, one.parity) == (None, None, Parity())
    assert one.outputs["score"].parity == SCORE


def test_a_model_of_which_nothing_is_said_has_no_range() -> None:
    """An input that a model of the repository reads first has a dtype and a shape."""
    known = {name: wiring.of_spec(one, Backend.ONNX) for name, one in ENTRIES.items()}
    entries = {name: one for name, one in ENTRIES.items() if name != "encoder"}

    one = as_model(wiring.wire("search", SEARCH, known), entries, SEARCH)

    assert one.inputs["mask"] == Input(dtype=INT64, shape=("batch", "seq"))


def test_a_part_keeps_the_settings_that_its_steps_share() -> None:
    """Instances are the most of any step's; parameters that two steps have otherwise are nobody's; labels stay."""
    known = {name: wiring.of_spec(one, Backend.ONNX) for name, one in ENTRIES.items()}
    first, *others = ENTRIES
    entries = {
        first: replace(ENTRIES[first], instances=Instances(count=3), parameters={"a": "1", "b": "1"}),
        **{name: replace(ENTRIES[name], parameters={"b": "2"}) for name in others},
    }

    part = as_model(wiring.wire("part", SEARCH, known), entries)

    assert part.instances.count == 3
    assert part.parameters == {"a": "1"}
