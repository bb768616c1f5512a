import torch
from torch import nn


class Centred(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(dim=0)


def load() -> nn.Module:
    return Centred()
