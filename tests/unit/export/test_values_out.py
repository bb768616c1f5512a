"""Values that leave the tensors, seen in an eager run."""

import pytest
import torch
from torch import nn

from builder.export.values_out import value_leaves
from tests.unit.export.zoo import STEPS, cnn, given, loaded

LINE = {"x": given("fp32", "batch", "time", within=(1, 5))}
WEIGHT = torch.ones(1)


def model(forward):
    """Load a module whose forward is `forward`."""

    class Calls(nn.Module):
        def forward(self, x):
            return forward(x)

    return loaded(Calls(), LINE, dims=STEPS)


@pytest.mark.parametrize(
    "leaves",
    [
        lambda x: x * x.sum().item(),
        lambda x: x * x.flatten().tolist()[0],
        lambda x: x * float(x.numpy().max()),
        lambda x: x * torch.equal(x, x + 1),
        lambda x: x * len(f"{x[0, 0]:.0f}"),
        lambda x: x * (3.0 in x),
        lambda x: x * torch.zeros(2).copy_(x[0, :1]).tolist()[0],
    ],
)
def test_a_value_that_leaves_is_named_by_its_line(leaves) -> None:
    """Whatever takes a value of the input out of torch gives the line of the user's own code."""
    assert "test_values_out.py:" in value_leaves(model(leaves))


@pytest.mark.parametrize(
    "stays",
    [
        lambda x: x * x.shape[1],
        lambda x: x * float(WEIGHT),
        lambda x: x * bool(torch.tensor(x.shape[0]) > 2),
        lambda x: torch.where(x > 3, x, -x),
    ],
)
def test_sizes_weights_and_tensors_are_no_values_that_leave(stays) -> None:
    """A size, a weight or a mask may become what it likes: no input decides by it."""
    assert value_leaves(model(stays)) == ""


def test_a_plain_model_keeps_its_values() -> None:
    """Nothing leaves the tensors of a CNN."""
    assert value_leaves(cnn()) == ""
