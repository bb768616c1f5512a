"""A source in memory: an nn.Module from a callable, an exported program, a TorchScript or an ONNX file."""

from pathlib import Path

from builder.spec.loaded import Loaded
from builder.spec.project import Model
from builder.spec.releases import Release


def load(name: str, model: Model, folder: Path, release: Release) -> Loaded:
    """Load the source of `model`; see `builder.loading.loaded.load`, which imports torch."""
    from builder.loading.loaded import load as load_with_torch

    return load_with_torch(name, model, folder, release)
