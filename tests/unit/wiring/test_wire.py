"""Good pipelines of every shape: each tensor has its dtype and shape, and the whole its largest batch."""

import pytest

from builder import wiring
from builder.spec.dtypes import DType
from builder.spec.project import Output, Pipeline, Step
from builder.spec.tensors import Dim
from builder.wiring import Known
from tests.unit.wiring.good_pipelines import (
    CHAIN,
    DIAMOND,
    FAN_OUT,
    LEFT_OUT,
    MODELS,
    ONE_TWICE,
    SIDE_OUTPUT,
    WITHOUT_BATCH,
    pipeline,
)
from tests.unit.wiring.values import FP32, INT64, STRING, known


def shapes(one: Pipeline, models: dict[str, Known] | None = None) -> dict[str, tuple[Dim, ...]]:
    models = models or MODELS
    assert wiring.mistakes(one, models) == ()
    return {name: tensor.shape for name, tensor in wiring.wire("p", one, models).tensors.items()}


@pytest.mark.parametrize(
    ("one", "expected", "largest"),
    [
        pytest.param(
            CHAIN,
            {
                "text": ("batch", 1),
                "ids": ("batch", "length"),
                "vector": ("batch", 8),
                "score": ("batch", 1),
            },
            4,
            id="chain",
        ),
        pytest.param(
            FAN_OUT,
            {"v": ("batch", 8), "a": ("batch", 8), "b": ("batch", 8), "c": ("batch", 8)},
            2,
            id="fan out and in",
        ),
        pytest.param(
            DIAMOND,
            dict.fromkeys(("vector", "scaled", "left", "right", "c"), ("batch", 8)),
            2,
            id="diamond",
        ),
        pytest.param(ONE_TWICE, dict.fromkeys(("vector", "c"), ("batch", 8)), 2, id="one tensor read twice"),
        pytest.param(
            WITHOUT_BATCH,
            {
                "text": ("batch", 1),
                "ids": ("batch", "length"),
                "vector": ("batch", 8),
                "score": ("batch", 1),
            },
            0,
            id="a step that does not batch",
        ),
    ],
)
def test_every_tensor_is_known(one: Pipeline, expected: dict[str, tuple[Dim, ...]], largest: int) -> None:
    """The batch axis has one name, and the largest batch is the smallest of the steps'."""
    wired = wiring.wire("p", one, MODELS)

    assert shapes(one) == expected
    assert wired.max_batch_size == largest
    assert wired.inputs == one.inputs
    assert wired.outputs == tuple(one.outputs)


def test_an_output_may_be_read_too() -> None:
    """A tensor that a step reads is an output as well where the pipeline names it."""
    wired = wiring.wire("p", SIDE_OUTPUT, MODELS)

    assert wiring.mistakes(SIDE_OUTPUT, MODELS) == ()
    assert [tensor.name for tensor in wired.signature.outputs] == ["vector", "score"]


def test_steps_of_one_model_have_names_of_their_own() -> None:
    """The second step of a model has `#2` behind its name."""
    wired = wiring.wire("p", DIAMOND, MODELS)

    assert [step.name for step in wired.steps] == ["scale", "scale#2", "scale#3", "join"]
    assert [step.model for step in wired.steps] == ["scale", "scale", "scale", "join"]


def test_an_input_and_an_output_of_one_name_are_told_apart() -> None:
    """`map` names the input, `outputs` the output."""
    first, second, _, join = wiring.wire("p", DIAMOND, MODELS).steps

    assert (first.inputs, first.outputs) == ({"vector": "vector"}, {"vector": "scaled"})
    assert (second.inputs, second.outputs) == ({"vector": "scaled"}, {"vector": "left"})
    assert (join.inputs, join.outputs) == ({"a": "left", "b": "right"}, {"c": "c"})


def test_what_nobody_reads_is_left_out() -> None:
    """An output that nobody named and nobody reads is not a tensor of the pipeline."""
    wired = wiring.wire("p", LEFT_OUT, MODELS)

    assert wiring.mistakes(LEFT_OUT, MODELS) == ()
    assert wired.steps[0].outputs == {"a": "a"}
    assert list(wired.tensors) == ["v", "a", "score"]


def test_backends_may_differ() -> None:
    """Each step keeps the backend of its model."""
    wired = wiring.wire("p", CHAIN, MODELS)

    assert [step.backend for step in wired.steps] == ["python", "onnxruntime", "onnxruntime"]
    assert [step.is_graph for step in wired.steps] == [False, True, True]


CUT = known({"ids": (INT64, ("batch", "length"))}, {"ids": (INT64, ("batch", "part"))}, backend="python")


def test_an_axis_that_a_step_hands_on_keeps_its_name() -> None:
    """An output with an axis of the input has the pipeline's axis, whatever the step calls it."""
    handed = known({"ids": (INT64, ("batch", "seq"))}, {"states": (FP32, ("batch", "seq", 8))})

    found = shapes(pipeline("text", "states", "tokens", "handed"), {**MODELS, "handed": handed})

    assert found["states"] == ("batch", "length", 8)


def test_axes_that_two_steps_make_are_two() -> None:
    """An axis that a step makes itself has a name of its own where another step's has the same."""
    one = pipeline(
        "ids",
        "first second",
        Step(model="cut", outputs={"ids": "first"}),
        Step(model="cut", outputs={"ids": "second"}),
    )

    assert shapes(one, {"cut": CUT}) == {
        "ids": ("batch", "length"),
        "first": ("batch", "part"),
        "second": ("batch", "cut_2_part"),
    }


def test_axes_that_one_step_takes_as_one_are_one() -> None:
    """Inputs of two steps whose axes a third takes as one axis have one axis."""
    left = known({"x": (FP32, ("batch", "n"))}, {"a": (FP32, ("batch", "n"))})
    right = known({"y": (FP32, ("batch", "m"))}, {"b": (FP32, ("batch", "m"))})
    both = known({"a": (FP32, ("batch", "k")), "b": (FP32, ("batch", "k"))}, {"c": (FP32, ("batch", "k"))})
    models = {"left": left, "right": right, "both": both}

    found = shapes(pipeline("x y", "c", "left", "right", "both"), models)

    assert set(found.values()) == {("batch", found["x"][1])}


@pytest.mark.parametrize("order", [("any", "four"), ("four", "any")])
def test_clients_send_the_one_size_that_a_step_takes(order: tuple[str, str]) -> None:
    """Of two steps that read an input, one at any size and one at a single size, the order does not matter."""
    models = {
        "any": known({"x": (FP32, ("batch", "n"))}, {"a": (FP32, ("batch", "n"))}),
        "four": known({"x": (FP32, ("batch", 4))}, {"b": (FP32, ("batch", 4))}),
    }

    found = shapes(pipeline("x", "a b", *order), models)

    assert found == dict.fromkeys(("x", "a", "b"), ("batch", 4))


def test_a_pipeline_may_be_a_step() -> None:
    """A pipeline is a model like any other: its inputs and outputs, its largest batch, and the sizes of its axes."""
    inner = pipeline("ids", "score", "encoder", "head")
    sized = known(
        {"ids": (INT64, ("rows", "seq"))},
        {"vector": (FP32, ("rows", 8))},
        batch=4,
        batch_axis="rows",
        seq=128,
    )
    models = {**MODELS, "encoder": sized}

    found = wiring.as_step(inner, models)

    assert (found.backend, found.max_batch_size, found.batch_axis) == ("ensemble", 4, "batch")
    assert [(name, face.dtype, face.shape) for name, face in found.inputs.items()] == [
        ("ids", DType.INT64, ("batch", "seq"))
    ]
    assert found.axes["seq"].max == 128
    outer = pipeline("text", "score", "tokens", "inner")
    assert shapes(outer, {**models, "inner": found})["score"] == ("batch", 1)


def test_a_pipeline_with_mistakes_is_a_step_of_which_the_names_are_known() -> None:
    """Who is made of a pipeline that is wrong hears nothing of what follows from that."""
    inner = pipeline("ids", "scores", "encoder", "head")

    found = wiring.as_step(inner, MODELS)

    assert wiring.mistakes(inner, MODELS) != ()
    assert list(found.outputs) == ["scores"]
    assert wiring.mistakes(pipeline("text", "scores", "tokens", "inner"), {**MODELS, "inner": found}) == ()


UNDECLARED = known({"ids": (INT64, ("batch", "length"))}, {}, is_whole=False, batch=None)


def test_outputs_that_are_not_declared_are_taken_at_their_word() -> None:
    """A model whose outputs are found when it runs may give anything, until it is built."""
    one = pipeline("text", "score", "tokens", "net", Step(model="head", map={"vector": "features"}))

    assert wiring.mistakes(one, {**MODELS, "net": UNDECLARED}) == ()


def test_outputs_that_were_not_declared_are_known_once_they_are_built() -> None:
    """What a model turns out to give is compared with what the next step reads."""
    one = pipeline("text", "score", "tokens", "net", Step(model="head", map={"vector": "features"}))
    built = known({"ids": (INT64, ("batch", "length"))}, {"output": (FP32, ("batch", 8))})

    (found,) = wiring.mistakes(one, {**MODELS, "net": built})

    assert found.message.endswith("did you mean `map: {vector: output}`?")


def test_a_model_that_nobody_knows_hides_only_what_it_may_give() -> None:
    """Beside a step whose model is not there, mistakes of the steps before it are told."""
    one = pipeline("text", "score", Step(model="tokens", map={"txt": "text"}), "nobody", "head")

    (found,) = wiring.mistakes(one, MODELS)

    assert found.path == ("steps", 0, "map", "txt")


def test_an_axis_that_clients_send_is_not_one_that_a_step_has_made() -> None:
    """Whichever is named first, two axes of one name that nothing joins stay two."""
    words = known({"text": (STRING, ("batch",))}, {"ids": (INT64, ("batch", "seq"))}, seq=16)
    sound = known({"wave": (FP32, ("batch", "seq"))}, {"level": (FP32, ("batch",))}, seq=200)
    models = {"words": words, "sound": sound}

    for order in (("words", "sound"), ("sound", "words")):
        found = shapes(
            Pipeline(
                inputs=("text", "wave"),
                steps=tuple(Step(model=name) for name in order),
                outputs={"ids": Output(), "level": Output()},
            ),
            models,
        )
        assert found["ids"][1] != found["wave"][1]
