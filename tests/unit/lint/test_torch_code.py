"""What a TorchScript file's code asks of a server, by what is known of the server."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from builder.lint import Target, torch_code
from builder.lint.torchscript_view import TorchScriptView, view
from builder.spec.releases import release


class Always(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.ones(1, device="cuda:0")


class Sometimes(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.is_cuda:
            x = x + torch.ones(1, device="cuda:0")
        return x


class OnCpu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.ones(1, device="cpu")


def said(module: nn.Module, path: Path, *, gpus: int | None, kind: str = "KIND_AUTO") -> list[str]:
    torch.jit.save(torch.jit.script(module), str(path))
    found = view(path)
    assert isinstance(found, TorchScriptView)
    target = Target(release=release("24.10"), gpus=gpus)
    return [one.kind for one in torch_code.check({"instance_group": [{"kind": kind}]}, found, target)]


@pytest.mark.parametrize(
    ("module", "gpus", "kind", "kinds"),
    [
        (Always(), 0, "KIND_AUTO", ["request"]),
        (Always(), None, "KIND_AUTO", ["surprise"]),
        (Always(), 1, "KIND_AUTO", ["surprise"]),
        (Sometimes(), 0, "KIND_AUTO", ["surprise"]),
        (OnCpu(), None, "KIND_AUTO", []),
        (OnCpu(), None, "KIND_GPU", ["surprise"]),
        (OnCpu(), 0, "KIND_CPU", []),
    ],
)
def test_a_device_in_the_code_matters_by_where_it_runs(
    module: nn.Module, gpus: int | None, kind: str, kinds: list[str], tmp_path: Path
) -> None:
    """A GPU that is always asked for fails every request where there is none; else another device may surprise."""
    assert said(module, tmp_path / "model.pt", gpus=gpus, kind=kind) == kinds
