"""Throughput of single rows from 16 clients at once: one run of the whole batch, against a loop over its requests."""

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from _paired import machine
from _served import FILES, IMAGES, WIDE, digits, lay_out, perceptron, served

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
    for backend in FILES:
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
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--window-ms", type=int, default=500)
    wish = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        repository = folder / "repository"
        tiny = lay_out(repository, "digits", digits(), IMAGES)
        wide = lay_out(repository, "perceptron", perceptron(), WIDE)
        (folder / "libraries").mkdir()
        libraries = link_libraries(folder / "libraries")
        together, client = stack.enter_context(served(repository, folder / "together"))
        with looping(folder / "looping"):
            looped, _ = stack.enter_context(served(repository, folder / "looped"))
        for name in (*wide.values(), *tiny.values()):
            before = client.statistics(name, 1)
            pairs = [
                tuple(rows_per_second(libraries, one, name, wish.window_ms) for one in (together, looped))
                for _ in range(wish.rounds)
            ]
            report(name, pairs, client.statistics(name, 1).since(before).average_batch)
    print(machine())


def report(name: str, pairs: list[tuple[float, ...]], average_batch: float) -> None:
    """Print one line, ready for README.md. The best rounds are compared: other processes only ever take."""
    one_run, loop = (max(side) for side in zip(*pairs, strict=True))
    medians = [f"{statistics.median(side):.0f}" for side in zip(*pairs, strict=True)]
    print(
        f"stand-in, {name}, single rows at concurrency {CONCURRENCY} in batches of {average_batch:.1f}: one run per "
        f"batch {one_run:.0f} rows/s, a loop over requests {loop:.0f} rows/s: {one_run / loop:.2f} times (promised: "
        f"at least 1.8; best of {len(pairs)} rounds in turns; medians {' and '.join(medians)} rows/s)",
        flush=True,
    )


if __name__ == "__main__":
    main()
