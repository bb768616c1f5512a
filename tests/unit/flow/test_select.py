"""Which models a command is about."""

from dataclasses import replace

import pytest

from builder.errors import UsageError
from builder.flow.perf import axis_sizes
from builder.flow.select import select, with_steps
from builder.spec.dtypes import DType
from builder.spec.project import Backend, Input, Model, Output, Pipeline, Project, Step


def project() -> Project:
    inputs = {"x": Input(dtype=DType.FP32, shape=("batch", 4))}
    both = Model(source="m:f", inputs=inputs, backend=(Backend.ONNX, Backend.TORCHSCRIPT))
    return Project(models={"digits": both, "words": Model(source="m:g", inputs=inputs)})


def test_no_name_means_all() -> None:
    """Without a name, every model is chosen, in the order of the spec."""
    assert list(select(project(), ()).models) == ["digits", "words"]


def test_a_name_of_the_repository_chooses_its_model() -> None:
    """`digits_onnx` stands for `digits`."""
    assert list(select(project(), ["digits_onnx"]).models) == ["digits"]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A misspelt name is a usage error that names the right one."""
    with pytest.raises(UsageError) as caught:
        select(project(), ["digit"])

    assert caught.value.exit_code == 2
    assert "did you mean `digits`?" in caught.value.fix


def pipelines() -> Project:
    steps = {
        "outer": ("inner", "words"),
        "inner": ("innermost", "digits_onnx"),
        "innermost": ("theirs",),
        "other": ("digits_torchscript",),
    }
    made = {
        name: Pipeline(
            inputs=("x",), steps=tuple(Step(model=model) for model in models), outputs={"y": Output()}
        )
        for name, models in steps.items()
    }
    return replace(project(), pipelines=made)


def test_a_pipeline_brings_what_it_is_made_of() -> None:
    """The models and pipelines that are steps of a chosen one, at any depth, come along; each before what needs it."""
    chosen = with_steps(pipelines(), select(pipelines(), ["outer"]))

    assert list(chosen.pipelines) == ["innermost", "inner", "outer"]
    assert list(chosen.models) == ["digits", "words"]


def test_a_pipeline_brings_nothing_else() -> None:
    """A model with two backends comes along for one of them, and another pipeline's steps do not."""
    chosen = with_steps(pipelines(), select(pipelines(), ["other"]))

    assert list(chosen.pipelines) == ["other"]
    assert list(chosen.models) == ["digits"]


def test_a_model_brings_no_pipeline() -> None:
    """Who chooses a model chooses nothing that is made of it."""
    chosen = with_steps(pipelines(), select(pipelines(), ["digits"]))

    assert (list(chosen.models), list(chosen.pipelines)) == (["digits"], [])


def test_all_pipelines_stand_behind_their_steps() -> None:
    """Without a name everything is chosen, each pipeline once."""
    chosen = with_steps(pipelines(), select(pipelines(), ()))

    assert list(chosen.pipelines) == ["innermost", "inner", "outer", "other"]
    assert list(chosen.models) == ["digits", "words"]


@pytest.mark.parametrize("word", ["seq", "seq=", "=3", "seq=x", "seq=0", "seq=-1"])
def test_a_size_is_an_axis_and_a_number(word: str) -> None:
    """Anything but `axis=size` is refused."""
    with pytest.raises(UsageError):
        axis_sizes([word])


def test_sizes_are_read() -> None:
    """`seq=32` is the size 32 of the axis seq."""
    assert axis_sizes(["seq=32", "time=7"]) == {"seq": 32, "time": 7}
