"""Train the network in a few seconds: `python train.py` writes digits.safetensors and a folder of images."""

from pathlib import Path

import numpy as np
import torch
from model import DigitNet, Normalise
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

EPOCHS = 12
BATCH = 64
IMAGES = 48
LEARNING_RATE = 3e-3
ENLARGED = (1, 3, 4)
"""How many times larger than 8x8 the images are, in turn: clients send any size."""


def train(folder: Path) -> float:
    """Write the weights and some unseen images into `folder`; return the accuracy on all unseen images."""
    digits = load_digits()
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    seen, unseen, seen_labels, unseen_labels = train_test_split(
        grey, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )
    normalise = Normalise()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = DigitNet()
        fit(model, normalise(torch.from_numpy(seen)), torch.from_numpy(seen_labels))
    save_file(model.state_dict(), folder / "digits.safetensors")
    save_images(unseen[:IMAGES, 0], unseen_labels, folder / "images")
    with torch.no_grad():
        predicted = model(normalise(torch.from_numpy(unseen))).argmax(dim=1).numpy()
    return float((predicted == unseen_labels).mean())


def fit(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Train `model` in place and leave it in eval mode."""
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    model.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images)).split(BATCH):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimiser.step()
    model.eval()


def save_images(images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Write uint8 images [n, 8, 8] as files in several sizes, every fourth a JPEG."""
    folder.mkdir(exist_ok=True)
    for n, (image, label) in enumerate(zip(images, labels, strict=False)):
        size = 8 * ENLARGED[n % len(ENLARGED)]
        larger = Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST)
        larger.save(folder / f"{n:02}_{label}.{'jpg' if n % 4 == 3 else 'png'}", quality=95)  # noqa: PLR2004


if __name__ == "__main__":
    print(f"accuracy on unseen digits: {train(Path(__file__).parent):.1%}")  # noqa: T201 - a script's result
