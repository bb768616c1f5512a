"""Which versions check and perf look at."""

from pathlib import Path

import pytest

from builder.flow.live import targets
from builder.flow.select import select
from builder.spec.dtypes import DType
from builder.spec.project import Backend, Input, Model, Project, ReadProject
from tests.unit.repository.values import publish

BOTH = (Backend.ONNX, Backend.TORCHSCRIPT)


@pytest.fixture
def read(tmp_path: Path) -> ReadProject:
    """A spec of a model `m`, published, and a model `n` of two backends, never built."""
    inputs = {"x": Input(dtype=DType.FP32, shape=("batch", 4))}
    models = {
        "n": Model(source="a:b", inputs=inputs, backend=BOTH),
        "m": Model(source="a:b", inputs=inputs),
    }
    project = ReadProject(project=Project(models=models), path=tmp_path / "trb.yaml")
    publish(project.repository, "w")
    return project


def test_a_model_without_a_version_stops_no_other(read: ReadProject) -> None:
    """The published model is a target; each backend of the other is missing, with the command that builds it."""
    found = targets(read, select(read.project, ()))

    assert [one.triton_name for one in found.targets] == ["m"]
    assert [one.triton_name for one in found.missing] == ["n_onnx", "n_torchscript"]
    assert "has no version of n_onnx" in found.missing[0].why
    assert "`trb build n_onnx`" in found.missing[0].why


def test_a_model_that_was_named_is_missing_like_any_other(read: ReadProject) -> None:
    """Naming one backend of an unbuilt model leaves that one missing, and nothing else."""
    found = targets(read, select(read.project, ["n"]), ["n_torchscript"])

    assert found.targets == ()
    assert [one.triton_name for one in found.missing] == ["n_torchscript"]


def test_a_version_without_a_record_is_missing(read: ReadProject) -> None:
    """What trb did not publish has nothing to be compared with, and the way on is told."""
    (read.repository / "m" / "7").mkdir()

    (one,) = targets(read, select(read.project, ["m"])).missing

    assert "m/7 has no record.json" in one.why
    assert "`trb build`" in one.why
