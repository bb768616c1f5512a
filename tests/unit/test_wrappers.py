"""Modules that make a model fit for Triton."""

import inspect

import pytest
import torch
from torch import nn

from builder.wrappers import BatchFirst


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2)

    def forward(self, x, h0, c0):
        y, states = self.lstm(x, (h0, c0))
        return {"y": y, "states": states}


def test_states_go_in_and_come_out_batch_first() -> None:
    """The wrapper answers as the module does, with every tensor's batch axis in front."""
    own = Tagger().eval()
    wrapped = BatchFirst(own, inputs={"x": 1, "h0": 1, "c0": 1}, outputs={0: 1, 1: 1, 2: 1})
    x, h0, c0 = torch.randn(7, 5, 3), torch.randn(2, 5, 4), torch.randn(2, 5, 4)
    want = own(x, h0, c0)
    got = wrapped(x.transpose(0, 1), c0=c0.transpose(0, 1), h0=h0.transpose(0, 1))

    assert torch.equal(got["y"], want["y"].transpose(0, 1))
    assert torch.equal(got["states"][1], want["states"][1].transpose(0, 1))
    assert got["states"][0].shape == (5, 2, 4)


def test_the_argument_names_are_the_modules_own() -> None:
    """Inputs of trb.yaml bind to the wrapper by the names they had, in each wrapper apart."""
    first = BatchFirst(Tagger(), inputs={"h0": 1}, outputs={})
    BatchFirst(nn.Linear(2, 2), inputs={"input": 1}, outputs={})

    assert list(inspect.signature(first.forward).parameters) == ["x", "h0", "c0"]


def test_an_argument_that_forward_lacks_is_named() -> None:
    """A misspelt input is an error when the wrapper is made."""
    with pytest.raises(ValueError, match=r"Tagger\.forward has no argument h_0; it has x, h0, c0"):
        BatchFirst(Tagger(), inputs={"h_0": 1}, outputs={})
