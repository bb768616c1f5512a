"""When a compiled module answers like the eager one."""

import torch
from torch import nn

from builder.export.agreement import disagreement
from tests.unit.export.zoo import ROWS, given, loaded


class Selects(nn.Module):
    """Answers with nothing unless an element is above a bound."""

    def __init__(self, bound: float) -> None:
        super().__init__()
        self.bound = bound

    def forward(self, x):
        return x.flatten()[x.flatten() > self.bound]


class SelectsDoubles(Selects):
    def forward(self, x):
        return super().forward(x).double()


INPUTS = {"x": given("fp32", "batch", 2, within=(0, 1))}


def told(own: nn.Module, other: nn.Module) -> str:
    traced = torch.jit.trace(other, (torch.rand(3, 2),))
    return disagreement(loaded(own, INPUTS, dims=ROWS), traced, every_size=False)


def test_no_elements_on_either_side_are_no_difference() -> None:
    """A model that answers with an empty tensor agrees with one that does too."""
    assert told(Selects(2.0), Selects(2.0)) == ""


def test_no_elements_of_another_dtype_are_a_difference() -> None:
    """An empty tensor of float64 is not the answer of a model that gives float32."""
    assert "float64" in told(Selects(2.0), SelectsDoubles(2.0))


def test_no_elements_on_one_side_are_a_difference() -> None:
    """An empty answer is not the answer of a model that gives elements."""
    assert "shape" in told(Selects(0.0), Selects(2.0))
