"""A pipeline as a model: what it answers, what it is fed, and what its fingerprint holds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builder import wiring
from builder.errors import SourceError
from builder.loading.pipeline import Entry, load_pipeline, pipeline_samples
from builder.spec.dtypes import DType
from builder.spec.loaded import Loaded
from builder.spec.project import Axis, Input, Model, Output, Pipeline, Step, Tolerance
from builder.spec.releases import release
from builder.wiring import Face, Known

MODEL = """
import numpy as np
from torch import nn


class Half(nn.Module):
    def forward(self, raw):
        return raw / 2


class Total(nn.Module):
    def forward(self, row):
        return row.sum(dim=1)


class Refuses(nn.Module):
    def forward(self, row):
        raise ValueError("no such rows")


def rows():
    return {"raw": np.arange(12, dtype=np.float32).reshape(3, 4)}
"""
ROW = Face(dtype=DType.FP32, shape=("batch", 4))
TOTAL = Face(dtype=DType.FP32, shape=("batch",))
PIPELINE = Pipeline(
    inputs=("raw",), steps=(Step(model="half"), Step(model="total")), outputs={"total": Output()}, fuse=False
)
MODELS = {
    "half": Model(
        source="parts:Half",
        inputs={"raw": Input(dtype=DType.FP32, shape=("batch", 4), range=(0, 16))},
        output_names=("row",),
        dims={"batch": Axis(max=4)},
        samples="parts:rows",
    ),
    "total": Model(
        source="parts:Total",
        inputs={"row": Input(dtype=DType.FP32, shape=("batch", 4))},
        output_names=("total",),
        outputs={"total": Output(parity=Tolerance(atol=0.5))},
        dims={"batch": Axis(max=6)},
    ),
}
KNOWN = {
    "half": Known(backend="onnxruntime", inputs={"raw": ROW}, outputs={"row": ROW}, max_batch_size=4),
    "total": Known(backend="onnxruntime", inputs={"row": ROW}, outputs={"total": TOTAL}, max_batch_size=6),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts.py").write_text(MODEL)
    return tmp_path


def load(
    folder: Path, *, pipeline: Pipeline = PIPELINE, models: Mapping[str, Model] = MODELS, version: str = "a"
) -> Loaded:
    entry = Entry(
        name="whole",
        pipeline=pipeline,
        wired=wiring.wire("whole", pipeline, KNOWN),
        models=models,
        inner={},
        files={},
        versions={"half": version, "total": "b"},
    )
    return load_pipeline(entry, folder, release("24.10"))


def test_the_reference_is_the_steps_one_after_another(folder: Path) -> None:
    """The sum of the halves is what half and total make of a row."""
    loaded = load(folder)

    answer = loaded.reference({"raw": np.full((2, 4), 3, np.float32)})

    assert list(answer) == ["total"]
    np.testing.assert_array_equal(answer["total"], [6, 6])


def test_a_step_that_refuses_is_named(folder: Path) -> None:
    """What a step raises is told with the step's name before it."""
    models = {**MODELS, "total": replace(MODELS["total"], source="parts:Refuses")}

    with pytest.raises(SourceError, match=r"(?s)^step total: .*no such rows"):
        load(folder, models=models)


def test_inputs_samples_and_tolerances_are_those_of_the_steps(folder: Path) -> None:
    """The first reader says range and samples, the giver the tolerance, and the smallest largest batch wins."""
    loaded = load(folder)

    assert loaded.model.inputs["raw"].range == (0, 16)
    assert loaded.model.dims["batch"].max == 4
    assert loaded.model.outputs["total"].parity.atol == 0.5
    assert loaded.samples is not None
    assert loaded.samples["raw"].shape == (3, 4)


def test_a_pipeline_without_any_samples_has_none(folder: Path) -> None:
    """An input whose reader has no samples is drawn within its range."""
    models = {**MODELS, "half": replace(MODELS["half"], samples=None)}

    assert load(folder, models=models).samples is None


def test_an_input_that_lives_on_samples_wants_those_of_the_others(folder: Path) -> None:
    """One step has samples and must, another has none: the error names both, and where samples may stand."""
    needs = replace(MODELS["half"].inputs["raw"], values="samples")
    models = {
        "half": replace(MODELS["half"], inputs={"raw": needs}),
        "also": replace(MODELS["half"], inputs={"more": replace(needs, values="range")}, samples=None),
    }
    face = Known(backend="onnxruntime", inputs={"more": ROW}, outputs={"rest": ROW}, max_batch_size=4)
    pipeline = Pipeline(
        inputs=("raw", "more"),
        steps=(Step(model="half"), Step(model="also")),
        outputs={"row": Output(), "rest": Output()},
    )
    wired = wiring.wire("two", pipeline, {**KNOWN, "also": face})

    with pytest.raises(SourceError, match="step also, which reads `more`, has none") as caught:
        pipeline_samples(wired, wiring.as_model(wired, models, pipeline), models, folder)

    assert "give the pipeline `samples` of raw, more" in caught.value.fix


def test_another_version_of_a_step_is_another_pipeline(folder: Path) -> None:
    """What the build depended on names the versions of the steps."""
    one, again, other = (load(folder, version=version).fingerprint for version in "aab")

    assert one == again
    assert one.entry_sha256 != other.entry_sha256
    assert one.served_sha256 != other.served_sha256


def test_a_tolerance_changes_nothing_of_what_is_served(folder: Path) -> None:
    """The gate is then run again, but the served pipeline is not another one."""
    looser = replace(PIPELINE, outputs={"total": Output(parity=Tolerance(atol=9.0))})

    one, other = load(folder).fingerprint, load(folder, pipeline=looser).fingerprint

    assert one.entry_sha256 != other.entry_sha256
    assert one.served_sha256 == other.served_sha256
