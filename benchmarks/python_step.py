"""A Python function that decodes images, on the live server against a call in this process, per image."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _paired import ROOT, TRB, machine, run

BATCHES = (1, 16)


def main() -> None:
    """Measure both in turns at each batch size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "digits_png"
        shutil.copytree(ROOT / "examples" / "digits_png", folder)
        run([sys.executable, "train.py"], folder)
        run([TRB, "build", "decode"], folder)
        for batch in BATCHES:
            turns = [(served_us(folder, batch), called_us(folder, batch)) for _ in range(rounds)]
            served, called = (statistics.median(side) for side in zip(*turns, strict=True))
            print(
                f"batch {batch}: {served:.0f} us an image served, {called:.0f} us called in-process: "
                f"{served - called:+.0f} us, ratio {served / called:.2f} (stated)"
            )
    print(machine())


def served_us(folder: Path, batch: int) -> float:
    """Return the median microseconds an image at concurrency 1, the client's own time included."""
    command = [
        TRB,
        "perf",
        "decode",
        "--concurrency",
        "1",
        "--batch",
        str(batch),
        "--engine",
        "trb",
        "--json",
    ]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return float(report["models"][0]["points"][0]["p50_ms"]) * 1000 / batch


def called_us(folder: Path, batch: int) -> float:
    """Return the median microseconds an image of calling the function itself, in batches of the same images."""
    sys.path.insert(0, str(folder))
    from steps import decode

    images = [path.read_bytes() for path in sorted((folder / "images").iterdir())]
    taken = []
    for start in range(0, 50 * batch, batch):
        rows = [images[n % len(images)] for n in range(start, start + batch)]
        began = time.perf_counter()
        for row in rows:
            decode(row)
        taken.append((time.perf_counter() - began) * 1e6 / batch)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
