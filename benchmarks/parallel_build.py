"""Building 16 models with `-j 1` against `-j 2` on two cores: promised at least 1.4 times faster."""

import argparse
import os
import tempfile
from pathlib import Path

from _digits import forget
from _paired import TRB, in_turns, report, run

MODELS = 16
SOURCE = """
import torch
from torch import nn


def load(width):
    with torch.random.fork_rng():
        torch.manual_seed(width)
        return nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(16 * width, 64), nn.ReLU(), nn.Linear(64, 10),
        )


{callables}
"""
ENTRY = """
  net_{n}:
    source: model:load_{n}
    inputs: {{image: {{dtype: fp32, shape: [batch, 1, 8, 8], range: [0, 1]}}}}
    dims: {{batch: {{max: 32}}}}
"""


def main() -> None:
    """Time both in turns, each from a folder where nothing is built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        write_project(folder)

        def alone() -> None:
            forget(folder)
            run([TRB, "build", "-j", "1"], folder)

        def together() -> None:
            forget(folder)
            run([TRB, "build", "-j", "2"], folder)

        alone_s, together_s = in_turns(alone, together, runs)
    cores = len(os.sched_getaffinity(0))
    report((f"-j 1 ({MODELS} models, {cores} cores)", alone_s), ("-j 2", together_s), "at least 1.4")


def write_project(folder: Path) -> None:
    """Write the models, each of its own width, and the spec that names them."""
    callables = "\n\n".join(f"def load_{n}():\n    return load({16 + n})" for n in range(MODELS))
    (folder / "model.py").write_text(SOURCE.format(callables=callables))
    (folder / "trb.yaml").write_text("models:" + "".join(ENTRY.format(n=n) for n in range(MODELS)))


if __name__ == "__main__":
    main()
