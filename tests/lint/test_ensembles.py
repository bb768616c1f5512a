"""What lint says of ensembles that a case cannot show: places, several repositories, what a server dies of."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from builder.lint import Target, lint, places
from builder.spec.findings import Finding, Severity
from builder.spec.releases import release
from tests.lint.case import write_onnx

X = 'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }'
Y = 'output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }'
PIPELINE = """\
platform: "ensemble"
max_batch_size: 4
input { name: "X" data_type: TYPE_FP32 dims: [ 4 ] }
output { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] }
ensemble_scheduling {
  step {
    model_name: "encoder"
    model_version: -1
    input_map {
      key: "x"
      value: "X"
    }
    output_map { key: "y" value: "Y" }
  }
}
"""


def model(repository: Path, name: str = "encoder") -> None:
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(f'backend: "onnxruntime" max_batch_size: 4 {X} {Y}')
    write_onnx(
        repository / name / "1" / "model.onnx",
        '<ir_version: 8, opset_import: ["": 18]> g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }',
    )


def ensemble(repository: Path, text: str = PIPELINE, name: str = "pipeline") -> None:
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(text)


def of(step: str) -> str:
    """The pipeline with another model in its step, by that model's own names."""
    return PIPELINE.replace('"encoder"', f'"{step}"').replace('"x"', '"X"').replace('"y"', '"Y"')


def linted(*paths: Path) -> Sequence[Finding]:
    return lint(places(paths), Target(release=release("24.10")), jobs=1)[1]


@pytest.mark.parametrize(
    ("wrong", "right", "code", "line"),
    [
        ('key: "x"', 'key: "xx"', "E114", 10),
        ('value: "X"', 'value: "XX"', "E105", 11),
        ('key: "y"', 'key: "yy"', "E114", 13),
        ("model_version: -1", "model_version: 7", "E111", 8),
        ('"encoder"', '"encoders"', "E109", 7),
        ("TYPE_FP32", "TYPE_INT8", "E116", 3),
        ("dims: [ 4 ]", "dims: [ 5 ]", "E117", 3),
        ("max_batch_size: 4", "max_batch_size: 5", "E113", 2),
    ],
)
def test_a_finding_stands_at_what_has_to_change(
    wrong: str, right: str, code: str, line: int, tmp_path: Path
) -> None:
    """The line is that of the key, the name or the field that is wrong, and there is no second finding."""
    model(tmp_path)
    ensemble(tmp_path, PIPELINE.replace(wrong, right, 1))

    assert [(one.code, one.line) for one in linted(tmp_path)] == [(code, line)]


def test_a_model_may_stand_in_another_repository_of_the_server(tmp_path: Path) -> None:
    """An ensemble finds its models in every repository that the server is given, and only there."""
    model(tmp_path / "one")
    ensemble(tmp_path / "two")

    assert linted(tmp_path / "one", tmp_path / "two") == ()
    assert [one.code for one in linted(tmp_path / "two")] == ["E109"]


def test_a_model_in_two_repositories_is_none_to_an_ensemble(tmp_path: Path) -> None:
    """The server takes neither of two models with one name, so that the ensemble has none."""
    model(tmp_path / "one")
    model(tmp_path / "two")
    ensemble(tmp_path / "two")

    assert sorted(one.code for one in linted(tmp_path / "one", tmp_path / "two")) == ["E109", "R105"]


def test_a_broken_model_is_told_where_it_is_and_named_by_the_ensemble(tmp_path: Path) -> None:
    """A config that cannot be read is one finding at its place, and one at the ensemble that needs it."""
    model(tmp_path)
    (tmp_path / "encoder" / "config.pbtxt").write_text("input {")
    ensemble(tmp_path)

    found = {Path(one.path).parent.name: one for one in linted(tmp_path)}

    assert {name: one.code for name, one in found.items()} == {"encoder": "C101", "pipeline": "E110"}
    assert found["encoder"].message in found["pipeline"].message
    assert found["pipeline"].fix == "mend model 'encoder' first"


def test_one_model_asked_for_is_held_against_the_others(tmp_path: Path) -> None:
    """`trb lint REPOSITORY/ensemble` tells of the ensemble alone, and still knows its models."""
    model(tmp_path)
    (tmp_path / "encoder" / "config.pbtxt").write_text("input {")
    ensemble(tmp_path)

    assert [one.code for one in linted(tmp_path / "pipeline")] == ["E110"]


def test_an_ensemble_on_a_circle_kills_the_server(tmp_path: Path) -> None:
    """Those in the circle are refused; one that is only made of them ends the server, and is told so."""
    ensemble(tmp_path, of("b"), "a")
    ensemble(tmp_path, of("a"), "b")
    ensemble(tmp_path, of("a"), "outside")

    said = {one.model: one.message for one in linted(tmp_path)}

    assert said == {
        "a": "circular dependency between ensembles: a -> b -> a",
        "b": "circular dependency between ensembles: b -> a -> b",
        "outside": "ensemble 'outside' depends on 'a', which is made of itself: a server that loads it dies",
    }


def test_ensembles_of_ensembles_go_as_deep_as_they_like(tmp_path: Path) -> None:
    """Five hundred ensembles, each made of the next, are each told that the innermost does not load."""
    model(tmp_path)
    for number in range(500):
        ensemble(tmp_path, of(f"p{number + 1}"), f"p{number}")
    ensemble(tmp_path, PIPELINE.replace("FP32", "INT8", 1), "p500")

    found = linted(tmp_path)

    assert {one.code for one in found if one.model == "p500"} == {"E116"}
    assert {one.code for one in found if one.model != "p500"} == {"E110"}
    assert len(found) == 501


def test_a_name_that_is_spelt_in_two_ways_is_one_finding(tmp_path: Path) -> None:
    """What follows from a wrong name, an input that nobody reads and a step that never runs, is not told as well."""
    model(tmp_path)
    second = PIPELINE[PIPELINE.index("  step {") : PIPELINE.rindex("}")]
    chain = PIPELINE.replace('value: "Y"', 'value: "between"').removesuffix("}\n") + second.replace(
        'value: "X"', 'value: "betwen"'
    )
    ensemble(tmp_path, chain + "}\n")

    (finding,) = linted(tmp_path)

    assert finding.code == "E105"
    assert finding.fix == "nobody reads 'between', written by step 0: give both the same name"


def test_the_entry_that_does_not_count_is_the_earlier_one(tmp_path: Path) -> None:
    """Of two entries with one key the first is told of, and the second is what the ensemble is held to."""
    model(tmp_path)
    entry = '    input_map { key: "x" value: "nothing" }\n'
    ensemble(tmp_path, PIPELINE.replace("    input_map {\n", f"{entry}    input_map {{\n"))

    (finding,) = linted(tmp_path)

    assert (finding.code, finding.severity, finding.line) == ("C115", Severity.WARNING, 9)
