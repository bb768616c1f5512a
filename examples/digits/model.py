"""A small CNN for the handwritten digits that scikit-learn ships."""

import torch
from torch import nn


class DigitNet(nn.Module):
    """Two convolutions and two linear layers; 10 scores per image."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Score fp32 images [batch, 1, 8, 8] with pixels from 0 to 16."""
        scores = self.head(self.features(image / 16.0))
        return {"scores": scores, "digit": scores.argmax(dim=1)}


def load() -> nn.Module:
    """Return the untrained module; trb.yaml names its weights."""
    return DigitNet()
