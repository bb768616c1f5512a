"""The graphs of the pipeline: what a sound is like, and two networks that look at it."""

import math

import torch
from torch import nn

RATE = 8000
FRAME = 256
HOP = 128
BANDS = 24
FEATURES = 2 * BANDS
QUIET = 1e-4
KINDS = 4


class Features(nn.Module):
    """How loud each band of frequencies is, in decades: its mean over the sound, and how far it varies.

    The bands are narrow below and wide above, as in the ear (mel). A frame's spectrum is a convolution with waves,
    which every exporter and runtime has.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("waves", waves())
        self.register_buffer("bands", bands())

    def forward(self, waveform: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        """Return [batch, 48] of fp32 waveforms [batch, time]; beyond int64 `length` [batch] is padding."""
        parts = nn.functional.conv1d(waveform[:, None], self.waves, stride=HOP).square()
        real, imaginary = parts.chunk(2, dim=1)
        loud = torch.log10(self.bands @ (real + imaginary) + QUIET)
        start = torch.arange(loud.shape[2], device=loud.device) * HOP
        last = (length[:, None] - FRAME).clamp(min=0)
        inside = (start[None, :] <= last).to(loud.dtype)[:, None]
        count = inside.sum(dim=2)
        mean = (loud * inside).sum(dim=2) / count
        spread = ((loud - mean[:, :, None]).square() * inside).sum(dim=2) / count
        return torch.cat([mean, (spread + QUIET).sqrt()], dim=1)


def waves() -> torch.Tensor:
    """Return cosines and sines of every frequency of a frame, under a window, [frequencies * 2, 1, frame]."""
    time = torch.arange(FRAME, dtype=torch.float64) / FRAME
    angles = 2 * math.pi * torch.arange(FRAME // 2 + 1)[:, None] * time
    window = torch.hann_window(FRAME, dtype=torch.float64) * 4 / FRAME
    return (torch.cat([angles.cos(), angles.sin()]) * window)[:, None].float()


def bands() -> torch.Tensor:
    """Return the weight of each frequency in each band, [bands, frequencies]: triangles that overlap by half."""
    top = mel(torch.tensor(RATE / 2))
    edges = 700 * (10 ** (torch.linspace(0, float(top), BANDS + 2) / 2595) - 1)
    frequencies = torch.linspace(0, RATE / 2, FRAME // 2 + 1)
    up = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(up, down).clamp(min=0)


def mel(hertz: torch.Tensor) -> torch.Tensor:
    """Return frequencies as mels, in which equal steps sound equally far apart."""
    return 2595 * torch.log10(1 + hertz / 700)


class Kind(nn.Module):
    """A classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(FEATURES, 32), nn.ReLU(), nn.Linear(32, KINDS))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the probability of each kind, [batch, 4]."""
        return self.layers(features).softmax(dim=1)


class Oddness(nn.Module):
    """How far a sound is from the nearest kind, in that kind's own spreads: about 1 for a sound of the kind."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(KINDS, FEATURES))
        self.register_buffer("spreads", torch.ones(KINDS, FEATURES))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the mean square over the features, [batch, 1]."""
        apart = (features[:, None] - self.centres) / self.spreads
        return apart.square().mean(dim=2).amin(dim=1, keepdim=True)
