import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from builder.errors import ServerError
from builder.perf import Load, Settings, Wish, measure, plan, with_budget
from builder.server import Serving
from builder.server.embedded import running
from builder.server.endpoint import Endpoint
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Latency, Model
from builder.spec.releases import release
from builder.spec.results import LoadPoint
from tests.live.conftest import Trb

pytestmark = pytest.mark.alone
WORDS = 100
QUICK = Settings(window_s=0.4, warmup_s=0.2, max_windows=4)
MODEL = Model(
    source="m:f",
    inputs={"ids": Input(dtype=DType.INT64, shape=("batch", "seq"), range=(0, WORDS - 1))},
    dims={"seq": Axis(max=16), "batch": Axis(max=8)},
)
CONFIG = """
name: "embedding"
backend: "onnxruntime"
max_batch_size: 8
input [{ name: "ids" data_type: TYPE_INT64 dims: [ -1 ] }]
output [{ name: "y" data_type: TYPE_FP32 dims: [ -1, 4 ] }]
instance_group [{ count: 1 kind: KIND_CPU }]
"""


class Served(NamedTuple):
    endpoint: Endpoint
    version_folder: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A live Triton with an embedding of 100 words, which refuses any other index."""
    folder = tmp_path_factory.mktemp("perf")
    version = folder / "repository" / "embedding" / "3"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(CONFIG + "version_policy: { all: {} }\n")
    write_embedding(version / "model.onnx")
    with running(
        Serving(repository=folder / "repository", release=release("24.10"), log_dir=folder / "logs")
    ) as live:
        yield Served(live, version)


def write_embedding(path: Path) -> None:
    table = numpy_helper.from_array(np.ones((WORDS, 4), np.float32), "table")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["y"])],
        "embedding",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "seq"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "seq", 4])],
        [table],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def point(
    served: Served,
    load: Load,
    engine: str,
    *,
    latency: Latency | None = None,
    wish: Wish | None = None,
    settings: Settings = QUICK,
    on_step: Callable[[str], None] = lambda _: None,
) -> LoadPoint:
    model = replace(MODEL, latency=latency)
    planned = plan(
        model, None, wish or Wish(), with_budget([load], latency), engine=engine, settings=settings
    )
    perf = measure(served.version_folder, served.endpoint, planned, on_step=on_step)
    assert perf.input_data == planned.input_data
    (only,) = perf.points
    return only


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize(("engine", "said"), [("trb", "trb"), ("perf_analyzer", "perf_analyzer 2.51.0")])
def test_both_engines_measure_a_closed_loop_of_integers_in_their_range(
    served: Served, engine: str, said: str, protocol: str
) -> None:
    """Random ids of the declared range are answered without an error, and every figure is there."""
    found = point(served, Load(concurrency=2, batch=4, protocol=protocol), engine)

    assert (found.engine, found.errors, found.first_error, found.missed) == (said, 0, "", ())
    assert found.protocol == {"grpc": "gRPC", "http": "HTTP"}[protocol]
    assert 0 < found.p50_ms <= found.p90_ms <= found.p95_ms <= found.p99_ms
    assert found.requests > 50
    assert found.windows == 3
    # Two in flight, four rows each: Little's law ties throughput and latency together.
    assert found.throughput * found.mean_ms / 1000 == pytest.approx(2 * 4, rel=0.3)
    assert found.split is not None
    assert 0 < found.split.compute_infer_us < found.mean_ms * 1000
    assert found.split.average_batch == pytest.approx(4)


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_an_open_loop_keeps_its_rate(served: Served, arrivals: str) -> None:
    """At 100 requests a second about 100 are answered each second, by our engine, which says why."""
    found = point(served, Load(rate=100.0, arrivals=arrivals), "auto")

    assert found.throughput == pytest.approx(100, rel=0.35)
    assert found.engine.startswith("trb (perf_analyzer 2.51.0 times a late request")
    assert found.errors == 0


def test_perf_analyzer_measures_a_rate_when_asked_by_name(served: Served) -> None:
    """`--engine perf_analyzer` takes a request rate too."""
    found = point(served, Load(rate=100.0), "perf_analyzer")

    assert found.engine == "perf_analyzer 2.51.0"
    assert found.throughput == pytest.approx(100, rel=0.35)


def test_an_open_loop_is_charged_for_a_stall(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server stops for half a second, the requests that fall due meanwhile are as late as that.

    Only four can be in flight: timed from their sending, four of hundreds would be slow and p90 would not show it.
    """
    monkeypatch.setattr("builder.perf.generate.MOST_IN_FLIGHT", 4)
    stalling = threading.Thread(target=stall, args=(served.endpoint, 0.5))
    lines: list[str] = []

    def on_step(line: str) -> None:
        lines.append(line)
        if len(lines) == 1:  # after the first of three windows
            stalling.start()

    found = point(served, Load(rate=200.0), "trb", settings=replace(QUICK, max_windows=3), on_step=on_step)
    stalling.join()

    # Of 240 requests in three windows about 100 fell due in the stall: their lateness goes from 0 to 0.5 s.
    assert 200 < found.p90_ms < 520
    assert found.p50_ms < 200


def stall(endpoint: Endpoint, seconds: float) -> None:
    assert endpoint.pid is not None
    os.kill(endpoint.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(endpoint.pid, signal.SIGCONT)


@pytest.mark.parametrize("engine", ["trb", "perf_analyzer"])
def test_a_missed_budget_is_a_sentence_per_figure(served: Served, engine: str) -> None:
    """A median of 1 us and a billion rows a second are missed; p99 within a minute is not."""
    latency = Latency(p50_ms=0.001, p99_ms=60_000, throughput_min=1e9)

    found = point(served, Load(concurrency=1), engine, latency=latency)

    assert len(found.missed) == 2
    assert "p50" in found.missed[0]
    assert "throughput" in found.missed[1]
    assert found.watched == "p99"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_failed_requests_are_counted_with_what_the_server_said(
    served: Served, tmp_path: Path, protocol: str
) -> None:
    """Of two requests in turn one is out of bounds: about half fail, the rest is measured, by our engine."""
    np.savez(tmp_path / "bad.npz", ids=np.array([[1, 2], [1, WORDS]]))

    found = point(
        served, Load(concurrency=1, protocol=protocol), "auto", wish=Wish(file=tmp_path / "bad.npz")
    )

    assert found.engine == "trb (perf_analyzer 2.51.0 stops at the first failed request)"
    assert found.errors > 5
    assert found.requests > 5
    assert "indices element out of data bounds" in found.first_error


def test_a_server_that_only_fails_meets_no_budget_and_ends_early(served: Served, tmp_path: Path) -> None:
    """When every request fails there is no figure, one window is enough, and any budget is missed."""
    np.savez(tmp_path / "bad.npz", ids=np.array([[WORDS]]))

    found = point(
        served,
        Load(concurrency=1),
        "trb",
        latency=Latency(p99_ms=60_000),
        wish=Wish(file=tmp_path / "bad.npz"),
    )

    assert found.requests == 0
    assert found.windows == 1
    assert "no request was answered" in found.missed[0]


def test_another_live_configuration_is_measured_by_nobody(served: Served, tmp_path: Path) -> None:
    """A server whose configuration is not ours is an error that names both values, not figures."""
    version = tmp_path / "embedding" / "3"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(
        CONFIG.replace("max_batch_size: 8", "max_batch_size: 4").replace("count: 1", "count: 2")
    )

    with pytest.raises(ServerError) as failure:
        point(served._replace(version_folder=version), Load(concurrency=1), "trb")

    assert failure.value.exit_code == 6
    assert "has max_batch_size 8, config.pbtxt has 4" in failure.value.what
    assert "has instance_group.count 1, config.pbtxt has 2" in failure.value.what


def test_a_version_that_the_server_does_not_serve_is_an_error(served: Served) -> None:
    """Version 4 of a model of which the server has version 3 is not measured, and 3 is named."""
    newer = served._replace(version_folder=served.version_folder.parent / "4")

    with pytest.raises(ServerError, match="does not serve version 4 of embedding; it serves 3"):
        point(newer, Load(concurrency=1), "trb")


SPEC = """
repository: repository
models:
  small:
    source: small:load
    samples: small:samples
    inputs:
      x: {dtype: fp32, shape: [batch, 4]}
    latency: {p99_ms: 60000, request_rate: 50}
"""
MODULE = """
import numpy, torch

def load():
    torch.manual_seed(0)
    return torch.nn.Linear(4, 3)

def samples():
    return {"x": numpy.zeros((4, 4), "float32")}
"""


def test_a_budget_is_measured_as_the_command_line_says(trb: Trb, tmp_path: Path) -> None:
    """Protocol, arrivals and rows of the command line hold where only the budget gives a load; and what can be
    wrong without a server ends before one is started."""
    (tmp_path / "trb.yaml").write_text(SPEC)
    (tmp_path / "small.py").write_text(MODULE)
    trb("build", cwd=tmp_path)
    quick = ("--window", "300ms", "--max-windows", "3", "--engine", "trb", "--json")

    said = trb("perf", "--protocol", "http", "--arrivals", "constant", "-b", "2", *quick, cwd=tmp_path).stdout
    points = json.loads(said)["models"][0]["points"]
    (tmp_path / "in.npz").write_bytes(b"")
    refused = trb("perf", "--input-data", "in.npz", cwd=tmp_path, expect=2)
    (tmp_path / "small.py").write_text(MODULE.replace("(4, 4)", "(4, 5)"))
    unfit = trb("perf", cwd=tmp_path, expect=3)

    assert [(one["load"], one["batch"], one["protocol"], one["budgeted"]) for one in points] == [
        ("rate 50/s", 1, "HTTP", True),
        ("rate 50/s", 2, "HTTP", False),
    ]
    assert "in.npz cannot be read as .npz: it is empty" in refused.stderr
    assert "axis 1 of `x` is 5" in unfit.stderr
    assert "triton" not in refused.stderr + unfit.stderr
