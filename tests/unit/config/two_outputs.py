"""A TorchScript file with two outputs, and the config that a build makes of it."""

from pathlib import Path

import torch
from torch import nn

from builder import config
from builder.spec.artifact import Artifact
from builder.spec.dtypes import DType
from builder.spec.model_config import ModelConfig
from tests.unit.config.values import TORCHSCRIPT, Shapes, artifact, loaded, proof

IN: Shapes = {"x": (DType.FP32, ("batch", 4))}


class Two(nn.Module):
    def forward(self, x):
        return x, x * 2


def two_outputs(folder: Path, *outputs: str, inputs: Shapes = IN) -> tuple[ModelConfig, Artifact]:
    """Write the file, and return the config that calls its tensors so."""
    torch.jit.script(Two()).save(folder / "model.pt")
    one = loaded(inputs, dict.fromkeys(outputs, (DType.FP32, ("batch", 4))))
    made = artifact(one, TORCHSCRIPT, folder)
    return config.make("m", one, made, proof(8), cores=2), made
