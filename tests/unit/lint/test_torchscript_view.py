"""The linter's reading of a TorchScript file against torch's own."""

from pathlib import Path
from typing import Any

import pytest
import torch

from builder.lint.torchscript_view import TorchScriptView, view
from builder.rules.pytorch import Argument
from builder.rules.refusal import Refusal
from tests.unit.lint.torch_models import LAYERS, SCRIPTED, TRACED, One, Outer


def compare(module: Any, path: Path) -> TorchScriptView:
    torch.jit.save(module, str(path))
    seen = view(path)
    assert isinstance(seen, TorchScriptView), seen
    schema = torch.jit.load(path).forward.schema
    assert seen.arguments == tuple(
        Argument(one.name, one.type.kind(), str(one.type)) for one in schema.arguments[1:]
    )
    (returned,) = schema.returns
    assert (seen.returned.kind, seen.returned.text) == (returned.type.kind(), str(returned.type))
    if returned.type.kind() == "TupleType":
        inner = returned.type.elements()
        assert [(one.kind, one.text) for one in seen.returned.elements] == [(i.kind(), str(i)) for i in inner]
    return seen


@pytest.mark.parametrize("case", SCRIPTED)
def test_a_scripted_module_reads_as_torch_reads_it(case: str, tmp_path: Path) -> None:
    """Names, kinds and types of all arguments and of what is returned are torch's."""
    compare(torch.jit.script(SCRIPTED[case]()), tmp_path / "model.pt")


@pytest.mark.parametrize("case", SCRIPTED)
def test_a_frozen_module_reads_as_torch_reads_it(case: str, tmp_path: Path) -> None:
    """Freezing, which drops attributes, changes nothing about the signature."""
    compare(torch.jit.freeze(torch.jit.script(SCRIPTED[case]().eval())), tmp_path / "model.pt")


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_of_torch_reads_as_torch_reads_it(case: str, tmp_path: Path) -> None:
    """Each of torch's own layers, scripted alone, has torch's signature."""
    compare(torch.jit.script(LAYERS[case]), tmp_path / "model.pt")


@pytest.mark.parametrize("case", TRACED)
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_traced_module_reads_as_torch_reads_it(case: str, tmp_path: Path) -> None:
    """A trace's arguments and results are torch's."""
    module, inputs = TRACED[case]
    compare(torch.jit.trace(module, inputs, check_trace=False, strict=False), tmp_path / "model.pt")


def test_a_mangled_class_is_found(tmp_path: Path) -> None:
    """The second class of a name is saved under a mangled one, and found there."""
    torch.jit.script(One())

    class One2(One):
        def forward(self, other: torch.Tensor) -> torch.Tensor:
            return other

    One2.__name__ = One2.__qualname__ = "One"
    seen = compare(torch.jit.script(One2()), tmp_path / "model.pt")
    assert [one.name for one in seen.arguments] == ["other"]


def test_many_mangled_classes_are_found(tmp_path: Path) -> None:
    """Modules scripted one after the other in one process, each under its own mangled name."""
    for number in range(5):
        compare(torch.jit.trace(Outer(), torch.zeros(2, 4)), tmp_path / f"{number}.pt")


def test_a_module_without_forward_is_refused(tmp_path: Path) -> None:
    """A scripted LSTM has two forwards of other names, and none that a server could call."""
    path = tmp_path / "model.pt"
    torch.jit.save(torch.jit.script(torch.nn.LSTM(4, 2)), path)

    assert not hasattr(torch.jit.load(path), "forward")
    found = view(path)
    assert isinstance(found, Refusal)
    assert found.message == "Method 'forward' is not defined."
