"""A small BERT-like text encoder: embeddings, self-attention under a mask, a vector per token and text."""

import math

import torch
from torch import nn

VOCABULARY = 1000
LONGEST = 64
WIDTH = 64
HEADS = 4
LAYERS = 2
MASKED = -1e4


class Attention(nn.Module):
    """Self-attention in which nobody looks at a masked token."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, hidden: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Mix fp32 `hidden` [batch, seq, width]; `bias` [batch, 1, 1, seq] is far below 0 where masked."""
        heads = self.project(hidden).unflatten(2, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)
        query, key, value = heads[0], heads[1], heads[2]
        weights = (query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS) + bias).softmax(dim=3)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Attention and a feed-forward net, each with its residual and norm."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.feed_forward = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])

    def forward(self, hidden: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Return `hidden` after one layer, same shape."""
        hidden = self.norms[0](hidden + self.attention(hidden, bias))
        return self.norms[1](hidden + self.feed_forward(hidden))


class TextEncoder(nn.Module):
    """Token ids in, a vector per token and one per text out."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(LONGEST, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        """Encode int64 ids [batch, seq]; the int64 mask [batch, seq] is 1 for a token and 0 for padding.

        A text that is all padding is a legal input: the bias is finite, so that its softmax is not NaN, and
        its mean is taken over at least one token.
        """
        mask = attention_mask.to(torch.float32)
        bias = ((1.0 - mask) * MASKED)[:, None, None, :]
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden = self.norm(self.tokens(input_ids) + self.positions(places))
        for layer in self.layers:
            hidden = layer(hidden, bias)
        mean = (hidden * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1.0)
        return {"last_hidden_state": hidden, "pooled": torch.tanh(mean)}


def load() -> nn.Module:
    """Return the encoder; its seeded weights are the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TextEncoder()


def samples() -> dict[str, torch.Tensor]:
    """Return 16 padded texts, as a tokeniser would: ids, then zeros, with the mask to match."""
    draw = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 33, (16, 1), generator=draw)
    mask = (torch.arange(32)[None, :] < lengths).long()
    return {
        "input_ids": torch.randint(1, VOCABULARY, (16, 32), generator=draw) * mask,
        "attention_mask": mask,
    }
