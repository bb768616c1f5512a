"""Edits that `--fix` makes: each has one right answer, and nothing else in the text changes."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.lint import Target
from builder.lint.edits import edit_at, edited
from builder.lint.model import lint_model
from builder.pbtxt.read import read
from builder.pbtxt.tree import comments
from builder.spec.findings import Edit, Finding
from builder.spec.releases import release
from tests.lint.case import write_onnx

TARGET = Target(release=release("24.10"))
GRAPH = '<ir_version: 8, opset_import: ["": 18]> g (float[N,4] x, int64[N,S] ids) => (float[N,4] y) { y = Relu(x) }'
GOOD = (
    ("name", '"model"'),
    ("backend", '"onnxruntime"'),
    ("max_batch_size", "8"),
    (
        "input",
        '[ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] },\n { name: "ids" data_type: TYPE_INT64 dims: [ 16 ] } ]',
    ),
    ("output", '{ name: "y" data_type: TYPE_FP32 dims: [ 4 ] }'),
)
MISTAKES = (
    ('"model"', '"other"'),
    ('"x"', '"inp"'),
    ('"y"', '"z"'),
    ("TYPE_FP32", "TYPE_FLOAT32"),
    ("TYPE_FP32", "TYPE_FP16"),
    ("TYPE_INT64", "int64"),
    ("[ 4 ]", "[ -1, 4 ]"),
    ("[ 4 ]", "5"),
    ("[ 16 ]", "[ 16, 1 ]"),
    ("data_type", "datatype"),
    ("input", "inputs"),
    ("8", '"8"'),
    ('"onnxruntime"', "onnxruntime"),
)
LAYOUT = st.sampled_from(["\n", "  ", "\r\n", " # what it is\n", '\n# dims: [ 5 ] "\n', ";\n"])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository") / "model"
    (folder / "1").mkdir(parents=True)
    write_onnx(folder / "1" / "model.onnx", GRAPH)
    (folder / "config.pbtxt").write_text("")
    return folder


def findings(model: Path, text: str) -> tuple[Finding, ...]:
    return lint_model(model, TARGET, text).findings


def fixed(model: Path, text: str) -> str:
    while edits := [finding.edit for finding in findings(model, text) if finding.edit is not None]:
        text = edited(text, edits)
    return text


@st.composite
def configs(draw: st.DrawFn) -> str:
    """A config with comments and a layout of its own, and mistakes in it."""
    text = draw(LAYOUT).lstrip(";")
    for name, value in GOOD:
        text += f"{name}{': ' if value[0] != '{' else ' '}{value}{draw(LAYOUT)}"
    for right, wrong in draw(st.lists(st.sampled_from(MISTAKES), max_size=6)):
        text = text.replace(right, wrong, 1)
    return text


@settings(max_examples=60, deadline=None)
@given(text=configs())
def test_fixing_keeps_comments_parses_and_is_done_at_once(model: Path, text: str) -> None:
    """What is fixed has every comment it had, is text that Triton reads if it was, and is not fixed any further."""
    after = fixed(model, text)

    assert [one.text for one in comments(after)] == [one.text for one in comments(text)]
    assert read(after).value is not None or read(text).value is None
    assert fixed(model, after) == after


@settings(max_examples=60, deadline=None)
@given(text=configs())
def test_what_the_server_takes_is_never_changed(model: Path, text: str) -> None:
    """Only a text with an error in it has an edit, and max_batch_size keeps its value."""
    found = findings(model, text)

    if not any(finding.severity == "error" for finding in found):
        assert fixed(model, text) == text
    assert (read(fixed(model, text)).value or {}).get("max_batch_size", 8) == 8


@pytest.mark.parametrize(("right", "wrong"), MISTAKES)
def test_each_mistake_is_mended_to_what_was_right(model: Path, right: str, wrong: str) -> None:
    """A config with one such mistake loads after fixing."""
    text = "\n".join(f"{name}{': ' if value[0] != '{' else ' '}{value}" for name, value in GOOD)
    assert findings(model, text) == ()

    assert findings(model, fixed(model, text.replace(right, wrong, 1))) == ()


def test_an_input_keeps_the_size_it_gives_to_a_free_axis(model: Path) -> None:
    """Where the graph leaves an axis free and another is wrong, only the wrong one changes."""
    text = 'backend: "onnxruntime" max_batch_size: 8 input [{ name: "x" data_type: TYPE_FP32 dims: [ 4 ] },'
    ids = ' { name: "ids" data_type: TYPE_FP32 dims: [ 16 ] }] output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }'

    assert fixed(model, text + ids) == text + ids.replace("FP32 dims: [ 16", "INT64 dims: [ 16")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('a: "1"\nplatform: "p"\nb: 2\n', 'a: "1"\nb: 2\n'),
        ('a: "1"; platform: "p"; b: 2', 'a: "1";  b: 2'),
        ('platform: "p" # why\nb: 2', "# why\nb: 2"),
        ('b: 2\r\n  platform: "p",  \r\n', "b: 2\r\n"),
    ],
)
def test_a_removed_field_takes_its_line_along_but_no_comment(text: str, after: str) -> None:
    """A line that only the field stands on goes; anything else on it stays."""
    readable = text.replace("a: ", "name: ").replace("b: ", "max_batch_size: ")
    edit = edit_at(readable, read(readable), ("platform",), "")

    assert edit is not None
    assert edited(readable, [edit]) == after.replace("a: ", "name: ").replace("b: ", "max_batch_size: ")


def test_a_list_in_parts_or_with_a_comment_in_it_is_left_alone() -> None:
    """What is not one piece of text, or would lose a comment, has no edit."""
    parts = 'input { name: "x" dims: 1 data_type: TYPE_FP32 dims: 2 }'
    noted = 'input { name: "x" dims: [ 1, # rows\n 2 ] }'
    place = ("input", 0, "dims")

    assert edit_at(parts, read(parts), place, "dims: [ 3 ]") is None
    assert edit_at(noted, read(noted), place, "dims: [ 3 ]") is None


@given(
    text=st.text(max_size=40), spans=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=5)
)
def test_edits_that_overlap_never_garble_the_rest(text: str, spans: list[tuple[int, int]]) -> None:
    """Whatever the edits, what none of them touches stands in the result, in order."""
    edits = [Edit(start=min(at, len(text)), end=min(at + n, len(text)), text="") for at, n in spans]
    touched = {at for edit in edits for at in range(edit.start, edit.end)}
    kept = [letter for at, letter in enumerate(text) if at not in touched]

    left = iter(edited(text, edits))
    assert all(letter in left for letter in kept)


def test_a_name_with_quotes_is_written_so_that_it_can_be_read(tmp_path: Path) -> None:
    """A folder's name that needs escapes comes back as it is."""
    folder = tmp_path / 'it"s \\ new'
    (folder / "1").mkdir(parents=True)
    write_onnx(folder / "1" / "model.onnx", GRAPH)
    (folder / "config.pbtxt").write_text('name: "old"')

    after = fixed(folder, 'name: "old"')
    assert read(after).value == {"name": folder.name}
    assert json.dumps(folder.name) in after
