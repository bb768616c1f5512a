from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch

from builder.errors import SourceError
from builder.loading.flatten import flatten, left_out, tensors

ONE = torch.zeros(1, 2)


@dataclass
class Scores:
    logits: Any
    states: Any = None


class Pair(NamedTuple):
    left: Any
    right: Any


@pytest.mark.parametrize(
    ("result", "names"),
    [
        (ONE, ["output"]),
        ((ONE, ONE), ["output_0", "output_1"]),
        ([ONE], ["output_0"]),
        ({"logits": ONE, "states": (ONE, ONE)}, ["logits", "states_0", "states_1"]),
        (OrderedDict(b=ONE, a=ONE), ["b", "a"]),
        (Scores(ONE, {"h": ONE}), ["logits", "states_h"]),
        (Pair(ONE, (ONE, (ONE,))), ["left", "right_0", "right_1_0"]),
        ((ONE, {"a": ONE}), ["output_0", "output_1_a"]),
        ((ONE, None), ["output_0"]),
        ({"a b": ONE, "layer/0": ONE}, ["a_b", "layer_0"]),
    ],
)
def test_names_follow_the_structure(result, names) -> None:
    """Every nesting has its documented names, in the order of the tensors."""
    assert [name for name, _ in flatten(result)] == names
    assert len(tensors(result)) == len(names)


def test_a_name_never_ends_like_a_position_of_the_pytorch_backend() -> None:
    """`__<number>` at the end would be read as an index."""
    assert [name for name, _ in flatten({"state__1": ONE})] == ["state_1"]
    assert [name for name, _ in flatten({"a___1": ONE, "b__": (ONE,), "c__": ONE})] == ["a_1", "b_0", "c"]


def test_names_that_meet_stay_apart() -> None:
    """Two tensors never share a name."""
    found = [name for name, _ in flatten({"a_0": ONE, "a": (ONE,)})]

    assert len(set(found)) == 2


def test_one_tensor_returned_twice_is_two_outputs() -> None:
    """Aliases are outputs of their own."""
    assert len(flatten({"a": ONE, "b": ONE})) == 2


def test_output_names_replace_the_derived_ones() -> None:
    """The spec's names apply in order."""
    assert [name for name, _ in flatten((ONE, {"x": ONE}), names=("first", "second"))] == ["first", "second"]


def test_too_few_output_names_list_what_there_is() -> None:
    """The message says which outputs want a name."""
    with pytest.raises(SourceError, match="output_0, output_1"):
        flatten((ONE, ONE), names=("first",))


@pytest.mark.parametrize("leaf", [3, 2.5, "text", object()])
def test_what_is_no_tensor_is_refused_by_place(leaf) -> None:
    """The output that holds it is named."""
    with pytest.raises(SourceError, match="`size`"):
        flatten({"logits": ONE, "size": leaf})


def test_a_scalar_is_refused() -> None:
    """Triton carries no tensor without an axis."""
    with pytest.raises(SourceError, match="scalar"):
        flatten({"loss": torch.tensor(1.0)})


@pytest.mark.parametrize("nothing", [None, (), {"a": None}])
def test_nothing_at_all_is_refused(nothing) -> None:
    """A forward without a tensor is no model."""
    with pytest.raises(SourceError, match="no tensor"):
        flatten(nothing)


def test_what_is_none_is_noted() -> None:
    """An output that is left out is said to be."""
    assert left_out({"a": ONE, "b": (None, ONE)}) == ("`forward` gives None for b_0, which is left out",)
