import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.tags = nn.Linear(8, 5)

    def forward(self, words: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"tags": self.tags(self.embedding(words)) * mask.unsqueeze(-1)}


def load() -> nn.Module:
    torch.manual_seed(0)
    return Tagger()
