"""An LSTM tagger that can go on where it stopped: its states come in and go out as ordinary tensors."""

import torch
from torch import nn

VOCABULARY = 500
WIDTH = 32
HIDDEN = 48
LAYERS = 2
TAGS = 9


class Tagger(nn.Module):
    """Token ids and the states so far in, scores per token and the new states out.

    nn.LSTM wants its states as [layers, batch, hidden]. Triton batches along the first axis only, so the
    states are batch-first outside and transposed in here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.lstm = nn.LSTM(WIDTH, HIDDEN, num_layers=LAYERS, batch_first=True)
        self.head = nn.Linear(HIDDEN, TAGS)

    def forward(
        self, tokens: torch.Tensor, h0: torch.Tensor, c0: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Tag int64 tokens [batch, time] from fp32 states [batch, layers, hidden]."""
        states = (h0.transpose(0, 1).contiguous(), c0.transpose(0, 1).contiguous())
        hidden, (h, c) = self.lstm(self.embedding(tokens), states)
        return self.head(hidden), h.transpose(0, 1), c.transpose(0, 1)


def load() -> nn.Module:
    """Return the tagger; its seeded weights are the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Tagger()
