"""Answers of several types, compiled by TorchScript's own compiler."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Optional, Tuple, Union  # noqa: UP035 - as TorchScript reads them

import pytest
from torch import Tensor, nn

from builder.errors import ExportError
from builder.export import export, offline_parity
from builder.spec.project import Backend
from tests.unit.export.zoo import ROWS, given, loaded

X = {"x": given("fp32", "batch", 3)}


class Typed(NamedTuple):
    first: Tensor
    pair: Tuple[Tensor, Tensor]  # noqa: UP006
    more: Dict[str, Tensor]  # noqa: UP006


class MaybeList(NamedTuple):
    first: Tensor
    more: Optional[List[Tensor]]  # noqa: UP006, UP045


Untyped = namedtuple("Untyped", ["first", "more"])  # noqa: PYI024 - it is refused


@dataclass
class Record:
    first: Tensor
    second: Tensor


class ListInDict(nn.Module):
    def forward(self, x):
        return {"first": x * 2, "more": [x, x + 1]}


class TupleInDict(nn.Module):
    def forward(self, x):
        return {"first": x * 2, "more": (x, [x + 1])}


class DictInDict(nn.Module):
    def forward(self, x):
        return {"first": x * 2, "more": {"a": x, "b": x + 1}}


class AnnotatedDict(nn.Module):
    def forward(self, x) -> Dict[str, Union[Tensor, List[Tensor]]]:  # noqa: UP006, UP007
        return {"first": x * 2, "more": [x, x + 1]}


class TensorOrDict(nn.Module):
    def forward(self, x) -> Union[Tensor, Dict[str, Tensor]]:  # noqa: UP006, UP007
        return {"first": x * 2}


class NamedTypes(nn.Module):
    def forward(self, x):
        return Typed(x * 2, (x, x + 1), {"third": x + 2})


class OptionalList(nn.Module):
    def forward(self, x):
        return MaybeList(x * 2, [x, x + 1])


class Ordered(nn.Module):
    def forward(self, x):
        return OrderedDict(first=x, second=x + 1)


class NamedWithoutTypes(nn.Module):
    def forward(self, x):
        return Untyped(x, [x + 1])


class Dataclass(nn.Module):
    def forward(self, x):
        return Record(x, x + 1)


class Unpacked(nn.Module):
    def forward(self, x):
        more = [x, x + 1]
        return (x * 2, *more)


class NamedInUnion(nn.Module):
    def forward(self, x):
        return {"first": x, "more": Typed(x * 2, (x, x + 1), {"third": x + 2})}


class FilledLater(nn.Module):
    def forward(self, x):
        answer = {"first": x}
        answer["more"] = [x, x + 1]
        return answer


@pytest.mark.parametrize(
    "module",
    [ListInDict, TupleInDict, DictInDict, AnnotatedDict, TensorOrDict, NamedTypes, OptionalList],
)
def test_what_torchscript_compiles_comes_out_flat(module, target, out) -> None:
    """Containers of several types, by inference or by annotation, are taken apart as eager PyTorch nests them."""
    model = loaded(module(), X, dims=ROWS, torchscript="script")
    artifact = export(model, Backend.TORCHSCRIPT, into=out, release=target)

    assert artifact.exporter == "script"
    assert offline_parity(model, artifact, threads=1).passed


@pytest.mark.parametrize(
    ("module", "line"),
    [
        (Ordered, "return OrderedDict(first=x, second=x + 1)"),
        (NamedWithoutTypes, "return Untyped(x, [x + 1])"),
        (Dataclass, "return Record(x, x + 1)"),
        (Unpacked, "return (x * 2, *more)"),
        (NamedInUnion, 'return {"first": x, "more": Typed('),
    ],
)
def test_an_answer_that_it_does_not_compile_names_the_line_and_what_it_does(
    module, line, target, out
) -> None:
    """The refusal shows where the answer is made, and the forms that the test above has."""
    model = loaded(module(), X, dims=ROWS, torchscript="script")

    with pytest.raises(ExportError) as caught:
        export(model, Backend.TORCHSCRIPT, into=out, release=target)

    assert f": {line}" in caught.value.what
    assert caught.value.fix.startswith("return a tuple, a list, one dict literal, or a typing.NamedTuple")


def test_a_dict_that_changes_its_type_names_the_line_and_the_literal(target, out) -> None:
    """A value of another type put into a dict later is shown; one literal would have been compiled."""
    model = loaded(FilledLater(), X, dims=ROWS, torchscript="script")

    with pytest.raises(ExportError, match=r'answer\["more"\] = \[x, x \+ 1\]') as caught:
        export(model, Backend.TORCHSCRIPT, into=out, release=target)

    assert "a dict of several types is one literal" in caught.value.fix
