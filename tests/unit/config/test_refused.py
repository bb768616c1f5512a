"""What the build refuses because the pytorch backend would take one tensor for another."""

from pathlib import Path

import pytest
import torch
from torch import nn

from builder import config
from builder.config.refused import require_in_order
from builder.errors import ExportError
from builder.spec.artifact import Artifact
from builder.spec.dtypes import DType
from builder.spec.model_config import ModelConfig
from tests.unit.config.values import TORCHSCRIPT, Shapes, artifact, loaded, proof

IN: Shapes = {"x": (DType.FP32, ("batch", 4))}


class Two(nn.Module):
    def forward(self, x):
        return x, x * 2


def case(folder: Path, *outputs: str) -> tuple[ModelConfig, Artifact]:
    """Write a file with two outputs, and the config that calls them `outputs`."""
    torch.jit.script(Two()).save(folder / "model.pt")
    one = loaded(IN, dict.fromkeys(outputs, (DType.FP32, ("batch", 4))))
    made = artifact(one, TORCHSCRIPT, folder)
    return config.make("m", one, made, proof(8), cores=2), made


def test_names_without_numbers_pass(tmp_path) -> None:
    """Names that say nothing of places are taken in the file's own order."""
    require_in_order(*case(tmp_path, "logits", "probs"))


def test_outputs_whose_names_swap_them_are_refused(tmp_path) -> None:
    """`probs__1, logits__0` would be answered with each other's values by the genuine pytorch backend."""
    with pytest.raises(ExportError) as caught:
        require_in_order(*case(tmp_path, "probs__1", "logits__0"))

    what = caught.value.what
    assert caught.value.fix
    assert "output 'probs__1' of model 'm' is number 0 of the model" in what
    assert "takes it for number 1 by its name" in what
