"""The graphs of the pipeline: pixels to scores, scores to the three likeliest digits."""

import torch
from torch import nn

LIKELIEST = 3


class Normalise(nn.Module):
    """Grey values from 0 to 255, light on dark or dark on light, as the network was trained on: 0 to 1."""

    def forward(self, grey: torch.Tensor) -> torch.Tensor:
        """Take uint8 images [batch, 1, 8, 8], return fp32 ones."""
        return grey.to(torch.float32) / 255.0


class DigitNet(nn.Module):
    """Two convolutions and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return ten scores for each fp32 image [batch, 1, 8, 8]."""
        return self.head(self.features(image))


class Likeliest(nn.Module):
    """The digits with the largest probabilities."""

    def forward(self, scores: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return probabilities and places, largest first, [batch, 3] each, of scores [batch, 10]."""
        probability, place = scores.softmax(dim=1).topk(LIKELIEST, dim=1)
        return {"probability": probability, "place": place}
