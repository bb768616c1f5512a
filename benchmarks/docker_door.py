"""A model served in a container against the same on the embedded server: seconds to ready, and p50 at concurrency 1.

Needs a Docker daemon and our image: `trb image build` first, or name another with --image.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from _paired import ROOT, TRB, machine, run

MODEL = "text_encoder_onnx"


def main() -> None:
    """Measure both in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="trb-triton:24.10-cpu")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if subprocess.run(
        ["docker", "image", "inspect", given.image], capture_output=True, check=False
    ).returncode:
        print(f"no Docker daemon has the image {given.image}: not measured")
        return
    doors = {"docker": ["--server", "docker", "--image", given.image], "embedded": ["--server", "embedded"]}
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "text_encoder"
        shutil.copytree(ROOT / "examples" / "text_encoder", folder)
        run([TRB, "build"], folder)
        for name, measure in {"seconds to ready and back": whole_s, "p50 in ms": p50_ms}.items():
            turns = [
                tuple(measure(folder, options) for options in doors.values()) for _ in range(given.rounds)
            ]
            container, embedded = (statistics.median(side) for side in zip(*turns, strict=True))
            print(
                f"{name}: {container:.2f} in a container, {embedded:.2f} embedded: ratio {container / embedded:.2f}"
            )
    print(machine())


def whole_s(folder: Path, options: list[str]) -> float:
    """Return the seconds of starting a server with all models detached, and of ending it."""
    began = time.perf_counter()
    run([TRB, "serve", *options, "--detach"], folder)
    run([TRB, "serve", *options[:2], "--stop"], folder)
    return time.perf_counter() - began


def p50_ms(folder: Path, options: list[str]) -> float:
    """Return the median latency at concurrency 1, in milliseconds."""
    command = [TRB, "perf", MODEL, *options, "--concurrency", "1", "--engine", "trb", "--json"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return float(report["models"][0]["points"][0]["p50_ms"])


if __name__ == "__main__":
    main()
