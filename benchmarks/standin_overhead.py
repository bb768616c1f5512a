"""The server's compute-infer time for 8 small images against the same runtime, same version, called in-process."""

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path

from _paired import machine
from _served import FILES, IMAGES, TARGET, digits, lay_out, served

from builder.perf.wire import open_sender, request_bytes
from builder.server.client import Client
from builder.server.embedded.stub_python import stub_python
from builder.server.endpoint import Endpoint
from builder.spec.dtypes import DType

BARE = """
import sys, time
import numpy as np
kind, path, shape = sys.argv[1], sys.argv[2], tuple(map(int, sys.argv[3].split(",")))
images = np.random.default_rng(0).uniform(0, 16, shape).astype(np.float32)
if kind == "onnxruntime":
    import onnxruntime as runtime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    run = lambda: session.run(["y"], {"x": images})
else:
    import torch as runtime
    runtime.set_num_threads(1)
    model = runtime.jit.load(path, map_location="cpu")
    tensor = runtime.from_numpy(images)
    def run():
        with runtime.inference_mode():
            return model(tensor)
for _ in range(200):
    run()
print(runtime.__version__, flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    for _ in range(int(line)):
        run()
    print((time.perf_counter() - started) / int(line) * 1e6, flush=True)
"""


class Bare:
    """The runtime in a process of its own, in the stub's Python, so that versions are the same."""

    def __init__(self, backend: str, file: Path) -> None:
        python = stub_python(TARGET, target_torch=False, say=print) / "python3"
        shape = ",".join(map(str, IMAGES.shape))
        self._process = subprocess.Popen(
            [python, "-c", BARE, backend, file, shape],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._process.stdout.readline().strip()

    def mean_us(self, runs: int) -> float:
        """Return microseconds per run."""
        self._process.stdin.write(f"{runs}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """Close its input, at which it ends."""
        self._process.stdin.close()
        self._process.wait(timeout=30)


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
                bare = Bare(backend, repository / name / "1" / FILES[backend])
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
