"""Make sounds and train on them in seconds: `python train.py` writes their weights and a folder of sounds."""

import wave
from pathlib import Path

import numpy as np
import torch
from model import Features, Kind, Oddness
from safetensors.torch import save_file
from steps import RATE, read
from torch import nn

PER_KIND = 60
SHOWN = 6
STEPS = 200
NARROWEST = 0.1
LEARNING_RATE = 1e-2
SHORTEST_S, LONGEST_S = 0.3, 1.5


def sound(kind: str, draw: np.random.Generator) -> np.ndarray:
    """Return a sound of a kind, no two alike, from -1 to 1."""
    time = np.arange(int(draw.uniform(SHORTEST_S, LONGEST_S) * RATE)) / RATE
    if kind == "hum":
        pitch = draw.uniform(50, 120)
        made = sum(np.sin(2 * np.pi * pitch * n * time) / n for n in (1, 2, 3))
    elif kind == "whistle":
        made = np.sin(2 * np.pi * draw.uniform(1200, 2500) * time)
    elif kind == "siren":
        turns, middle = draw.uniform(2, 4), draw.uniform(600, 900)
        made = np.sin(2 * np.pi * middle * time + middle / turns * 0.4 * np.sin(2 * np.pi * turns * time))
    elif kind == "knock":
        since = time % draw.uniform(0.12, 0.2)
        made = np.exp(-60 * since) * np.sin(2 * np.pi * draw.uniform(200, 400) * since)
    else:
        made = draw.normal(size=len(time)) * 0.5  # a hiss: nothing that the networks were shown
    return np.clip(draw.uniform(0.3, 0.6) * made + draw.normal(0, 0.01, len(time)), -1, 1)


def as_wav(made: np.ndarray, path: Path) -> bytes:
    """Write a sound as a WAV file and return its bytes."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(made * (2**15 - 1)).astype("<i2").tobytes())
    return path.read_bytes()


def features(files: list[bytes]) -> torch.Tensor:
    """Return what the networks see of WAV files."""
    given = {name: torch.from_numpy(array) for name, array in read(files).items()}
    with torch.no_grad():
        return Features()(**given)


def train(folder: Path) -> tuple[float, float]:
    """Write weights and unseen sounds into `folder`; return the accuracy on those, and how much odder hisses are."""
    draw = np.random.default_rng(0)
    kinds = (folder / "kinds.txt").read_text().split()
    sounds = folder / "sounds"
    sounds.mkdir(exist_ok=True)
    scratch = sounds / "scratch.wav"
    seen = features([as_wav(sound(kind, draw), scratch) for kind in kinds for _ in range(PER_KIND)])
    scratch.unlink()
    shown = [as_wav(sound(kind, draw), sounds / f"{kind}_{n}.wav") for kind in kinds for n in range(SHOWN)]
    hisses = [as_wav(sound("hiss", draw), sounds / f"hiss_{n}.wav") for n in range(SHOWN)]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kind = fitted(seen, torch.arange(len(kinds)).repeat_interleave(PER_KIND))
    oddness = Oddness()
    of_kinds = seen.unflatten(0, (len(kinds), PER_KIND))
    oddness.centres, oddness.spreads = of_kinds.mean(dim=1), of_kinds.std(dim=1).clamp(min=NARROWEST)
    save_file(kind.state_dict(), folder / "kind.safetensors")
    save_file(oddness.state_dict(), folder / "oddness.safetensors")
    with torch.no_grad():
        right = kind(features(shown)).argmax(dim=1) == torch.arange(len(kinds)).repeat_interleave(SHOWN)
        odder = oddness(features(hisses)).min() / oddness(features(shown)).max()
    return float(right.float().mean()), float(odder)


def fitted(seen: torch.Tensor, labels: torch.Tensor) -> Kind:
    """Return a classifier trained on features and their kinds."""
    kind = Kind()
    optimiser = torch.optim.Adam(kind.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        nn.functional.nll_loss(kind(seen).clamp(min=1e-9).log(), labels).backward()
        optimiser.step()
    return kind.eval()


if __name__ == "__main__":
    accuracy, odder = train(Path(__file__).parent)
    said = f"{accuracy:.1%} of unseen sounds are told right; a hiss is at least {odder:.0f} times as odd as any of them"
    print(said)  # noqa: T201 - a script's result
