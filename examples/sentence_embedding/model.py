"""The graphs of the pipeline: tokens to a vector each, their mean, and the mean at length one."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from vocabulary import LONGEST, SIZE

WIDTH = 64
HEADS = 4
LAYERS = 2
MASKED = -1e4


class Layer(nn.Module):
    """Self-attention, in which nobody looks at padding, and a feed-forward net."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.feed_forward = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, hidden: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Return fp32 `hidden` [batch, seq, width] after one layer; `bias` [batch, 1, 1, seq] hides tokens."""
        heads = self.project(self.norms[0](hidden)).unflatten(2, (3, HEADS, WIDTH // HEADS))
        query, key, value = heads.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=bias)
        hidden = hidden + self.out(mixed.transpose(1, 2).flatten(2))
        return hidden + self.feed_forward(self.norms[1](hidden))


class Encoder(nn.Module):
    """A small transformer: a vector for each token."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(SIZE, WIDTH)
        self.places = nn.Embedding(LONGEST, WIDTH)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encode int64 ids [batch, seq]; the int64 mask [batch, seq] is 1 for a token and 0 for padding."""
        bias = ((1.0 - attention_mask.to(torch.float32)) * MASKED)[:, None, None, :]
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden = self.tokens(input_ids) + 0.1 * self.places(places)
        for layer in self.layers:
            hidden = layer(hidden, bias)
        return hidden


class MeanPool(nn.Module):
    """The mean of a text's tokens, without its padding."""

    def forward(self, hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return [batch, width] of `hidden` [batch, seq, width]; a text without tokens gives zeros."""
        mask = attention_mask.to(torch.float32)[:, :, None]
        return (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1.0)


class Normalise(nn.Module):
    """Vectors of length one: their dot product is their similarity."""

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        """Return `pooled` [batch, width], each row divided by its length."""
        return pooled / pooled.norm(dim=1, keepdim=True).clamp(min=1e-6)


def encoder() -> nn.Module:
    """Return the encoder; its seeded weights are the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Encoder()
