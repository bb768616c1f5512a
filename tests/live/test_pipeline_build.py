"""Pipelines of graphs, as `trb build` leaves them in the repository."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Trb = Callable[..., subprocess.CompletedProcess[str]]

MODEL = """
from torch import nn

SCALE = 2.0


class Centre(nn.Module):
    def forward(self, raw):
        return raw - 8.0


class Scale(nn.Module):
    def forward(self, row):
        return {"scaled": row * SCALE, "row_sum": row.sum(dim=1)}
"""
SPEC = """
models:
  centre:
    source: model:Centre
    inputs: {raw: {dtype: fp32, shape: [batch, 4], range: [0, 16]}}
    output_names: [row]
  scale:
    source: model:Scale
    inputs: {row: {dtype: fp32, shape: [batch, 4], range: [-8, 8]}}
pipelines:
  whole:
    inputs: [raw]
    steps: [centre, scale]
    outputs: [scaled, row_sum]
"""


def write(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    (folder / "trb.yaml").write_text(SPEC)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A pipeline of two graphs, not built yet."""
    return write(tmp_path / "project")


@pytest.fixture(scope="module")
def built_once(trb: Trb, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write(tmp_path_factory.mktemp("built") / "project")
    build(trb, folder)
    return folder


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Path:
    """The pipeline, built, in a folder that the test may change."""
    return Path(shutil.copytree(built_once, tmp_path / "project"))


def build(trb: Trb, folder: Path, *args: str, expect: int = 0) -> dict[str, dict[str, Any]]:
    report = json.loads(trb("build", "--json", *args, cwd=folder, expect=expect).stdout)
    return {row["triton_name"]: row for row in report["models"]}


def statuses(rows: dict[str, dict[str, Any]]) -> dict[str, tuple[str, int | None]]:
    return {name: (row["status"], row["version"]) for name, row in rows.items()}


def repository_files(folder: Path) -> dict[str, bytes]:
    root = folder / "model_repository"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_pipeline_follows_its_steps(trb: Trb, project: Path) -> None:
    """It is fresh while they are, and has a new version, merged model included, when one of them has."""
    every = {"centre", "scale", "whole", "whole_fused"}
    assert statuses(build(trb, project)) == dict.fromkeys(every, ("built", 1))
    assert statuses(build(trb, project)) == dict.fromkeys(every, ("fresh", 1))

    (project / "model.py").write_text(MODEL.replace("SCALE = 2.0", "SCALE = 3.0"))

    again = statuses(build(trb, project))
    assert again == {
        "centre": ("unchanged", 1),
        "scale": ("built", 2),
        "whole": ("built", 2),
        "whole_fused": ("built", 2),
    }
    trb("check", "whole", cwd=project)


def test_a_tolerance_of_a_step_is_proven_of_its_pipeline_too(trb: Trb, built: Path) -> None:
    """A pipeline is not fresh under another tolerance than it was proven with; the same bytes are no new version."""
    (built / "trb.yaml").write_text(SPEC.replace("pipelines:", "    parity: {rtol: 1.0e-6}\npipelines:"))

    assert statuses(build(trb, built)) == {
        "centre": ("fresh", 1),
        "scale": ("unchanged", 1),
        "whole": ("unchanged", 1),
        "whole_fused": ("unchanged", 1),
    }


def test_a_spec_that_was_changed_since_is_told_by_the_check(trb: Trb, built: Path) -> None:
    """Tensors that the version was not built with are a row that says what to run, with the others still checked."""
    (built / "trb.yaml").write_text(SPEC.replace("[scaled, row_sum]", "[scaled]"))

    report = json.loads(trb("check", "centre", "whole", "--json", cwd=built, expect=5).stdout)

    passed = {model["model"]: model["passed"] for model in report["models"]}
    assert passed == {"centre": True, "whole": False}
    assert "run `trb build whole`" in report["models"][1]["problems"][0]


def test_naming_a_pipeline_builds_its_steps(trb: Trb, project: Path) -> None:
    """They need not be named beside it, and other models are left alone."""
    other = SPEC.replace("pipelines:", OTHER + "pipelines:")
    (project / "trb.yaml").write_text(other)

    assert build(trb, project, "whole").keys() == {"centre", "scale", "whole", "whole_fused"}


OTHER = """  other:
    source: model:Centre
    inputs: {raw: {dtype: fp32, shape: [batch, 2]}}
"""


def test_the_same_spec_is_the_same_bytes_from_any_folder(trb: Trb, built_once: Path, tmp_path: Path) -> None:
    """A pipeline's config, notes and merged model have nothing of the folder or the run in them."""
    twin = write(tmp_path / "twin")
    build(trb, twin)

    assert repository_files(built_once) == repository_files(twin)


def test_outputs_that_only_the_model_knows_are_joined_when_it_is_built(trb: Trb, project: Path) -> None:
    """A tensor that a built step turns out not to have is a failed row with its place; the steps are published."""
    (project / "trb.yaml").write_text(SPEC.replace("outputs: [scaled, row_sum]", "outputs: [scaled, rowsum]"))

    rows = build(trb, project, expect=3)

    assert statuses(rows) == {"centre": ("built", 1), "scale": ("built", 1), "whole": ("failed", None)}
    assert (
        "pipelines.whole.outputs.rowsum: no step gives `rowsum`; did you mean `row_sum`?"
        in rows["whole"]["error"]
    )
    assert not (project / "model_repository" / "whole").exists()


def test_a_merged_model_of_other_tensors_has_another_name(trb: Trb, built: Path) -> None:
    """What the ensemble in the repository names stays as it is until the new ensemble is there."""
    (built / "trb.yaml").write_text(SPEC.replace("[scaled, row_sum]", "[scaled]") + ALLOWED)

    rows = build(trb, built)

    assert statuses(rows)["whole_fused_2"] == ("built", 1)
    assert "whole_fused" not in rows
    assert any("whole_fused is no part of whole any more" in note for note in rows["whole"]["notes"])
    assert statuses(build(trb, built))["whole_fused_2"] == ("fresh", 1)
    trb("lint", "--strict", cwd=built)


ALLOWED = "    allow_new_signature: true\n"


def test_a_step_built_again_without_its_pipeline_is_told(trb: Trb, project: Path) -> None:
    """The merged model still has the old weights: the gate fails, names it, and says what to run."""
    build(trb, project)
    (project / "model.py").write_text(MODEL.replace("SCALE = 2.0", "SCALE = 3.0"))
    build(trb, project, "scale")

    report = json.loads(trb("check", "whole", "--json", cwd=project, expect=7).stdout)

    (whole,) = report["models"]
    failed = [hop["name"] for hop in whole["hops"] if not hop["passed"]]
    assert failed[0] == "step whole_fused: alone on the server"
    assert "scale was built again since: run `trb build whole`" in whole["problems"]
