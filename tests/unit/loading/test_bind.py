import pytest
import torch
from torch import nn

from builder.errors import SourceError
from builder.loading.bind import bind, flat
from builder.spec.dtypes import DType
from builder.spec.tensors import Signature, Tensor


class Three(nn.Module):
    def forward(self, first, second, third=None):
        return {"difference": first - second, "third": third}


def named(*names: str) -> tuple[Tensor, ...]:
    return tuple(Tensor(name=name, dtype=DType.FP32, shape=("batch", 2)) for name in names)


def test_argument_names_bind_by_name_in_the_order_of_the_call() -> None:
    """The order of trb.yaml does not matter when its names are the arguments'."""
    how, inputs = bind(Three(), named("second", "first"))

    assert how == "name"
    assert [tensor.name for tensor in inputs] == ["first", "second"]


def test_other_names_bind_in_order() -> None:
    """Names of which none is an argument stand for the arguments in order."""
    how, inputs = bind(Three(), named("b", "a"))

    assert how == "position"
    assert [tensor.name for tensor in inputs] == ["b", "a"]


def test_a_mixture_names_the_argument_that_was_meant() -> None:
    """One name right and one wrong is a mistake, not an order."""
    with pytest.raises(SourceError, match="no argument `secnd`") as caught:
        bind(Three(), named("first", "secnd"))

    assert "`second`" in caught.value.fix


@pytest.mark.parametrize("names", [("first",), ("x",)])
def test_a_required_argument_that_gets_nothing_is_named(names) -> None:
    """By name or by order, every argument without a default must be fed."""
    with pytest.raises(SourceError, match="`second`"):
        bind(Three(), named(*names))


def test_more_inputs_than_arguments_are_refused() -> None:
    """The numbers on both sides stand in the message."""
    with pytest.raises(SourceError, match="4 inputs"):
        bind(Three(), named("a", "b", "c", "d"))


def test_the_wrapper_takes_signature_order_and_gives_a_flat_tuple() -> None:
    """What exporters get feeds the right arguments and hides dicts and None."""
    how, inputs = bind(Three(), named("second", "first"))
    module = flat(Three(), Signature(inputs=inputs, outputs=()), how)
    out = module(torch.full((1, 2), 5.0), torch.full((1, 2), 3.0))

    assert isinstance(out, tuple)
    assert [tensor.tolist() for tensor in out] == [[[2.0, 2.0]]]


def test_defaulted_arguments_between_the_inputs_are_skipped() -> None:
    """An input may name the third argument and leave the second to its default."""

    class Gap(nn.Module):
        def forward(self, a, b=None, c=None):
            return a + (0 if b is None else b) + (0 if c is None else c)

    how, inputs = bind(Gap(), named("a", "c"))
    module = flat(Gap(), Signature(inputs=inputs, outputs=()), how)

    assert module(torch.ones(1, 2), torch.ones(1, 2))[0].tolist() == [[2.0, 2.0]]
