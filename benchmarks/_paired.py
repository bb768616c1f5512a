"""Two things timed in turns, so that a busy machine slows both."""

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRB = str(Path(sys.executable).with_name("trb"))


def run(command: Sequence[str], cwd: Path) -> None:
    """Run `command` to its end; its output is shown only when it fails."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")


def seconds(work: Callable[[], None]) -> float:
    """Return how long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turns(
    ours: Callable[[], None], theirs: Callable[[], None], runs: int
) -> tuple[list[float], list[float]]:
    """Return the seconds of `runs` runs of each, taken in turns, the first of a pair changing sides."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(runs):
        order = (0, 1) if number % 2 else (1, 0)
        for side in order:
            times[side].append(seconds((ours, theirs)[side]))
    return times


def report(ours: tuple[str, Sequence[float]], theirs: tuple[str, Sequence[float]], promise: str) -> None:
    """Print both medians with their range, and the ratio of the medians beside what was promised."""
    for name, times in (ours, theirs):
        print(
            f"{name}: median {statistics.median(times):.3f} s"
            f" ({min(times):.3f} to {max(times):.3f}, {len(times)} runs)"
        )
    ratio = statistics.median(ours[1]) / statistics.median(theirs[1])
    print(f"ratio: {ratio:.3f} (promised: {promise}); {machine()}")


def machine() -> str:
    """Return the processor, the cores this process may use, the system and the Python."""
    from builder.perf.machine import machine as describe

    return f"{describe()}, Python {platform.python_version()}"
