"""Throughput of single rows from 16 clients at once: one run of the whole batch, against a loop over its requests.

Beside both stands a server whose model is never run: what batching could gain at the very most.
"""

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from _bare import Bare
from _cpu import Cpu, spent
from _paired import machine
from _served import FILES, IMAGES, WIDE, digits, lay_out, perceptron, served

from builder.perf import nvidia
from builder.server.client import Client
from builder.server.embedded import backends, server_libraries
from builder.server.endpoint import Endpoint
from builder.server.statistics import Statistics

CONCURRENCY = 16
PROMISED = 1.8
SHIPPED = "return triton.respond(requests, self._model.run, batched=self._batched)"
LOOP = "return [triton.respond([r], self._model.run, batched=self._batched)[0] for r in requests]"
NO_RUN = """import numpy
        return triton.respond(requests, lambda feeds: {"y": numpy.zeros((len(feeds["x"]), 10), "f4")}, batched=True)"""
SERVERS = {"one run a batch": SHIPPED, "a loop over requests": LOOP, "no run at all": NO_RUN}


Server = tuple[Endpoint, Client]


@dataclass(frozen=True)
class Figures:
    """What one server did for one of its models."""

    rates: list[float]
    """Rows per second, by round."""
    cpu_us: Cpu
    """A row's share, over all rounds."""
    batch: float
    """Rows per execution, on average."""

    @property
    def best(self) -> float:
        """The best round: other processes only ever take."""
        return max(self.rates)


@contextmanager
def answering_by(execute: str, folder: Path) -> Iterator[None]:
    """Let the stand-ins of the servers that start in this block have another body of `execute`."""
    genuine = backends._STAND_INS  # noqa: SLF001 - no user ever needs other stand-ins
    for backend in FILES:
        text = (genuine / backend / "model.py").read_text()
        assert SHIPPED in text, "the stand-in has changed; change this script with it"
        (folder / backend).mkdir(parents=True)
        (folder / backend / "model.py").write_text(text.replace(SHIPPED, execute))
    backends._STAND_INS = folder  # noqa: SLF001
    try:
        yield
    finally:
        backends._STAND_INS = genuine  # noqa: SLF001


def measure(
    servers: Sequence[Server], name: str, libraries: Path, rounds: int, window_ms: int
) -> list[Figures]:
    """Return the figures of the model `name` on each server, their rounds run in turns."""
    before = [client.statistics(name, 1) for _, client in servers]
    found = [[turn(server, name, libraries, window_ms) for server in servers] for _ in range(rounds)]
    return [
        figures(turns, client.statistics(name, 1).since(earlier))
        for turns, (_, client), earlier in zip(zip(*found, strict=True), servers, before, strict=True)
    ]


def turn(server: Server, name: str, libraries: Path, window_ms: int) -> tuple[float, Cpu]:
    """Return rows per second, and the processor time that the whole turn took."""
    endpoint, _ = server
    before = spent(endpoint.pid, name)
    rate = rows_per_second(libraries, endpoint, name, window_ms)
    return rate, spent(endpoint.pid, name).since(before)


def figures(turns: Sequence[tuple[float, Cpu]], done: Statistics) -> Figures:
    """Share the processor time of all turns among the rows that were answered in them."""
    rates, cpu = zip(*turns, strict=True)
    shares = [sum(part) / done.inference_count * 1e6 for part in zip(*cpu, strict=True)]
    return Figures(list(rates), Cpu(*shares), done.average_batch)


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
    folder.mkdir()
    for link, pattern in nvidia._LIBRARIES.items():  # noqa: SLF001
        (folder / link).symlink_to(next(server_libraries().glob(pattern)))
    return folder


def in_process_us(backend: str, file: Path, rows: Sequence[int], batch: int) -> tuple[float, float]:
    """Return microseconds for one row alone and for `batch` of them in one run, the quickest of 20 in turns."""
    one, many = (Bare(backend, file, (size, *rows)) for size in (1, batch))
    pairs = [(one.mean_us(50), many.mean_us(50)) for _ in range(20)]
    one.end()
    many.end()
    return tuple(map(min, zip(*pairs, strict=True)))


def main() -> None:
    """Measure the servers in turns, for both backends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--window-ms", type=int, default=500)
    wish = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        repository = folder / "repository"
        models = {
            **dict.fromkeys(lay_out(repository, "perceptron", perceptron(), WIDE).items(), WIDE.shape),
            **dict.fromkeys(lay_out(repository, "digits", digits(), IMAGES).items(), IMAGES.shape),
        }
        servers = []
        for number, execute in enumerate(SERVERS.values()):
            with answering_by(execute, folder / f"backends{number}"):
                servers.append(stack.enter_context(served(repository, folder / f"logs{number}")))
        libraries = link_libraries(folder / "libraries")
        for (backend, name), (batch, *rows) in models.items():
            report(name, measure(servers, name, libraries, wish.rounds, wish.window_ms))
            alone, together = in_process_us(backend, repository / name / "1" / FILES[backend], rows, batch)
            print(
                f"  in-process: {alone:.0f} us for 1 row, {together:.0f} us for {batch} in one run",
                flush=True,
            )
    print(machine())


def report(name: str, sides: Sequence[Figures]) -> None:
    """Print what was measured, ready for README.md."""
    one_run, loop, no_run = sides
    print(
        f"stand-in, {name}, single rows at concurrency {CONCURRENCY}: one run a batch {one_run.best:.0f} rows/s, a "
        f"loop over requests {loop.best:.0f} rows/s: {one_run.best / loop.best:.2f} times (promised: at least "
        f"{PROMISED}); no run at all {no_run.best:.0f} rows/s: {no_run.best / loop.best:.2f} times (best of "
        f"{len(loop.rates)} rounds in turns)"
    )
    for what, side in zip(SERVERS, sides, strict=True):
        core, stub, client = side.cpu_us
        print(
            f"  {what}: batches of {side.batch:.1f}, median {statistics.median(side.rates):.0f} rows/s, CPU us a row: "
            f"server {core:.0f}, stub {stub:.0f}, client {client:.0f}"
        )


if __name__ == "__main__":
    main()
