"""p50 and throughput of both engines of `trb perf`, in turns, on one embedded server."""

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from _paired import machine
from onnx import TensorProto, helper, numpy_helper

from builder.perf import Load, Settings, Wish, measure, plan
from builder.server import Serving
from builder.server.embedded import running
from builder.server.endpoint import Endpoint
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Model
from builder.spec.releases import release
from builder.spec.results import LoadPoint

SIDE = 8
MODEL = Model(
    source="m:f",
    inputs={"image": Input(dtype=DType.FP32, shape=("batch", 1, SIDE, SIDE), range=(0, 16))},
    dims={"batch": Axis(max=8)},
)
CONFIG = f"""
name: "small"
backend: "onnxruntime"
max_batch_size: 8
input [{{ name: "image" data_type: TYPE_FP32 dims: [ 1, {SIDE}, {SIDE} ] }}]
output [{{ name: "digit" data_type: TYPE_FP32 dims: [ 10 ] }}]
dynamic_batching {{}}
instance_group [{{ count: 1 kind: KIND_CPU }}]
parameters {{ key: "intra_op_thread_count" value: {{ string_value: "1" }} }}
"""
ENGINES = ("perf_analyzer", "trb")


def main() -> None:
    """Measure both engines at each concurrency and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=1.0, help="seconds")
    given = parser.parse_args()
    settings = Settings(window_s=given.window, max_windows=5)
    ratios: list[str] = []
    with served() as (endpoint, version):
        for protocol in ("grpc", "http"):
            for concurrency in (1, 4):
                load = Load(concurrency=concurrency, protocol=protocol)
                ratios.append(show(load, in_turns(endpoint, version, load, settings, given.rounds), given))
    print(f"ours to NVIDIA's: {'; '.join(ratios)}")
    print(f"on {endpoint.description}, batch 1; {machine()}")


def in_turns(
    endpoint: Endpoint, version: Path, load: Load, settings: Settings, rounds: int
) -> dict[str, list[LoadPoint]]:
    """Return `rounds` points of each engine, the first of a pair changing sides."""
    points: dict[str, list[LoadPoint]] = {engine: [] for engine in ENGINES}
    for number in range(rounds):
        for engine in ENGINES if number % 2 else reversed(ENGINES):
            planned = plan(MODEL, None, Wish(), [load], engine=engine, settings=settings)
            points[engine].extend(measure(version, endpoint, planned).points)
    return points


def show(load: Load, points: dict[str, list[LoadPoint]], given: argparse.Namespace) -> str:
    """Print both engines' medians over the rounds; return how far they agree."""
    theirs, ours = (points[engine] for engine in ENGINES)
    for one in (theirs, ours):
        requests = sum(point.requests for point in one)
        stable = sum(point.stable for point in one)
        print(
            f"{load}, {one[0].protocol}, {one[0].engine}: p50 {p50(one):.3f} ms, {rows(one):.0f} rows/s"
            f" ({requests} requests, {stable} of {len(one)} rounds stable, windows of {given.window:g} s,"
            f" {one[0].warmup_s:g} s warm-up)"
        )
    return f"{theirs[0].protocol} {load}: p50 {p50(ours) / p50(theirs):.2f}, rows/s {rows(ours) / rows(theirs):.2f}"


def p50(points: Sequence[LoadPoint]) -> float:
    """Return the median of the rounds' p50, in ms."""
    return statistics.median(point.p50_ms for point in points)


def rows(points: Sequence[LoadPoint]) -> float:
    """Return the median of the rounds' throughput."""
    return statistics.median(point.throughput for point in points)


@contextmanager
def served() -> Iterator[tuple[Endpoint, Path]]:
    """Serve a small convolution of one 8 by 8 image."""
    with tempfile.TemporaryDirectory() as room:
        version = Path(room) / "repository" / "small" / "1"
        version.mkdir(parents=True)
        (version.parent / "config.pbtxt").write_text(CONFIG)
        onnx.save(network(), version / "model.onnx")
        with running(
            Serving(repository=Path(room) / "repository", release=release("24.10"), log_dir=Path(room))
        ) as endpoint:
            yield endpoint, version


def network() -> onnx.ModelProto:
    """Return conv, relu, pool, linear, with random weights."""
    random = np.random.default_rng(0)
    shapes = {"kernel": (16, 1, 3, 3), "dense": (16, 10)}
    weights = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["a"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("GlobalAveragePool", ["b"], ["c"]),
            helper.make_node("Flatten", ["c"], ["d"]),
            helper.make_node("MatMul", ["d", "dense"], ["digit"]),
        ],
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("digit", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


if __name__ == "__main__":
    main()
