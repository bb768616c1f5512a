"""The library calls that a build of the digits model cannot do without, and nothing else."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from model import load
from safetensors.torch import load_file
from torch import nn

SIZES = (1, 2, 3, 64)


class Flat(nn.Module):
    """The model with its dict of outputs as a tuple: TorchScript and Triton want tensors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the outputs in order."""
        return tuple(self.model(image).values())


def main() -> None:
    """Load, export to both formats, open both files and compare them with PyTorch."""
    warnings.simplefilter("ignore")
    into = Path("bare")
    into.mkdir(exist_ok=True)
    model = load()
    model.load_state_dict(load_file("digits.safetensors"))
    flat = Flat(model.eval()).eval()
    image = torch.from_numpy(np.load("samples.npz")["image"])
    with torch.no_grad():
        to_torchscript(flat, image[:3], into / "model.pt")
        to_onnx(flat, image[:3], into / "model.onnx")
        session = onnxruntime.InferenceSession(into / "model.onnx")
        scripted = torch.jit.load(into / "model.pt")
        for size in SIZES:
            compare(flat, scripted, session, image[:size])


def to_torchscript(flat: nn.Module, image: torch.Tensor, path: Path) -> None:
    """Trace, freeze and save."""
    torch.jit.save(torch.jit.freeze(torch.jit.trace(flat, (image,), check_trace=False)), path)


def to_onnx(flat: nn.Module, image: torch.Tensor, path: Path) -> None:
    """Export with a dynamic batch axis, save and run the ONNX checker."""
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(flat, (image,), dynamic_shapes=({0: batch},))
    exported = torch.onnx.export(program, dynamo=True, input_names=["image"], verbose=False)
    exported.save(path)
    onnx.checker.check_model(path)


def compare(
    flat: nn.Module,
    scripted: torch.jit.ScriptModule,
    session: onnxruntime.InferenceSession,
    image: torch.Tensor,
) -> None:
    """Raise unless both files answer like the model."""
    want = [output.numpy() for output in flat(image)]
    for got in ([output.numpy() for output in scripted(image)], session.run(None, {"image": image.numpy()})):
        for one, other in zip(want, got, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


if __name__ == "__main__":
    main()
