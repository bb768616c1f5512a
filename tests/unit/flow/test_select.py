"""Which models a command is about."""

import pytest

from builder.errors import UsageError
from builder.flow.perf import axis_sizes
from builder.flow.select import select
from builder.spec.dtypes import DType
from builder.spec.project import Backend, Input, Model, Project


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


@pytest.mark.parametrize("word", ["seq", "seq=", "=3", "seq=x", "seq=0", "seq=-1"])
def test_a_size_is_an_axis_and_a_number(word: str) -> None:
    """Anything but `axis=size` is refused."""
    with pytest.raises(UsageError):
        axis_sizes([word])


def test_sizes_are_read() -> None:
    """`seq=32` is the size 32 of the axis seq."""
    assert axis_sizes(["seq=32", "time=7"]) == {"seq": 32, "time": 7}
