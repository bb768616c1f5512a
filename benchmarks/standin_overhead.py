"""The server's compute-infer time for 8 small images against the same runtime, same version, called in-process."""

import argparse
import statistics
import tempfile
from pathlib import Path

from _bare import Bare
from _paired import machine
from _served import FILES, IMAGES, digits, lay_out, served

from builder.perf.wire import open_sender, request_bytes
from builder.server.client import Client
from builder.server.endpoint import Endpoint
from builder.spec.dtypes import DType


def served_us(endpoint: Endpoint, client: Client, name: str, runs: int) -> float:
    """Return the server's own compute-infer microseconds, averaged over `runs` requests one after the other."""
    body = request_bytes("grpc", name, 1, {"x": IMAGES}, {"x": DType.FP32})
    before = client.statistics(name, 1)
    with open_sender(endpoint, "grpc", timeout_s=60) as send:
        for _ in range(runs):
            if problem := send(body):
                raise SystemExit(problem)
    return client.statistics(name, 1).since(before).compute_infer.mean_us


def main() -> None:
    """Time both in turns, for both backends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--runs", type=int, default=40)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "repository"
        names = lay_out(repository, "digits", digits(), IMAGES)
        with served(repository, Path(folder)) as (endpoint, client):
            for backend, name in names.items():
                bare = Bare(backend, repository / name / "1" / FILES[backend], IMAGES.shape)
                served_us(endpoint, client, name, 300)
                pairs = [
                    (served_us(endpoint, client, name, wish.runs), bare.mean_us(wish.runs))
                    for _ in range(wish.rounds)
                ]
                bare.end()
                report(backend, bare.version, pairs, wish.runs)
    print(machine())


def report(backend: str, version: str, pairs: list[tuple[float, float]], runs: int) -> None:
    """Print one line, ready for README.md. The quickest rounds are compared: other processes only ever add."""
    ours, theirs = (min(side) for side in zip(*pairs, strict=True))
    medians = [f"{statistics.median(side):.0f}" for side in zip(*pairs, strict=True)]
    print(
        f"stand-in {backend} ({version}), batch of 8 images of 1x8x8, 1 thread: server's compute-infer {ours:.0f} us, "
        f"in-process {theirs:.0f} us: {ours / theirs:.2f} times, {ours - theirs:+.0f} us a batch (quickest of "
        f"{len(pairs)} rounds of {runs} in turns; medians {' and '.join(medians)} us)"
    )


if __name__ == "__main__":
    main()
