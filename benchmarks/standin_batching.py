"""Throughput of single rows from 16 clients at once: one run of the whole batch, against a loop over its requests."""

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from _paired import machine
from _served import NAMES, lay_out, served

from builder.perf import nvidia
from builder.server.embedded import backends, server_libraries
from builder.server.endpoint import Endpoint

CONCURRENCY = 16
TOGETHER = "return triton.respond(requests, self._model.run, batched=self._batched)"
LOOPED = "return [triton.respond([r], self._model.run, batched=self._batched)[0] for r in requests]"


@contextmanager
def looping(folder: Path) -> Iterator[None]:
    """Let the servers that start in this block loop over requests, as a simple Python backend does."""
    genuine = backends._STAND_INS  # noqa: SLF001 - no user ever needs other stand-ins
    for backend in NAMES:
        text = (genuine / backend / "model.py").read_text()
        assert TOGETHER in text, "the stand-in has changed; change this script with it"
        (folder / backend).mkdir(parents=True)
        (folder / backend / "model.py").write_text(text.replace(TOGETHER, LOOPED))
    backends._STAND_INS = folder  # noqa: SLF001
    try:
        yield
    finally:
        backends._STAND_INS = genuine  # noqa: SLF001


def rows_per_second(libraries: Path, endpoint: Endpoint, name: str, window_ms: int) -> float:
    """Return what perf_analyzer counts in one window after a warm-up of its own."""
    command = [
        *(nvidia.binary(), "-m", name, "-i", "grpc", "-u", endpoint.grpc, "--async", "-b", "1"),
        *("--concurrency-range", str(CONCURRENCY), "--measurement-interval", str(window_ms)),
        *("--stability-percentage", "999", "--max-trials", "3", "-f", libraries / "out.csv"),
    ]
    subprocess.run(
        command, check=True, capture_output=True, env={"LD_LIBRARY_PATH": str(libraries)}, timeout=120
    )
    header, row = (libraries / "out.csv").read_text().splitlines()[:2]
    return float(dict(zip(header.split(","), row.split(","), strict=False))["Inferences/Second"])


def link_libraries(folder: Path) -> Path:
    """Return a folder with the two libraries that perf_analyzer misses."""
    for link, pattern in nvidia._LIBRARIES.items():  # noqa: SLF001
        (folder / link).symlink_to(next(server_libraries().glob(pattern)))
    return folder


def main() -> None:
    """Measure both servers in turns, for both backends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--window-ms", type=int, default=1000)
    wish = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lay_out(folder / "repository")
        (folder / "libraries").mkdir()
        libraries = link_libraries(folder / "libraries")
        together, _ = stack.enter_context(served(folder / "repository", folder / "together"))
        with looping(folder / "looping"):
            looped, _ = stack.enter_context(served(folder / "repository", folder / "looped"))
        for backend, name in NAMES.items():
            pairs = [
                tuple(rows_per_second(libraries, one, name, wish.window_ms) for one in (together, looped))
                for _ in range(wish.rounds)
            ]
            report(backend, pairs)
    print(machine())


def report(backend: str, pairs: list[tuple[float, ...]]) -> None:
    """Print one line, ready for README.md."""
    one_run, loop = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [ours / theirs for ours, theirs in pairs]
    print(
        f"stand-in {backend}, single rows at concurrency {CONCURRENCY}: one run per batch {one_run:.0f} rows/s, a loop "
        f"over requests {loop:.0f} rows/s: {one_run / loop:.2f} times (promised: at least 1.8; medians of "
        f"{len(pairs)} rounds in turns, {min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
