"""Real inputs of the steps: the images that train.py wrote, and what the network makes of them."""

from pathlib import Path

import numpy as np
import torch
from model import DigitNet, Normalise
from safetensors.torch import load_file
from steps import decode

HERE = Path(__file__).parent


def images() -> dict[str, np.ndarray]:
    """Return the files, as clients send them."""
    return {
        "image": np.array([path.read_bytes() for path in sorted((HERE / "images").iterdir())], dtype=object)
    }


def scores() -> dict[str, torch.Tensor]:
    """Return the network's scores of the files: of made up ones, some are equal, and then any order is right."""
    network = DigitNet().eval()
    network.load_state_dict(load_file(HERE / "digits.safetensors"))
    grey = torch.from_numpy(np.stack([decode(image) for image in images()["image"]]))
    with torch.inference_mode():
        return {"scores": network(Normalise()(grey))}
