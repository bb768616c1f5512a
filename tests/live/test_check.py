"""The gate on a live server: what it lets through, and what it names."""

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from builder.server import Endpoint, Serving, open_server
from builder.spec.releases import release
from tests.live.conftest import Trb

MODEL = """
import torch

def load():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
"""
SPEC = """
triton: "24.10"
repository: repository
models:
  small:
    source: small:load
    inputs:
      x: {dtype: fp32, shape: [batch, 4]}
    dims:
      batch: {max: 8}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, trb: Trb) -> Path:
    folder = tmp_path_factory.mktemp("built") / "project"
    folder.mkdir()
    (folder / "small.py").write_text(MODEL)
    (folder / "trb.yaml").write_text(SPEC)
    trb("build", cwd=folder)
    return folder


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """The built project, in a folder that the test may spoil."""
    return Path(shutil.copytree(built, tmp_path / "project"))


def model_file(project: Path) -> Path:
    return project / "repository" / "small" / "1" / "model.onnx"


def change_weight(file: Path, change: Callable[[np.ndarray], None]) -> None:
    proto = onnx.load(file)
    weight = max(proto.graph.initializer, key=lambda one: int(np.prod(one.dims)))
    values = numpy_helper.to_array(weight).copy()
    change(values)
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    file.unlink()
    onnx.save(proto, file)


def off_by_a_tenth(values: np.ndarray) -> None:
    values.flat[0] += 0.1


def to_nan(values: np.ndarray) -> None:
    values.flat[0] = np.nan


@contextmanager
def served(repository: Path) -> Iterator[Endpoint]:
    """Serve `repository` as a server of the user's would be."""
    with open_server("embedded", Serving(repository=repository, release=release("24.10"))) as endpoint:
        yield endpoint


def check_at(trb: Trb, endpoint: Endpoint, project: Path, expect: int) -> tuple[str, str]:
    done = trb(
        "check",
        "--server",
        f"http://{endpoint.http}",
        "--grpc-url",
        endpoint.grpc,
        cwd=project,
        expect=expect,
    )
    return done.stdout, done.stderr


def test_a_faithful_model_passes_and_batches_form(trb, project):
    """An untouched model passes every hop, over gRPC and HTTP, alone and in batches."""
    done = trb("check", "--json", "--junit", "junit.xml", cwd=project)

    (found,) = json.loads(done.stdout)["models"]
    assert [hop["name"] for hop in found["hops"]] == [
        "PyTorch -> model.onnx",
        "model.onnx -> gRPC",
        "model.onnx -> HTTP",
        "PyTorch -> gRPC",
        "PyTorch -> HTTP",
        "alone -> concurrent",
    ]
    assert found["passed"]
    assert found["largest_batch"] > 1
    assert found["ran_on"]["server"] == "2.51.0"
    assert found["ran_on"]["runtime"] == "onnxruntime 1.19.2 (stand-in)"
    assert ET.parse(project / "junit.xml").getroot().get("failures") == "0"


def test_one_wrong_weight_after_export_fails_at_the_file(trb, project):
    """A changed weight in the published file ends with 7, the hop, the file and what would have passed."""
    change_weight(model_file(project), off_by_a_tenth)

    done = trb("check", "--junit", "junit.xml", cwd=project, expect=7)

    assert "The first hop that diverges: PyTorch -> model.onnx" in done.stdout
    assert "tolerance that would have passed: rtol" in done.stdout
    assert "model.onnx was changed after publication" in done.stdout
    assert int(ET.parse(project / "junit.xml").getroot().get("failures")) > 1


def test_a_nan_in_the_weights_fails_at_any_tolerance(trb, project):
    """With a NaN in the file no tolerance of the spec helps."""
    spec = project / "trb.yaml"
    spec.write_text(spec.read_text() + "    parity: {rtol: 1.0e+30, atol: 1.0e+30}\n")
    change_weight(model_file(project), to_nan)

    done = trb("check", cwd=project, expect=7)

    assert "NaN or infinity disagrees" in done.stdout


def test_a_server_that_runs_another_file_fails_at_the_server(trb, project, tmp_path):
    """A server of the user's with another weight than ours parts at model.onnx -> gRPC, and knows no runtime."""
    theirs = Path(shutil.copytree(project / "repository", tmp_path / "theirs"))
    change_weight(theirs / "small" / "1" / "model.onnx", off_by_a_tenth)

    with served(theirs) as endpoint:
        text, _ = check_at(trb, endpoint, project, 7)

    assert "The first hop that diverges: model.onnx -> gRPC" in text
    assert "changed after publication" not in text
    assert "what ran is not known" in text


def test_another_live_configuration_is_a_failure(trb, project, tmp_path):
    """Right numbers under another max_batch_size than ours fail, and both values are told."""
    theirs = Path(shutil.copytree(project / "repository", tmp_path / "theirs"))
    config = theirs / "small" / "config.pbtxt"
    text = config.read_text()
    assert "max_batch_size: 8" in text
    config.unlink()
    config.write_text(text.replace("max_batch_size: 8", "max_batch_size: 16"))

    with served(theirs) as endpoint:
        told, _ = check_at(trb, endpoint, project, 7)

    assert "problem: the live configuration has max_batch_size 16, config.pbtxt has 8" in told
    assert "diverges" not in told


def test_a_version_that_the_server_does_not_serve_is_an_error(trb, project, tmp_path):
    """A server with version 1 of a model whose newest version is 2 ends with 6 and says which it has."""
    theirs = Path(shutil.copytree(project / "repository", tmp_path / "theirs"))
    shutil.copytree(model_file(project).parent, project / "repository" / "small" / "2")

    with served(theirs) as endpoint:
        _, told = check_at(trb, endpoint, project, 6)

    assert "does not serve version 2 of small; it serves 1" in told


def test_a_version_that_was_copied_in_fails_until_one_is_built_above_it(trb, project):
    """A copy of version 1 as 7 answers right and fails the check; serving tells it, and a build goes above it."""
    small = project / "repository" / "small"
    shutil.copytree(small / "1", small / "7")

    copied = trb("check", cwd=project, expect=7)
    served = json.loads(trb("serve", "--detach", "--json", cwd=project).stdout)
    trb("serve", "--stop", cwd=project)
    (built,) = json.loads(trb("build", "--json", cwd=project).stdout)["models"]
    trb("check", cwd=project)

    told = f"{small / '7'} holds the record of version 1"
    assert f"problem: {told}" in copied.stdout
    assert "diverges" not in copied.stdout
    assert served["notes"][0].startswith(told)
    assert (built["status"], built["version"]) == ("built", 8)
    assert any(told in note for note in built["notes"])


def test_a_file_that_its_runtime_refuses_fails_its_hop_and_not_the_run(trb, project, tmp_path):
    """A model.onnx that is no ONNX is that model's first failing hop; the server's own file is still compared."""
    theirs = Path(shutil.copytree(project / "repository", tmp_path / "theirs"))
    model_file(project).unlink()
    model_file(project).write_bytes(b"no protobuf of a model")

    with served(theirs) as endpoint:
        told, _ = check_at(trb, endpoint, project, 7)

    assert "The first hop that diverges: PyTorch -> model.onnx" in told
    assert "refuses model.onnx" in told
    hops = {line.split("  ")[0].strip(): line for line in told.splitlines() if " -> " in line}
    assert hops["PyTorch -> gRPC"].rstrip().endswith("PASS")


def test_an_edited_source_is_named_where_the_numbers_differ(trb, project):
    """A layer that the served version lacks fails at the file, and the edited module is named beside it."""
    source = project / "small.py"
    source.write_text(MODEL + "\n# a comment changes no answer\n")
    unharmed = trb("check", cwd=project)
    source.write_text(MODEL.replace("torch.nn.ReLU()", "torch.nn.Tanh()"))

    changed = trb("check", cwd=project, expect=7)

    assert "changed since" not in unharmed.stdout
    assert "The first hop that diverges: PyTorch -> model.onnx" in changed.stdout
    assert "problem: small.py changed since version 1 was built: run trb build" in changed.stdout


def test_a_run_without_a_verdict_leaves_no_earlier_report(trb, project):
    """JUnit XML of an earlier run is gone when a run ends with 3: a CI job must not read that one's verdict."""
    report = project / "junit.xml"
    report.write_text("<testsuites failures='0'/>")
    (project / "small.py").write_text("")

    trb("check", "--junit", "junit.xml", cwd=project, expect=3)

    assert not report.exists()


def test_a_model_without_a_version_takes_no_other_along(trb, project):
    """Beside an unbuilt model the other is checked and measured, and both commands end with 5 and the fix."""
    spec = project / "trb.yaml"
    entry = spec.read_text().split("models:\n")[1]
    spec.write_text(spec.read_text() + entry.replace("  small:\n", "  other:\n"))

    checked = trb("check", "--json", "--junit", "junit.xml", cwd=project, expect=5)
    measured = trb("perf", "--engine", "trb", "--window", "100ms", "--json", cwd=project, expect=5)

    models = json.loads(checked.stdout)["models"]
    assert [(one["model"], one["passed"]) for one in models] == [("small", True), ("other", False)]
    assert "run `trb build other`" in models[1]["problems"][0]
    assert ET.parse(project / "junit.xml").getroot().get("failures") == "1"
    assert [bool(one["points"]) for one in json.loads(measured.stdout)["models"]] == [True, False]


def test_a_model_without_a_version_that_was_named_starts_no_server(trb, project):
    """With nothing to ask a server for, none is started: the report is there at once, with 5."""
    shutil.rmtree(project / "repository" / "small")

    done = trb("check", "small", "--server", "http://127.0.0.1:1", cwd=project, expect=5)

    assert "small: not checked" in done.stdout
    assert "FAIL: 1 of 1 model on no server: small" in done.stdout
