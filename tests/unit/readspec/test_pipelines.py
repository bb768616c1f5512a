"""The pipelines of trb.yaml: each mistake in how steps are joined is told once, at its line, and with what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder.errors import SpecError
from builder.readspec import read
from tests.unit.readspec.pipeline_mistakes import CASES, MARK, MODELS, Case, search

HEAD = f"{MODELS}pipelines:\n"


def told(folder: Path, pipelines: str) -> list[tuple[int, str]]:
    """Return the line and the words of every mistake; lines are counted from below `pipelines:`."""
    path = folder / "trb.yaml"
    path.write_text(HEAD + pipelines)
    try:
        read(path)
    except SpecError as error:
        lines = [line.strip().split(":", 3) for line in error.what.splitlines()[1:]]
        return [(int(line) - HEAD.count("\n"), words.strip()) for _, line, _, words in lines]
    return []


def marked(pipelines: str) -> list[int]:
    """Return the lines that are wrong."""
    return [n for n, line in enumerate(pipelines.splitlines(), 1) if line.endswith(MARK)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_mistake_is_told_once_at_its_line(case: Case, tmp_path: Path) -> None:
    """A file with one mistake has one line about it, which says where it is and what to write instead."""
    place = f"pipelines.{case.pipelines.split(':')[0].strip()}{'.' if case.at else ''}{case.at}"
    words = f"{place}: {case.said}".replace("{repository}", str(tmp_path / "model_repository"))

    assert told(tmp_path, case.pipelines) == [(line, words) for line in marked(case.pipelines)]


def test_the_page_has_the_table() -> None:
    """docs/pipelines.md shows every mistake with its message, and no other; the rows to paste are in the difference."""
    page = (Path(__file__).parents[3] / "docs" / "pipelines.md").read_text()
    rows = [f"| {one.what} | {one.said.replace('{repository}', 'model_repository')} |" for one in CASES]

    assert page.partition("| mistake | what is said |\n|---|---|\n")[2].splitlines() == rows


def test_the_models_of_the_table_have_no_mistake(tmp_path: Path) -> None:
    """What the table says is of its pipelines alone."""
    assert told(tmp_path, search("tokens", "encoder", "head_onnx")) == []


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Mistakes of form and of wiring, in several pipelines, are each told once, in the order of the file."""
    text = """\
  first:
    inputs: [text]
    steps:
      - tokens
      - {model: encoder, map: {ids: idz}}  # wrong
      - {model: wide, map: {vector: ids}}  # wrong
      - {model: head_onnx, maps: {vector: vector}}  # wrong
    outputs:
      - score
      - text  # wrong
    keep_versions: 0  # wrong
  second:
    inputs: [ids]
    steps: [encoder, hed_onnx]  # wrong
    outputs:
      vector: {dtype: fp16}  # wrong
      place: {dtype: f32}  # wrong
"""
    found = told(tmp_path, text)

    assert [line for line, _ in found] == marked(text)


@pytest.mark.parametrize(
    ("pipelines", "said"),
    [
        ("  search: {}  # wrong\n", ["inputs: is missing", "steps: is missing", "outputs: is missing"]),
        ("  search:\n    inputs: [text]\n    steps: tokens\n    outputs: [ids]\n", ["steps: must be a list"]),
        (
            "  search:\n    inputs: [text]\n    steps: [{map: {a: b}}]\n    outputs: [a]\n",
            ["model: is missing"],
        ),
        (
            "  search:\n    inputs: [text, 3]\n    steps: [tokens]\n    outputs: [ids]\n",
            ["inputs.1: must be a valid"],
        ),
        (
            "  search:\n    inputs: [text]\n    steps: [tokens]\n    outputs: [ids, 3]\n",
            ["outputs.1: must be the name"],
        ),
        (
            "  search:\n    inputs: [text]\n    steps: [tokens]\n    outputs: ids\n",
            ["outputs: must be a valid mapping"],
        ),
    ],
    ids=[
        "nothing",
        "no list",
        "no model",
        "a number as an input",
        "a number as an output",
        "no list of outputs",
    ],
)
def test_what_follows_from_a_mistake_of_form_is_not_said(
    pipelines: str, said: list[str], tmp_path: Path
) -> None:
    """Beside a part that cannot be read stand only the mistakes that are there without it."""
    other = "  other:\n    inputs: [ids]\n    steps: [encoder]\n    outputs: [vectr]\n"

    found = [words for _, words in told(tmp_path, pipelines + other)]

    assert len(found) == len(said) + 1
    assert all(part in one for part, one in zip(said, found, strict=False))
    assert found[-1] == "pipelines.other.outputs.vectr: no step gives `vectr`; did you mean `vector`?"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("source: steps:tokens", "source: 3"),
        ("text: {dtype: string", "text: {dtype: strong"),
        ("ids: {dtype: int64, shape: [batch, length]}, count", "ids: {dtype: int64, shape: 4}, count"),
        ("  tokens:\n    source", "  tokens: 3\n  others:\n    source"),
    ],
    ids=["source", "dtype", "shape", "all of it"],
)
def test_a_model_that_cannot_be_read_is_no_mistake_of_a_pipeline(good: str, bad: str, tmp_path: Path) -> None:
    """What a model would be were it right is not guessed; what is wrong with other steps is told."""
    path = tmp_path / "trb.yaml"
    wrong = search("tokens", "encoder", "{model: head_onnx, map: {vectr: vector}}")
    path.write_text(f"{HEAD.replace(good, bad, 1)}{wrong}")

    with pytest.raises(SpecError) as caught:
        read(path)

    told = [line for line in caught.value.what.splitlines()[1:] if "pipelines." in line]
    assert len(told) == 1
    assert "head_onnx has no tensor `vectr`; did you mean `vector`?" in told[0]


def test_a_name_that_is_taken_is_one_mistake(tmp_path: Path) -> None:
    """A pipeline with the name of a model is told once, also where it, or a pipeline that it names, names the model."""
    text = """\
  encoder:  # wrong
    inputs: [text]
    steps: [tokens, encoder]
    outputs: [vector]
  head:  # wrong
    inputs: [ids]
    steps: [outer]
    outputs: [score]
  outer:
    inputs: [ids]
    steps: [encoder, head]
    outputs: [score]
"""
    found = told(tmp_path, text)

    assert [line for line, _ in found] == marked(text)
    assert all("a model is called" in words for _, words in found)


def test_each_circle_is_told_once(tmp_path: Path) -> None:
    """Two circles that share a pipeline are two mistakes, and a pipeline outside them none."""
    text = """\
  a:
    inputs: [text]
    steps: [tokens, b]  # wrong
    outputs: [ids]
  b:
    inputs: [text]
    steps: [a, c]
    outputs: [ids]
  c:
    inputs: [text]
    steps: [b]  # wrong
    outputs: [ids]
  outside:
    inputs: [text]
    steps: [a]
    outputs: [ids]
"""
    found = told(tmp_path, text)

    assert [line for line, _ in found] == marked(text)
    assert [words.rpartition(": ")[2].split(";")[0] for _, words in found] == ["a -> b -> a", "c -> b -> c"]


def test_a_model_of_the_repository_is_taken_at_its_word(tmp_path: Path) -> None:
    """A step may name a model that only lies in the repository; what it gives is found when the pipeline is built."""
    folder = tmp_path / "model_repository" / "theirs"
    folder.mkdir(parents=True)
    (folder / "config.pbtxt").touch()

    assert told(tmp_path, search("tokens", "{model: theirs, map: {x: ids}}", "head_onnx")) == []


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["", "text", "ids", "vector", "score", "tokens", "encoder", "search", "a b"]),
    st.lists(st.sampled_from(["text", "ids", 3, None, []]), max_size=2),
    st.dictionaries(
        st.sampled_from(["model", "map", "outputs", "ids", "text", "dtype"]), st.sampled_from(["ids", 3, {}])
    ),
)
STEPS = st.one_of(
    JUNK,
    st.lists(
        st.one_of(
            st.sampled_from(["tokens", "encoder", "head_onnx", "search", "other"]),
            JUNK,
            st.fixed_dictionaries(
                {"model": st.sampled_from(["tokens", "encoder", "scale"])},
                optional={"map": JUNK, "outputs": JUNK},
            ),
        ),
        max_size=4,
    ),
)
ANY = st.fixed_dictionaries(
    {"inputs": JUNK, "steps": STEPS, "outputs": JUNK}, optional={"fuse": JUNK, "parity": JUNK}
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["search", "other", "encoder"]), st.one_of(ANY, ANY, JUNK), min_size=1)
)
def test_whatever_stands_there_is_a_pipeline_or_a_mistake(tmp_path: Path, pipelines: dict[str, Any]) -> None:
    """No text ends in anything but a project, or a list of mistakes without repeats."""
    found = told(tmp_path, f"  {json.dumps(pipelines)}")

    assert not any("not YAML" in words for _, words in found)
    assert len(found) == len(set(found))
