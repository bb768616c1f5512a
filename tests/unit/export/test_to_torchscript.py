"""Exports to TorchScript."""

import numpy as np
import pytest
import torch
from torch import nn

from builder.errors import ExportError
from builder.export import export, offline_parity
from builder.runtimes import open_torchscript
from builder.spec.project import Axis, Backend
from tests.unit.export.zoo import (
    ROWS,
    STEPS,
    AllcloseBranch,
    AnyItemBranch,
    Branch,
    Embedded,
    EqualBranch,
    Nested,
    NumberFromValue,
    NumpyBranch,
    RareBranch,
    SizeBranch,
    SizeLoop,
    UnscriptableBranch,
    cnn,
    given,
    loaded,
)

TORCHSCRIPT = Backend.TORCHSCRIPT
NESTED = ["output_0", "output_1_twice", "output_1_thrice"]
LINE = {"x": given("fp32", "batch", "time")}
PAIRS = {"x": given("fp32", "batch", "time", within=(1, 5))}
AT_LEAST_TWO = {"batch": Axis(max=8), "time": Axis(min=2, max=12)}


def test_a_plain_model_is_traced_and_answers_like_pytorch(target, out) -> None:
    """The trace of a CNN agrees with eager PyTorch on every case."""
    model = cnn()
    artifact = export(model, TORCHSCRIPT, into=out, release=target)

    assert artifact.exporter == "trace"
    assert offline_parity(model, artifact, threads=1).passed


@pytest.mark.parametrize("module", [Branch, RareBranch, SizeLoop, SizeBranch, NumberFromValue])
def test_control_flow_is_scripted_rather_than_traced_away(module, target, out) -> None:
    """A model in which a value or a size decides is scripted, and then agrees with eager PyTorch."""
    model = loaded(module(), LINE, dims=STEPS)
    artifact = export(model, TORCHSCRIPT, into=out, release=target)

    assert artifact.exporter == "script"
    assert artifact.notes[0].startswith("not traced: ")
    assert offline_parity(model, artifact, threads=1).passed


def test_a_branch_that_no_case_takes_survives(target, out) -> None:
    """The file takes the branch for values that random inputs never have."""
    model = loaded(RareBranch(), LINE, dims=STEPS)
    artifact = export(model, TORCHSCRIPT, into=out, release=target)
    run = open_torchscript(artifact.path, artifact.signature, threads=1)

    assert run({"x": np.full((1, 2), 2000, np.float32)})["output"].tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("module", [EqualBranch, AllcloseBranch, AnyItemBranch])
def test_a_branch_on_an_operation_that_returns_a_bool_survives(module, target, out) -> None:
    """torch.equal, torch.allclose and item() are scripted, and the file takes the branch that no case takes."""
    model = loaded(module(), PAIRS, dims=AT_LEAST_TWO)
    artifact = export(model, TORCHSCRIPT, into=out, release=target)
    run = open_torchscript(artifact.path, artifact.signature, threads=1)

    assert artifact.exporter == "script"
    assert "zoo.py" in artifact.notes[0]
    assert run({"x": np.array([[4000, 2000]], np.float32)})["output"].tolist() == [[8000.0, 4000.0]]


def test_a_branch_that_torch_export_cannot_look_into_is_not_traced(target, out) -> None:
    """Where torch.export fails at .numpy(), the error still shows the line at which a value leaves torch."""
    model = loaded(NumpyBranch(), PAIRS, dims=AT_LEAST_TWO)

    with pytest.raises(ExportError, match=r"if x\.detach\(\)\.numpy\(\)\.max\(\) > 1000:"):
        export(model, TORCHSCRIPT, into=out, release=target)


def test_control_flow_that_cannot_be_scripted_names_the_line(target, out) -> None:
    """The error shows file, number and text of the line that decides on a value."""
    model = loaded(UnscriptableBranch(), LINE, dims=STEPS)

    with pytest.raises(ExportError) as caught:
        export(model, TORCHSCRIPT, into=out, release=target)

    assert "zoo.py:" in caught.value.what
    assert "if x.sum() > 0:" in caught.value.what
    assert not list(out.iterdir())


def test_a_trace_that_was_asked_for_is_still_compared(target, out) -> None:
    """`torchscript: trace` does not let a wrong trace through."""
    model = loaded(SizeLoop(), LINE, dims=STEPS, torchscript="trace")

    with pytest.raises(ExportError, match="the trace is not the model"):
        export(model, TORCHSCRIPT, into=out, release=target)


def test_a_tracer_warning_alone_is_only_noted(target, out) -> None:
    """An honest model that makes the tracer warn is traced, and the warning recorded."""

    class Checks(nn.Module):
        def forward(self, x):
            assert bool(torch.tensor(x.shape[-1]) == 4)
            return x * 2

    artifact = export(
        loaded(Checks(), {"x": given("fp32", "batch", 4)}, dims=ROWS), TORCHSCRIPT, into=out, release=target
    )

    assert artifact.exporter == "trace"
    assert any("tracer warning" in note for note in artifact.notes)


def test_the_file_is_frozen_and_keeps_the_argument_names(target, out) -> None:
    """Arguments are called as in trb.yaml, so that Triton binds by name; no weight is a parameter."""
    model = loaded(
        Embedded(),
        {
            "mask": given("int64", "batch", "time", within=(0, 1)),
            "ids": given("int64", "batch", "time", within=(0, 19)),
        },
        dims=STEPS,
    )
    module = torch.jit.load(export(model, TORCHSCRIPT, into=out, release=target).path)

    assert {argument.name for argument in module.forward.schema.arguments[1:]} == {"ids", "mask"}
    assert not list(module.parameters())


def test_no_device_is_pinned(target, out) -> None:
    """A tensor that a traced model creates is created where its input lies."""

    class Counts(nn.Module):
        def forward(self, x):
            return x + torch.arange(x.shape[1], device=x.device) + torch.zeros_like(x)

    artifact = export(loaded(Counts(), LINE, dims=STEPS), TORCHSCRIPT, into=out, release=target)
    module = torch.jit.load(artifact.path)

    assert artifact.exporter == "trace"
    assert module(torch.zeros(2, 3, device="meta")).device.type == "meta"


@pytest.mark.parametrize("mode", ["trace", "script"])
def test_nested_outputs_come_out_flat(mode, target, out) -> None:
    """A tuple with a dict inside becomes a flat tuple in the order of the signature, traced and scripted."""
    inputs = {"a": given("fp32", "batch", 2), "b": given("fp32", "batch", 2)}
    model = loaded(Nested(), inputs, dims=ROWS, torchscript=mode)
    artifact = export(model, TORCHSCRIPT, into=out, release=target)

    assert [tensor.name for tensor in artifact.signature.outputs] == [
        "output_0",
        "output_1_twice",
        "output_1_thrice",
    ]
    assert offline_parity(model, artifact, threads=1).passed


def test_inputs_are_bound_by_position_when_their_names_are_not_arguments(target, out) -> None:
    """The file calls its arguments as trb.yaml calls its inputs, in their order."""
    inputs = {"second": given("fp32", "batch", 2), "first": given("fp32", "batch", 2)}
    model = loaded(Nested(), inputs, dims=ROWS, torchscript="script")
    artifact = export(model, TORCHSCRIPT, into=out, release=target)
    module = torch.jit.load(artifact.path)

    assert [argument.name for argument in module.forward.schema.arguments[1:]] == ["second", "first"]
    assert offline_parity(model, artifact, threads=1).passed


def test_the_module_is_served_in_eval_mode(target, out) -> None:
    """Dropout is off in the file."""
    model = loaded(
        nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), {"input": given("fp32", "batch", 4)}, dims=ROWS
    )

    assert offline_parity(model, export(model, TORCHSCRIPT, into=out, release=target), threads=1).passed


@pytest.mark.parametrize("dtype", ["fp16", "fp64", "int8", "int32", "uint8"])
def test_other_element_types_pass(dtype, target, out) -> None:
    """What the pytorch backend carries is exported and agrees."""

    class Doubles(nn.Module):
        def forward(self, x):
            return x + x, x > 1

    model = loaded(Doubles(), {"x": given(dtype, "batch", 3, within=(0, 50))}, dims=ROWS)

    assert offline_parity(model, export(model, TORCHSCRIPT, into=out, release=target), threads=1).passed
