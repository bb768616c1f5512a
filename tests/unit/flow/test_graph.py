"""What a pipeline is drawn from: its config, its record, and the newest measurement of the version that lies there."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder import repository
from builder.errors import RepositoryError, UsageError
from builder.flow.graph import graph, graph_repository
from builder.lint import Target, wired
from builder.repository import Published
from builder.spec.pipeline import PipelineNote
from builder.spec.plain import dump
from builder.spec.project import Backend
from builder.spec.releases import release
from builder.spec.results import ModelPerf, StepTime
from tests.unit.lint.ensemble_files import X, Y, ensemble, fan, model
from tests.unit.repository.values import fill, record

NOTE = Backend.ENSEMBLE.filename
SPEC = """
models:
  split: {source: "m:f", inputs: {x: {dtype: fp32, shape: [batch, 4]}}}
pipelines:
  fan: {inputs: [image], steps: [{model: split, map: {x: image}}], outputs: [label]}
  other: {inputs: [image], steps: [{model: split, map: {x: image}}], outputs: [label]}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the ensemble `fan` that trb published, beside a trb.yaml."""
    (tmp_path / "trb.yaml").write_text(SPEC)
    root = tmp_path / "model_repository"
    fan(root)
    publish(root, "w")
    return root


def note(root: Path) -> PipelineNote:
    """What a build would say of `fan`, had it merged two steps into `left`."""
    (one,) = wired(root, Target(release=release("24.10")), ["fan"])
    return PipelineNote(written=one, served=one, fused={"left": ("digits", "top3")}, versions={})


def publish(root: Path, weights: str) -> Published:
    config, facts = (root / "fan" / "config.pbtxt").read_text(), dump(note(root))
    if not repository.versions(root, "fan")[-1].is_recorded:
        shutil.rmtree(root / "fan")  # what was written by hand, in whose place trb publishes nothing
    stage = fill(repository.stage(root, "fan"), weights, config=config, warmup=None)
    (stage / "version" / NOTE).write_text(facts)
    return repository.publish(root, "fan", stage, replace(record(), model="fan"))


def measured(root: Path, published: Published, *steps: tuple[str, float]) -> None:
    times = tuple(
        StepTime(step=name, model=name, requests=9, queue_us=1, compute_us=us, share=us) for name, us in steps
    )
    repository.append_live(
        root, published, "perf", ModelPerf(model="fan", version=published.version, steps=times)
    )


def times(root: Path) -> dict[str, float | None]:
    (one,) = graph_repository(root, ["fan"]).pipelines
    return {step.name: step.time.compute_us if step.time else None for step in one.steps}


def test_steps_tensors_and_readers_are_those_of_the_config(root: Path) -> None:
    """Each tensor goes once to each of its readers, clients among them."""
    (one,) = graph_repository(root, []).pipelines

    assert [(edge.tensor.name, edge.giver, edge.reader) for edge in one.edges] == [
        ("image", None, "split"),
        ("image", None, "right"),
        ("a", "split", "left"),
        ("b", "split", "right"),
        ("from_left", "left", "join"),
        ("from_right", "right", "join"),
        ("label", "join", None),
    ]
    assert (one.version, one.max_batch_size, one.is_ours) == (1, 4, True)


def test_a_merged_model_is_told_by_the_steps_it_stands_for(root: Path) -> None:
    """What pipeline.json says of a merged model wins over the backend's word; the others are what they run on."""
    (one,) = graph_repository(root, []).pipelines

    assert [(step.name, step.kind, step.look) for step in one.steps] == [
        ("split", "Python", "python"),
        ("left", "merged: digits + top3", "merged"),
        ("right", "TorchScript graph", "graph"),
        ("join", "tensorrt", "other"),
    ]
    assert one.fused == {"left": ("digits", "top3")}


def test_a_pipeline_json_that_cannot_be_read_is_an_error(root: Path) -> None:
    """A damaged file is named, and not passed over."""
    (root / "fan" / "1" / NOTE).write_text("{")

    with pytest.raises(RepositoryError, match=r"pipeline\.json cannot be read") as raised:
        graph_repository(root, [])
    assert raised.value.fix == "build the pipeline again: trb build --force"


def test_the_newest_measurement_counts(root: Path) -> None:
    """Of several, the last is drawn, with the steps that it has."""
    published = repository.latest(root, "fan")
    measured(root, published, ("split", 0.25))
    measured(root, published, ("split", 0.5), ("join", 0.75))
    repository.append_live(root, published, "check", {"steps": [1]})
    (one,) = graph_repository(root, []).pipelines

    assert times(root) == {"split": 0.5, "left": None, "right": None, "join": 0.75}
    assert one.measured_at == repository.read_live(root, "fan")[1]["at"]


def test_a_measurement_of_another_version_does_not_count(root: Path) -> None:
    """After a build the times of the version before are gone, and no time is said."""
    measured(root, repository.latest(root, "fan"), ("split", 0.5))
    assert times(root)["split"] == 0.5
    publish(root, "other")
    (one,) = graph_repository(root, []).pipelines

    assert set(times(root).values()) == {None}
    assert (one.version, one.measured_at) == (2, "")


@pytest.mark.parametrize("value", [None, 3, [], {"steps": None}, {"steps": [{"step": 1}]}, {"steps": "x"}])
def test_an_entry_of_another_form_is_passed_over(value: Any, root: Path) -> None:
    """A line of a later or broken trb is no measurement, and no crash."""
    measured(root, repository.latest(root, "fan"), ("split", 0.5))
    repository.append_live(root, repository.latest(root, "fan"), "perf", value)

    assert times(root)["split"] == 0.5


def test_a_pipeline_of_the_spec_is_drawn_from_its_repository(root: Path) -> None:
    """The spec says which pipelines, the repository what they are."""
    report = graph(root.parent / "trb.yaml", ["fan"])

    assert [one.name for one in report.pipelines] == ["fan"]
    assert report.repository == str(root)


def test_a_pipeline_that_was_not_built_says_so(root: Path) -> None:
    """Without a version there is nothing to draw, and the fix is the command."""
    with pytest.raises(RepositoryError, match="has no version of other") as raised:
        graph(root.parent / "trb.yaml", [])
    assert raised.value.fix == "run `trb build other`"


def test_an_unknown_pipeline_is_answered_with_the_nearest(root: Path) -> None:
    """A misspelt name is a usage mistake."""
    with pytest.raises(UsageError, match="the spec has no pipeline `fam`") as raised:
        graph(root.parent / "trb.yaml", ["fam"])
    assert raised.value.fix == "did you mean `fan`?"


def test_a_spec_without_pipelines_says_what_to_do(tmp_path: Path) -> None:
    """Models alone are nothing to draw."""
    path = tmp_path / "trb.yaml"
    path.write_text(SPEC.partition("pipelines:")[0])

    with pytest.raises(UsageError, match="has no pipeline") as raised:
        graph(path, [])
    assert "--repository" in raised.value.fix


def test_names_of_a_hand_written_repository_are_made_printable(tmp_path: Path) -> None:
    """What a terminal would obey is shown as an escape."""
    model(tmp_path, "m", {"x": X}, {"y": Y})
    ensemble(tmp_path, "e", {"a\x1b[2J": X}, {"o": Y}, [("m", {"x": "a\x1b[2J"}, {"y": "o"})])
    (one,) = graph_repository(tmp_path, []).pipelines

    assert [tensor.name for tensor in one.inputs] == ["a\\x1b[2J"]
    assert one.edges[0].tensor.name == "a\\x1b[2J"
    assert not one.is_ours
