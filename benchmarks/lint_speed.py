"""`trb lint` on many small ONNX models, and on one whose weights are large: promised that time grows linearly."""

import argparse
import multiprocessing
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from _paired import TRB, machine
from onnx import TensorProto, helper, numpy_helper

CONFIG = """
backend: "onnxruntime"
max_batch_size: 8
input {{ name: "x" data_type: TYPE_FP32 dims: [ {width} ] }}
output {{ name: "y" data_type: TYPE_FP32 dims: [ {width} ] }}
"""


def write_model(folder: Path, *, width: int, rows: int, external: bool = False) -> None:
    """Write a model of three layers, its weights being `rows` of `width`."""
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(CONFIG.format(width=width))
    weights = {
        "a": np.ones((width, rows), np.float32),
        "b": np.ones((rows, width), np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("MatMul", ["active", "b"], ["y"]),
    ]
    border = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width]) for name in ("x", "y")]
    graph = helper.make_graph(
        nodes,
        "g",
        border[:1],
        border[1:],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(
        model,
        folder / "1" / "model.onnx",
        save_as_external_data=external,
        location="weights",
        size_threshold=1024,
    )


def write_apart(folder: Path, **what: Any) -> None:
    """Write a model in another process: the memory it takes would be counted as that of `trb lint` started here."""
    writer = multiprocessing.get_context("spawn").Process(target=write_model, args=(folder,), kwargs=what)
    writer.start()
    writer.join()


class Took(NamedTuple):
    """What a run of `trb lint` takes."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    """The most that one of its processes has in memory."""


def lint(repository: Path) -> Took:
    """Lint `repository`, which is sound."""
    started = time.perf_counter()
    process = subprocess.Popen([TRB, "lint", repository], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    assert os.waitstatus_to_exitcode(status) == 0, "every model is sound"
    return Took(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def main() -> None:
    """Time repositories of several sizes in turns, then small weights against large ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        many(Path(room), given.models, given.runs)
        large(Path(room), given.megabytes, given.runs)
    print(machine())


def many(room: Path, most: int, runs: int) -> None:
    """Print the seconds for a quarter, a half and all of `most` models."""
    sizes = (1, most // 4, most // 2, most)
    for size in sizes:
        for number in range(size):
            write_model(room / f"of_{size}" / f"model_{number:04}", width=8, rows=16)
    runs_of: dict[int, list[Took]] = {size: [] for size in sizes}
    for _ in range(runs):
        for size in sizes:
            runs_of[size].append(lint(room / f"of_{size}"))
    best = {size: min(found) for size, found in runs_of.items()}
    for size in sizes:
        took = best[size]
        print(f"{size} models: {took.seconds:.2f} s, {took.cpu_seconds:.2f} s of CPU (quickest of {runs})")
    one, quarter, half, whole = (min(took.cpu_seconds for took in runs_of[size]) for size in sizes)
    print(
        f"{1000 * (whole - one) / (most - 1):.2f} ms of CPU a model; from a half to all of them takes "
        f"{(whole - half) / (half - quarter):.2f} times as much as from a quarter to a half (promised: 2, linear)"
    )


def large(room: Path, megabytes: int, runs: int) -> None:
    """Print what weights of `megabytes` cost, in the file and beside it, against small ones."""
    rows = megabytes * 1_000_000 // (2 * 4 * 1000)
    write_apart(room / "small" / "m", width=1000, rows=1)
    write_apart(room / "inline" / "m", width=1000, rows=rows)
    write_apart(room / "external" / "m", width=1000, rows=rows, external=True)
    for name in ("small", "inline", "external"):
        found = [lint(room / name) for _ in range(runs)]
        quickest, most = min(found), max(took.memory_mb for took in found)
        print(f"{name} weights: {quickest.seconds:.2f} s, at most {most:.0f} MB in memory")


if __name__ == "__main__":
    main()
