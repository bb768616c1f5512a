"""A runtime in a process of its own, in the stub's Python and so in the stub's versions."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from _served import TARGET

from builder.server.embedded.stub_python import stub_python

_SCRIPT = """
import sys, time
import numpy as np
kind, path, shape = sys.argv[1], sys.argv[2], tuple(map(int, sys.argv[3].split(",")))
rows = np.random.default_rng(0).uniform(0, 16, shape).astype(np.float32)
if kind == "onnxruntime":
    import onnxruntime as runtime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    run = lambda: session.run(["y"], {"x": rows})
else:
    import torch as runtime
    runtime.set_num_threads(1)
    model = runtime.jit.load(path, map_location="cpu")
    tensor = runtime.from_numpy(rows)
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
    """One file run by one thread, always on the same rows, whose shape is given."""

    def __init__(self, backend: str, file: Path, shape: Sequence[int]) -> None:
        python = stub_python(TARGET, target_torch=False, say=print) / "python3"
        self._process = subprocess.Popen(
            [python, "-c", _SCRIPT, backend, file, ",".join(map(str, shape))],
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
