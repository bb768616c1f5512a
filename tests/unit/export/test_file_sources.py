"""Exports of sources that are files."""

import pytest
import torch

from builder.errors import TrbError
from builder.export import export, offline_parity, prove_batch
from builder.spec.project import Backend
from tests.unit.export.zoo import ROWS, Cnn, Nested, given, loaded_file

IMAGE = {"image": given("fp32", "batch", 1, 4, 4)}
BOTH = (Backend.ONNX, Backend.TORCHSCRIPT)


@pytest.mark.parametrize("backend", BOTH)
def test_an_exported_program_is_exported(backend, target, tmp_path) -> None:
    """A .pt2 becomes either file, agrees with itself in torch, and may be batched."""
    program = torch.export.export(
        Cnn().eval(),
        (torch.randn(3, 1, 4, 4),),
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=8)},),
    )
    torch.export.save(program, tmp_path / "model.pt2")
    model = loaded_file("model.pt2", tmp_path, IMAGE, dims=ROWS)
    artifact = export(model, backend, into=tmp_path / "out", release=target)

    assert offline_parity(model, artifact, threads=1).passed
    assert prove_batch(model, artifact, threads=1).max_batch_size == 8


@pytest.mark.parametrize("backend", BOTH)
def test_a_torchscript_file_is_exported(backend, target, tmp_path) -> None:
    """A .pt becomes either file, through the legacy exporter for ONNX, and agrees with itself in torch."""
    torch.jit.save(torch.jit.trace(Cnn().eval(), torch.randn(3, 1, 4, 4)), tmp_path / "model.pt")
    model = loaded_file("model.pt", tmp_path, IMAGE, dims=ROWS)
    artifact = export(model, backend, into=tmp_path / "out", release=target)

    assert artifact.exporter == ("legacy" if backend is Backend.ONNX else "copied")
    assert offline_parity(model, artifact, threads=1).passed


def test_a_frozen_torchscript_file_with_nested_outputs_is_flattened(target, tmp_path) -> None:
    """What Triton's pytorch backend could not return comes out as a flat tuple."""
    script = torch.jit.freeze(torch.jit.script(Nested().eval()))
    torch.jit.save(script, tmp_path / "model.pt")
    inputs = {"a": given("fp32", "batch", 2), "b": given("fp32", "batch", 2)}
    model = loaded_file("model.pt", tmp_path, inputs)
    artifact = export(model, Backend.TORCHSCRIPT, into=tmp_path / "out", release=target)

    answer = torch.jit.load(artifact.path)(torch.ones(1, 2), torch.ones(1, 2))
    assert [type(one) for one in answer] == [torch.Tensor] * 3
    assert offline_parity(model, artifact, threads=1).passed


def test_a_program_that_froze_the_batch_axis_does_not_load(tmp_path) -> None:
    """A .pt2 exported without a dynamic batch is refused for a spec that has one."""
    torch.export.save(torch.export.export(Cnn().eval(), (torch.randn(3, 1, 4, 4),)), tmp_path / "model.pt2")

    with pytest.raises(TrbError, match=r"image|batch"):
        loaded_file("model.pt2", tmp_path, IMAGE, dims=ROWS)
