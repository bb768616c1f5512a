"""Pipelines that wiring lets through, on a live server: it loads each, and answers a request to it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from tritonclient import http

from builder import wiring
from builder.config.ensemble import make_ensemble
from builder.config.render import render
from builder.server import Serving
from builder.server.embedded import running
from builder.spec.model_config import ModelConfig
from builder.spec.project import Pipeline
from builder.spec.releases import release
from builder.wiring import Known
from tests.lint.case import write_onnx
from tests.live.core_server import CoreServer, core_server, needs_backend
from tests.unit.readspec.pipeline_mistakes import MODELS as SPEC
from tests.unit.readspec.pipeline_mistakes import search
from tests.unit.wiring.good_pipelines import GOOD, MODELS, pipeline
from tests.unit.wiring.random_pipelines import Made, made
from tests.unit.wiring.values import FP32, config_of, known


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreServer]:
    with core_server(tmp_path_factory.mktemp("pipelines")) as server:
        needs_backend(server)
        yield server


def refused(
    server: CoreServer, pipeline: Pipeline, models: Mapping[str, Known], configs: Mapping[str, ModelConfig]
) -> str:
    """Return why the server does not load a pipeline; empty where it does."""
    ensemble = make_ensemble(wiring.wire("pipeline", pipeline, models))
    texts = {name: render(_tiny(config)) for name, config in configs.items()}
    folders = [
        server.add({"config.pbtxt": text, "1/": ""}, name=name)
        for name, text in {**texts, "pipeline": render(ensemble)}.items()
    ]
    try:
        answer = server.load("pipeline")
        return "" if answer.is_ready else answer.words
    finally:
        for name in texts:
            server.post(f"/v2/repository/models/{name}/unload")
        for folder in folders:
            shutil.rmtree(folder)


def _tiny(config: ModelConfig) -> ModelConfig:
    return config if config.platform else replace(config, backend="tiny")


@pytest.mark.parametrize("name", GOOD)
def test_a_good_pipeline_loads(name: str, server: CoreServer) -> None:
    """The server loads the ensemble of every shape that a pipeline can have."""
    pipeline = GOOD[name]
    configs = {model: config_of(model, MODELS[model]) for model in wiring.models_of(pipeline)}

    assert refused(server, pipeline, MODELS, configs) == ""


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=made())
def test_a_random_pipeline_without_mistakes_loads(one: Made, server: CoreServer) -> None:
    """The server loads what wiring lets through."""
    assume(not wiring.mistakes(one.pipeline, one.known))

    assert refused(server, one.pipeline, one.known, one.configs) == ""


def test_a_pipeline_that_is_a_step_loads(server: CoreServer) -> None:
    """The server loads an ensemble whose step is an ensemble."""
    inner = pipeline("ids", "score", "encoder", "head")
    outer = pipeline("text", "score", "tokens", "inner")
    models = {**MODELS, "inner": wiring.as_step(inner, MODELS)}
    configs = {model: config_of(model, MODELS[model]) for model in ("tokens", "encoder", "head")}
    configs["inner"] = make_ensemble(wiring.wire("inner", inner, MODELS))

    assert refused(server, outer, models, configs) == ""


SQUARES = known({"x": (FP32, ("batch",))}, {"y": (FP32, ("batch", 4))})
ROWS = known({"y": (FP32, ("n", 4))}, {"z": (FP32, ("n", 4))}, batch=0)
SUMS = known({"z": (FP32, ("batch", 4))}, {"sum": (FP32, ("batch",))}, batch=4)
GRAPHS = {
    "squares": "g (float[N] x) => (float[N,4] y) <int64[1] a = {1}, int64[2] s = {1,4}> "
    "{ u = Unsqueeze(x, a) y = Expand(u, s) }",
    "rows": "g (float[N,4] y) => (float[N,4] z) { z = Neg(y) }",
    "sums": "g (float[N,4] z) => (float[N] sum) <int64[1] a = {1}> { sum = ReduceSum<keepdims = 0>(z, a) }",
}


def test_a_batch_of_single_numbers_goes_through_a_pipeline_that_does_not_batch(tmp_path: Path) -> None:
    """Clients send [batch, 1] for what the first model has as [batch], and get as much of the last."""
    models = {"squares": SQUARES, "rows": ROWS, "sums": SUMS}
    one = pipeline("x", "sum", *models)
    assert wiring.mistakes(one, models) == ()
    configs = {name: config_of(name, model) for name, model in models.items()}
    configs["pipeline"] = make_ensemble(wiring.wire("pipeline", one, models))
    for name, config in configs.items():
        (tmp_path / "models" / name / "1").mkdir(parents=True)
        (tmp_path / "models" / name / "config.pbtxt").write_text(render(config))
    for name, graph in GRAPHS.items():
        text = f'<ir_version: 8, opset_import: ["": 18]> {graph}'
        write_onnx(tmp_path / "models" / name / "1" / "model.onnx", text)
    serving = Serving(
        repository=tmp_path / "models",
        release=release("24.10"),
        log_dir=tmp_path / "logs",
        models=tuple(configs),
        control="explicit",
    )

    sent = http.InferInput("x", [3, 1], "FP32")
    sent.set_data_from_numpy(np.array([[1], [2], [3]], np.float32))
    with running(serving) as endpoint, http.InferenceServerClient(endpoint.http) as client:
        answer = client.infer("pipeline", [sent]).as_numpy("sum")

    np.testing.assert_array_equal(answer.reshape(-1), [-4, -8, -12])


READ = """
import sys
from pathlib import Path
from builder.errors import SpecError
from builder.readspec import read
try:
    read(Path(sys.argv[1]))
except SpecError as error:
    print(error.what.splitlines()[0].rpartition(" has ")[2], "torch" in sys.modules)
"""


def test_mistakes_are_told_before_torch_is_there(tmp_path: Path) -> None:
    """Who joins steps wrongly does not wait for torch, and needs none."""
    spec = tmp_path / "trb.yaml"
    spec.write_text(f"{SPEC}pipelines:\n{search('tokens', 'encodr', 'head_onnx', outputs='[scores]')}")

    done = subprocess.run(
        [sys.executable, "-c", READ, str(spec)], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "a mistake: False\n"
