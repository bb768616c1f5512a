"""Files to waveforms."""

import wave
from io import BytesIO

import numpy as np

RATE = 8000
"""Samples per second."""
SHORTEST = 512
"""Samples of the shortest waveform: shorter sounds have silence behind them."""
LONGEST = 2 * RATE
"""Samples of the longest sound; what is beyond is cut off."""
LARGEST = 2**15


def read(sound: list[bytes]) -> dict[str, np.ndarray]:
    """Return WAV files as fp32 waveforms from -1 to 1, silence behind the shorter ones, and their lengths."""
    waveforms = [waveform(n, file) for n, file in enumerate(sound)]
    together = np.zeros((len(waveforms), max(SHORTEST, *map(len, waveforms))), dtype=np.float32)
    for row, one in zip(together, waveforms, strict=True):
        row[: len(one)] = one
    return {"waveform": together, "length": np.array([len(one) for one in waveforms], dtype=np.int64)}


def waveform(number: int, file: bytes) -> np.ndarray:
    """Return one file, its channels put together."""
    with wave.open(BytesIO(file)) as opened:
        if (opened.getframerate(), opened.getsampwidth()) != (RATE, 2):
            raise ValueError(f"sound {number} has other than {RATE} samples of 16 bits a second")
        samples = np.frombuffer(opened.readframes(LONGEST), dtype="<i2")
        channels = samples.reshape(-1, opened.getnchannels())
    if len(channels) == 0:
        raise ValueError(f"sound {number} is empty")
    return (channels.mean(axis=1) / LARGEST).astype(np.float32)
