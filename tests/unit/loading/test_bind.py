from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from torch import nn

from builder.errors import SourceError
from builder.loading.bind import bind, flat
from builder.loading.flatten import tensors
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


@dataclass
class Answer:
    logits: torch.Tensor
    nothing: torch.Tensor | None
    states: tuple[torch.Tensor, list[torch.Tensor]]


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


SHAPES = {
    "dict": lambda x: {"b": x + 1, "a": x * 2},
    "dataclass": lambda x: Answer(x + 1, None, (x * 2, [x * 3, x - 1])),
    "named tuple": lambda x: Pair(x + 1, x * 2),
    "nested": lambda x: [x + 1, {"deep": (x * 2, {"er": x * 3})}, None],
}


class Returning(nn.Module):
    """A module with a weight, returning one of the shapes."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.kind = kind

    def forward(self, second, first):
        return SHAPES[self.kind](self.layer(first) - second)


def flattened(kind: str):
    module = Returning(kind).eval()
    how, inputs = bind(module, named("first", "second"))
    arguments = (torch.randn(3, 2), torch.randn(3, 2))
    return flat(module, Signature(inputs=inputs, outputs=()), how), tensors(module(*arguments)), arguments


def same(got, want) -> bool:
    return len(got) == len(want) and all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize("kind", SHAPES)
def test_a_wrapped_module_goes_through_torch_export(kind) -> None:
    """The program takes the arguments under their names and gives every tensor, in the order of `flatten`."""
    module, want, arguments = flattened(kind)
    batch = torch.export.Dim("batch", min=1, max=8)
    program = torch.export.export(module, arguments, dynamic_shapes=({0: batch}, {0: batch}))

    assert list(program.graph_signature.user_inputs) == ["second", "first"]
    assert same(program.module()(*arguments), want)
    assert len(program.module()(torch.ones(5, 2), torch.ones(5, 2))) == len(want)


@pytest.mark.parametrize("kind", SHAPES)
def test_a_wrapped_module_goes_through_jit_trace(kind) -> None:
    """The trace takes the arguments under their names and gives every tensor, in the order of `flatten`."""
    module, want, arguments = flattened(kind)
    traced = torch.jit.trace(module, arguments)

    assert [argument.name for argument in traced.forward.schema.arguments[1:]] == ["second", "first"]
    assert same(traced(*arguments), want)
