"""The rules of ensembles on configs alone; what the server says of them is in tests/lint/cases/ensemble."""

from random import Random
from typing import Any

import pytest

from builder.rules import core, ensembles
from builder.rules.ensembles import Part
from tests.lint.pipelines import MODELS, pipeline, tensor

ENCODER = Part(
    config={
        "name": "encoder",
        "max_batch_size": 4,
        "input": [tensor("x", "FP32", [4])],
        "output": [tensor("y", "FP32", [4])],
    },
    versions=(1,),
)


def step(model: str = "encoder", *, reads: dict[str, str], writes: dict[str, str]) -> dict[str, Any]:
    return {"model_name": model, "model_version": "-1", "input_map": reads, "output_map": writes}


def made_of(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "name": "e",
        "platform": "ensemble",
        "max_batch_size": 4,
        "input": [tensor("X", "FP32", [4])],
        "output": [tensor("Y", "FP32", [4])],
        "ensemble_scheduling": {"step": list(steps)},
    } | changes


RIGHT = made_of(step(reads={"x": "X"}, writes={"y": "Y"}))


def test_a_model_that_is_no_ensemble_is_none_of_its_business() -> None:
    """A config without scheduling and without the platform has nothing to be said of."""
    assert list(ensembles.check(dict(ENCODER.config))) == []


def test_an_ensemble_that_is_right_is_right() -> None:
    """Nothing is said of an ensemble whose every name, type and shape fits."""
    assert list(ensembles.check(RIGHT)) == []
    assert ensembles.against(RIGHT, {"encoder": ENCODER}) == []


def test_what_a_backend_may_still_complete_is_not_judged() -> None:
    """A model whose config lists no tensors has none that could be wrong."""
    unknown = Part(config={"name": "encoder", "backend": "python"}, versions=(1,))
    config = made_of(step(reads={"anything": "X"}, writes={"whatever": "Y"}))

    assert ensembles.against(config, {"encoder": unknown}) == []


def test_two_names_that_are_wrong_each_have_their_own_hint() -> None:
    """A wrong name is taken for the one most like it among those that are left over."""
    config = made_of(
        step(reads={"x": "imgae"}, writes={"y": "Y"}),
        step(reads={"x": "maks"}, writes={"y": "Z"}),
        input=[tensor("mask", "FP32", [4]), tensor("image", "FP32", [4])],
        output=[tensor("Y", "FP32", [4]), tensor("Z", "FP32", [4])],
    )

    assert [(one.code, one.fix.partition(",")[0]) for one in ensembles.check(config)] == [
        ("E105", "nobody reads 'image'"),
        ("E105", "nobody reads 'mask'"),
    ]


@pytest.mark.parametrize(
    ("second", "right"), [("FP32", "data_type: TYPE_FP32"), ("INT64", None)], ids=["agree", "differ"]
)
def test_there_is_one_right_type_only_where_all_models_agree(second: str, right: str | None) -> None:
    """A type that one model wants and another does not is no fix."""
    other = Part(
        config={
            "name": "o",
            "max_batch_size": 4,
            "input": [tensor("x", second, [4])],
            "output": [tensor("y", "FP32", [4])],
        },
        versions=(1,),
    )
    config = made_of(
        step(reads={"x": "X"}, writes={"y": "Y"}),
        step("other", reads={"x": "X"}, writes={"y": "Z"}),
        input=[tensor("X", "FP16", [4])],
        output=[tensor("Y", "FP32", [4]), tensor("Z", "FP32", [4])],
    )

    (refusal,) = ensembles.against(config, {"encoder": ENCODER, "other": other})

    assert (refusal.code, refusal.right) == ("E116", right)


def test_a_step_on_two_circles_is_told_of_the_shortest() -> None:
    """The way that is told leads from the ensemble back to itself."""
    circles = ensembles.in_circles(
        {
            "a": made_of(
                step("b", reads={"X": "X"}, writes={"Y": "Y"}), step("c", reads={"X": "X"}, writes={"Y": "Z"})
            ),
            "b": made_of(step("c", reads={"X": "X"}, writes={"Y": "Y"})),
            "c": made_of(step("a", reads={"X": "X"}, writes={"Y": "Y"})),
        }
    )

    assert circles["a"].message == "circular dependency between ensembles: a -> c -> a"
    assert circles["b"].message == "circular dependency between ensembles: b -> c -> a -> b"


def test_no_wiring_breaks_the_rules() -> None:
    """Whatever is mapped to what, the rules come to an end, and every refusal has a code, a place and words."""
    parts = {
        name: Part(config={**model.config, "name": name}, versions=model.versions)
        for name, model in MODELS.items()
    }
    for seed in range(500):
        config = {**pipeline(Random(seed)), "name": "e"}
        for refusal in (
            *core.polled(config, folder="e"),
            *core.loaded(config),
            *ensembles.against(config, parts),
        ):
            assert refusal.code
            assert refusal.place
            assert refusal.message
