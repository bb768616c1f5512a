import pytest

from builder.errors import SourceError
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Output

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def forward(self, x):
        return {body}

def load():
    return Net()
"""
SEQ = {
    "inputs": {"x": Input(dtype=DType.FP32, shape=("batch", "seq", 2))},
    "dims": {"batch": Axis(max=5), "seq": Axis(min=2, max=30)},
}


def outputs(project, body: str, **spec) -> list[str]:
    return [str(tensor) for tensor in project(NET.format(body=body), **{**SEQ, **spec}).signature.outputs]


@pytest.mark.parametrize(
    ("body", "want"),
    [
        ("x * 2", "output fp32[batch, seq, 2]"),
        ("x.sum(1)", "output fp32[batch, 2]"),
        ("x.sum((1, 2))", "output fp32[batch]"),
        ("torch.cat([x, x], 1)", "output fp32[batch, output_dim1, 2]"),
        ("x.transpose(0, 1)", "output fp32[seq, batch, 2]"),
        ("x.flatten()[:1]", "output fp32[1]"),
        ("x.argmax(2)", "output int64[batch, seq]"),
        ("x.to(torch.bfloat16)", "output bf16[batch, seq, 2]"),
    ],
)
def test_axes_are_found_by_running(project, body, want) -> None:
    """An output's axis has the name of the input axis it follows, a number if it never changes, or its own name."""
    assert outputs(project, body) == [want]


def test_an_output_that_changes_its_rank_is_refused(project) -> None:
    """Triton needs one number of axes."""
    with pytest.raises(SourceError, match="number of axes"):
        outputs(project, "x if x.shape[0] == 1 else x.sum(2)")


def test_a_promise_of_no_output_says_what_there_is(project) -> None:
    """The names that the model has stand there, and both ways to make them meet."""
    with pytest.raises(SourceError, match=r"no output `score`; it has: output fp32\[batch, 2\]") as caught:
        outputs(project, "x.sum(1)", outputs={"score": Output()})

    assert caught.value.fix.startswith("write the names that it has, or give it others")


def test_a_promise_of_another_shape_says_both_and_what_to_do(project) -> None:
    """The name stands once, and the next step beside it."""
    with pytest.raises(SourceError) as caught:
        outputs(project, "x.sum(1)", outputs={"output": Output(shape=("batch", 3))})

    assert caught.value.what == "outputs: `output` is fp32[batch, 2], not [batch, 3]"
    assert caught.value.fix == "write in trb.yaml what the model gives, or correct the module"


def test_promises_that_hold_pass(project) -> None:
    """Declared outputs that are true change nothing."""
    promise = {"output": Output(dtype=DType.FP32, shape=("batch", 2))}

    assert outputs(project, "x.sum(1)", outputs=promise) == ["output fp32[batch, 2]"]


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("scores", Output()),
        ("output", Output(dtype=DType.FP16)),
        ("output", Output(shape=("batch", 3))),
        ("output", Output(shape=("batch", "seq"))),
    ],
)
def test_a_promise_that_fails_says_what_the_model_gives(project, name, promise) -> None:
    """A wrong name, dtype or shape is met with the outputs there are."""
    with pytest.raises(SourceError, match=r"output.*fp32"):
        outputs(project, "x.sum(1)", outputs={name: promise})


def test_a_complex_output_is_refused_with_the_way_out(project) -> None:
    """Triton has no complex type, and the fix says what to return."""
    with pytest.raises(SourceError, match="complex64") as caught:
        outputs(project, "torch.complex(x, x)")

    assert "view_as_real" in caught.value.fix


def test_none_among_the_outputs_is_noted(project) -> None:
    """What is left out is in the notes of the model."""
    assert any("None" in note for note in project(NET.format(body="(x, None)"), **SEQ).notes)
