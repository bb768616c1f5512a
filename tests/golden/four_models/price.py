import torch
from torch import nn


class Price(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, rooms: torch.Tensor) -> torch.Tensor:
        return self.layer(rooms).squeeze(1)


def load() -> nn.Module:
    torch.manual_seed(0)
    return Price()
