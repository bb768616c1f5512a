"""The same inputs to two live servers: what differs between them is found, and where."""

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from builder.server import Endpoint, Serving, open_server
from builder.server.docker.daemon import connected
from builder.spec.releases import release
from tests.live.conftest import Trb

MODEL = """
import torch

def load():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
"""
FUNCTION = """
import numpy as np

def halve(y: np.ndarray) -> np.ndarray:
    return y / 2
"""
SPEC = """
triton: "24.10"
repository: repository
models:
  small:
    source: small:load
    inputs:
      x: {dtype: fp32, shape: [batch, 4]}
    output_names: [y]
    dims:
      batch: {max: 8}
  halve:
    source: halving:halve
    backend: python
    inputs:
      y: {dtype: fp32, shape: [batch, 3]}
    outputs:
      half: {dtype: fp32, shape: [batch, 3]}
    dims:
      batch: {max: 8}
pipelines:
  both:
    steps: [small, halve]
    outputs: [half]
    inputs: [x]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, trb: Trb) -> Path:
    """One project, built once; copy what is to be spoilt."""
    folder = tmp_path_factory.mktemp("built") / "project"
    folder.mkdir()
    (folder / "small.py").write_text(MODEL)
    (folder / "halving.py").write_text(FUNCTION)
    (folder / "trb.yaml").write_text(SPEC)
    trb("build", cwd=folder)
    return folder


@contextmanager
def served(repository: Path) -> Iterator[Endpoint]:
    with open_server("embedded", Serving(repository=repository, release=release("24.10"))) as endpoint:
        yield endpoint


def against(endpoint: Endpoint) -> tuple[str, ...]:
    return ("--against", f"http://{endpoint.http}", "--against-grpc-url", endpoint.grpc)


def test_two_servers_of_the_same_files_are_the_same_to_the_bit(trb, built):
    """Every output of a model, a Python function and a pipeline is bit-identical over both protocols."""
    done = trb("check", "--against", "embedded", "--json", "--junit", "junit.xml", cwd=built)

    report = json.loads(done.stdout)
    outputs = [one for model in report["models"] for one in model["against"]["outputs"]]
    assert report["against"] == "embedded Triton 2.51.0"
    assert {one["bit_identical"] for one in outputs} == {True}
    assert [(one["hop"], one["output"]) for one in report["models"][0]["against"]["outputs"]] == [
        ("gRPC -> gRPC (against)", "y"),
        ("HTTP -> HTTP (against)", "y"),
    ]
    assert report["models"][0]["against"]["ran_on"]["runtime"] == "onnxruntime 1.19.2 (stand-in)"
    assert ET.parse(built / "junit.xml").getroot().get("failures") == "0"


def add_to_a_weight(file: Path, amount: float) -> None:
    proto = onnx.load(file)
    weight = max(proto.graph.initializer, key=lambda one: int(np.prod(one.dims)))
    values = numpy_helper.to_array(weight).copy()
    values.flat[0] += amount
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    file.unlink()
    onnx.save(proto, file)


@pytest.fixture
def theirs(built: Path, tmp_path: Path) -> Path:
    """A copy of the repository, for the test to change."""
    return Path(shutil.copytree(built / "repository", tmp_path / "theirs"))


def test_one_altered_weight_is_found_and_located(trb, built, theirs, tmp_path):
    """The checked server passes every hop of its own; what differs is told by model, step, output and case."""
    add_to_a_weight(theirs / "small" / "1" / "model.onnx", 0.5)

    with served(theirs) as there:
        done = trb("check", *against(there), "--json", "--junit", tmp_path / "j.xml", cwd=built, expect=7)

    small, halve, both = json.loads(done.stdout)["models"]
    assert {hop["name"] for hop in small["hops"] if not hop["passed"]} == {
        "gRPC -> gRPC (against)",
        "HTTP -> HTTP (against)",
    }
    assert halve["passed"]
    assert both["first_failure"] == "step small: gRPC -> gRPC (against)"
    assert [(one["hop"], one["bit_identical"]) for one in both["against"]["outputs"]] == [
        ("step small: gRPC -> gRPC (against)", False),
        ("step halve: gRPC -> gRPC (against)", True),
        ("gRPC -> gRPC (against)", False),
        ("HTTP -> HTTP (against)", False),
    ]
    worst = small["against"]["outputs"][0]
    assert worst["needed_atol"] > 1e-3
    assert worst["max_abs"] > 1e-3
    assert "batch=" in worst["worst_case"]
    assert small["against"]["ran_on"]["runtime"] == "unknown"
    failing = [
        one.get("name")
        for one in ET.parse(tmp_path / "j.xml").iter("testcase")
        if one.find("failure") is not None
    ]
    assert "step small: gRPC -> gRPC (against)" in failing


def test_a_difference_inside_the_tolerance_passes_and_is_told(trb, built, theirs):
    """It is not bit-identical, and the report says how far apart and which tolerance that takes."""
    add_to_a_weight(theirs / "small" / "1" / "model.onnx", 1e-6)

    with served(theirs) as there:
        done = trb("check", "small", *against(there), cwd=built)

    rows = [line for line in done.stdout.splitlines() if line.startswith("gRPC -> gRPC (against)  y")]
    assert len(rows) == 1
    assert "atol" in rows[0]
    assert "to the bit" not in rows[0]
    assert f", and against Triton 2.51.0 at {there.http}" in done.stdout.splitlines()[-1]


def test_a_model_that_the_other_server_lacks_ends_with_6(trb, built, theirs):
    """The error says which of the two servers it is."""
    shutil.rmtree(theirs / "both")
    shutil.rmtree(theirs / "small")

    with served(theirs) as there:
        done = trb("check", "small", *against(there), cwd=built, expect=6)

    assert f"Triton 2.51.0 at {there.http} does not serve version 1 of small" in done.stderr


def test_another_server_that_does_not_answer_ends_with_6(trb, built):
    """The error begins with the option that named it."""
    done = trb("check", "small", "--against", "http://127.0.0.1:9", cwd=built, expect=6)

    assert "--against http://127.0.0.1:9: no Triton answers" in done.stderr


@pytest.mark.slow
def test_a_container_is_held_against_the_embedded_server(trb, built, cpu_image):
    """The same runtime in an image gives the same bits; the versions of both stand in the report."""
    done = trb("check", "--against", "docker", "--against-image", cpu_image, "--json", cwd=built)

    report = json.loads(done.stdout)
    small = report["models"][0]
    assert report["against"] == f"Triton in a container of {cpu_image}"
    assert small["against"]["ran_on"]["runtime"] == "onnxruntime 1.19.2 (stand-in)"
    assert all(one["bit_identical"] for model in report["models"] for one in model["against"]["outputs"])


@pytest.mark.slow
def test_an_image_that_cannot_be_had_ends_with_6(trb, built, cpu_image):
    """The error begins with the option that named the second server."""
    done = trb(
        *("check", "small", "--against", "docker", "--against-image", "trb-test.invalid/none:1"),
        cwd=built,
        expect=6,
    )

    assert (
        "--against docker: the Docker daemon does not have the image trb-test.invalid/none:1" in done.stderr
    )


@pytest.mark.slow
def test_two_containers_run_at_once(trb, built, cpu_image):
    """A container is held against another one of the same image, under the limits of the first, and both are gone."""
    done = trb(
        *("check", "small", "--server", "docker", "--image", cpu_image, "--cpus", "1", "--against", "docker"),
        cwd=built,
    )

    assert done.stdout.splitlines()[-1].endswith(f"and against Triton in a container of {cpu_image} (1 core)")
    assert containers(built / "repository") == set()


def containers(repository: Path) -> set[str]:
    with connected() as daemon:
        found = daemon.client.containers.list(all=True, filters={"label": f"trb.repository={repository}"})
        return {str(one.name) for one in found}
