"""trb.yaml in, a project or every mistake out."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import SpecError
from builder.readspec import json_schema, read
from builder.readspec.yaml_tree import parse
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Backend

GOOD = """\
triton: 24.10
models:
  digits:
    source: examples.digits:load
    inputs:
      image: {dtype: float32, shape: [batch, 1, 8, 8], range: [0, 16]}
    dims: {batch: 64}
    backend: [onnx, torchscript]
    instances: 2
    batching: {queue_delay_us: 200}
    parameters: {enable_mem_arena: 0}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "trb.yaml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read(written(folder, text))
    return [line.strip().removeprefix("trb.yaml:") for line in caught.value.what.splitlines()[1:]]


def test_short_forms_mean_their_long_ones(tmp_path: Path) -> None:
    """A release without quotes, a number of instances, a maximum and a numpy dtype are all understood."""
    project = read(written(tmp_path, GOOD)).project

    digits = project.models["digits"]
    assert project.triton == "24.10"
    assert digits.inputs["image"].dtype is DType.FP32
    assert digits.inputs["image"].shape == ("batch", 1, 8, 8)
    assert digits.dims == {"batch": Axis(max=64)}
    assert digits.backend == (Backend.ONNX, Backend.TORCHSCRIPT)
    assert digits.instances.count == 2
    assert digits.parameters == {"enable_mem_arena": "0"}


def test_five_mistakes_are_five_lines(tmp_path: Path) -> None:
    """Mistakes of every kind are reported together, each with line, column and path."""
    text = """\
triton: 24.1
models:
  digits:
    source: examples.digits:load
    inputs:
      image: {dtype: fp23, shape: [batch, 1, 8, 8], range: [16, 0]}
    dims: {bach: 64}
    instnces: 2
"""
    found = mistakes(tmp_path, text)

    assert [line.split(": ")[0] for line in found] == ["1:1", "6:15", "6:53", "7:12", "8:5"]
    assert "did you mean `24.10`" in found[0]
    assert "did you mean `fp32`" in found[1]
    assert "models.digits.inputs.image.range" in found[2]
    assert "did you mean `batch`" in found[3]
    assert "did you mean `instances`" in found[4]


@pytest.mark.parametrize("wrong", ["backend: onxx", "backend: [onnx, 3]", "output_names: [3]"])
def test_a_wrong_item_of_a_list_hides_no_other_mistake(tmp_path: Path, wrong: str) -> None:
    """What only the project as a whole can tell is reported beside a wrong item of a list."""
    text = f"""\
triton: 24.1
models:
  digits:
    source: examples.digits:load
    inputs:
      image: {{dtype: fp32, shape: [batch, length]}}
    {wrong}
"""
    found = mistakes(tmp_path, text)

    assert [line.split(":")[0] for line in found] == ["1", "6", "7"]


MISTAKES = {
    "source: examples.digits": "neither `package.module:callable` nor a file",
    "source: model.onnx\n    backend: torchscript": "can only be served by the onnx backend",
    "weights: model.bin.txt": "must end in .safetensors or .pt",
    "backend: []": "names no backend",
    "backend: onxx": "did you mean `onnx`",
    "inputs: {}": "names no input",
    "inputs: {x: {dtype: int64, shape: [batch, 4]}}": "integers need `range",
    "inputs: {x: {dtype: uint8, shape: [batch], range: [0, 256]}}": "does not fit uint8: 0 to 255",
    "inputs: {x: {dtype: int8, shape: [batch], range: [0.5, 2]}}": "no whole numbers",
    "inputs: {x: {dtype: string, shape: [batch], range: [0, 1]}}": "string has no range",
    "inputs: {x: {dtype: bool, shape: [batch], values: samples}}": "the model has no `samples` to take them from",
    "inputs: {x: {dtype: bool, shape: [batch], values: sample}}": "must be 'range' or 'samples'",
    "inputs: {x: {dtype: fp32, shape: []}}": "is empty; Triton carries no scalars",
    "inputs: {x: {dtype: fp32, shape: [batch, 0]}}": "0 is no size",
    "inputs: {x: {dtype: fp32, shape: [batch, seq]}}": "the dynamic axis `seq` needs its sizes",
    "inputs: {x__0: {dtype: fp32, shape: [batch]}}\n    backend: torchscript": "reads `__<number>` at the end",
    "dims: {batch: {max: 0}}": "max 0 is below min 1",
    "dims: {batch: {min: 2, max: 4}}": "the batch axis begins at 1",
    "inputs: {x: {dtype: fp32, shape: [4, batch]}}\n    batching: true": "needs the axis `batch` first",
    "batching: {preferred_sizes: [99]}": "99 is not between 1 and the largest batch",
    "batching: {row_tolerance: -1}": "must be a number from 0",
    "outputs: {y: {shape: [batch, len]}}": "no input has an axis `len`",
    "output_names: [a, a]": "names an output twice",
    "outputs: {b: {dtype: fp32}}\n    output_names: [a]": "is not in output_names",
    "parity: {rtol: -1.0}": "-1 is no tolerance",
    "parity: {top_k: 0}": "must be at least 1",
    "parity: {cosine_min: 2}": "must be between -1 and 1",
    "instances: 0": "must be at least 1",
    "instances: {kind: cpu, gpus: [0]}": "kind cpu has no GPUs",
    "latency: {p99_ms: 0}": "must be above 0",
    "keep_versions: 0": "must be at least 1",
    "samples: data.csv": "neither `package.module:callable` nor an .npz",
    "torchscript: tracing": "must be 'auto', 'trace' or 'script'",
    "source: a..b:load": "neither `package.module:callable` nor a file",
    "inputs: {x__: {dtype: fp32, shape: [batch]}}\n    backend: torchscript": "reads `__<number>` at the end",
    "output_names: [probs__1, logits]\n    backend: [onnx, torchscript]": "reads `__<number>` at the end",
    "outputs: {probs__: {dtype: fp32}}\n    backend: torchscript": "reads `__<number>` at the end",
    "output_names: [a b]": "must not have blanks",
    "inputs: {x: {dtype: fp32, shape: [batch], range: [nan, 3]}}": "must be a finite number",
    "inputs: {x: {dtype: int64, shape: [batch], range: [nan, 3]}}": "must be a finite number",
    "inputs: {x: {dtype: int64, shape: [batch], range: [0, 1e999]}}": "must be a finite number",
    "inputs: {x: {dtype: fp16, shape: [batch], range: [0, 1e5]}}": "does not fit fp16: -65504 to 65504",
    "inputs: {x: {dtype: fp23, shape: [batch]}}": "did you mean `fp32`",
    "inputs: {x: {dtype: complex64, shape: [batch]}}": "fp32, fp64, string",
    "inputs: {x: {dtype: fp32, shape: [batch, 1000000000000]}}": "is 4,000.0 GB at its smallest",
    "dims: {batch: {max: 2147483648}}": "must be at most 2,147,483,647",
    "dims: {batch: 1000000000}": "with batch=1000000000 is 16.0 GB",
    "parity: {rtol: inf}": "must be a finite number",
    "parity: {rtol: nan}": "must be a finite number",
    "parity: {seed: -1}": "must be at least 0",
    "outputs: {y: {parity: {atol: -1}}}": "is no tolerance",
    "instances: 100000": "must be at most 1,024, not 100,000: each is a copy",
    "instances: {gpus: [-1]}": "must be at least 0",
    "instances: {gpus: [0, 0]}": "names GPU 0 twice",
    "instances: {gpus: [4294967296]}": "must be at most 1,023",
    "batching: {queue_delay_us: -1}": "must be at least 0",
    "batching: {queue_delay_us: 18446744073709551616}": "must be at most 60,000,000",
    "batching: {row_tolerance: inf}": "must be a finite number",
    "keep_versions: 4294967296": "must be at most 1,000, not 4,294,967,296: Triton keeps each of them loaded",
    "latency: {p99_ms: nan}": "must be a finite number",
    "latency: {p50_ms: 1e9}": "must be at most 3,600,000",
    "latency: {concurrency: 1000000}": "must be at most 1,024",
    "latency: {batch: 9}": "must be at most 8, not 9: the largest batch",
    f"latency: {{concurrency: '{'9' * 4000}'}}": "a number of more than 20 digits",
    "onnx: {opset: 999}": "Triton 24.10 takes opsets up to 21, not 999",
    "onnx: {opset: 6}": "must be at least 7",
    'source: "a\\0.onnx"': "has a character that no file",
    "weights: [a]": "must be a valid string",
    "outputs: [a, b]": "a list of names is `output_names`",
}


@pytest.mark.parametrize("wrong", MISTAKES)
def test_each_mistake_is_the_only_one(tmp_path: Path, wrong: str) -> None:
    """One wrong key gives one line that says what is wrong."""
    keys = {line.split(":")[0].strip() for line in wrong.splitlines()}
    lines = ["source: m:load", "inputs: {x: {dtype: fp32, shape: [batch, 4]}}"]
    kept = [line for line in lines if line.split(":")[0] not in keys]
    body = "\n".join(f"    {line.strip()}" for line in (*kept, *wrong.splitlines()))

    found = mistakes(tmp_path, f"models:\n  m:\n{body}\n")

    assert len(found) == 1, found
    assert MISTAKES[wrong] in found[0]


BOMB = "\n".join(
    [
        "a: &a [1, 1]",
        *(f"{here}: &{here} [{', '.join([f'*{before}'] * 9)}]" for before, here in pairwise("abcdefg")),
    ]
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: {a: [}", "not YAML"),
        ("models:\n\t- a", "not YAML"),
        ("", "must be a mapping"),
        ("- a\n- b", "must be a mapping"),
        ("models: {}", "names no model"),
        ("models: 7", "must be a valid mapping"),
        ("models: &a [*a]", "aliases that multiply"),
        (
            BOMB,
            "aliases that multiply",
        ),
        ("? [a, b]\n: 1", "a key must be a plain name"),
        (
            "models: {a..b: {source: 'm:f', inputs: {x: {dtype: fp32, shape: [4]}}}}",
            "Triton would refuse the name",
        ),
        (
            "models: {%s: {source: 'm:f', backend: [onnx, torchscript], inputs: {x: {dtype: fp32, shape: [4]}}}}"
            % ("a" * 198),
            "210 letters are more than 200",
        ),
        (
            "models: {.hidden: {source: 'm:f', inputs: {x: {dtype: fp32, shape: [4]}}}}",
            "Triton would refuse the name",
        ),
    ],
)
def test_what_is_no_spec_is_refused_with_its_reason(tmp_path: Path, text: str, said: str) -> None:
    """Broken YAML and wrong shapes are mistakes, not tracebacks."""
    with pytest.raises(SpecError) as caught:
        read(written(tmp_path, text))

    assert said in caught.value.what


@pytest.mark.parametrize("end", ["[0, 9223372036854775807]", "[-9223372036854775808, 0]"])
def test_a_range_may_be_all_of_int64(tmp_path: Path, end: str) -> None:
    """The ends of int64 fit it, although no float is the upper one."""
    text = f"models: {{m: {{source: 'm:f', inputs: {{x: {{dtype: int64, shape: [4], range: {end}}}}}}}}}"

    assert read(written(tmp_path, text)).project.models


@pytest.mark.parametrize(
    "repository", [".", "..", "a/..", "../..", "''", "/", "model_repository/../..", "link"]
)
def test_a_repository_around_the_spec_is_refused(tmp_path: Path, repository: str) -> None:
    """trb empties folders beside the repository; they must not be the user's own."""
    folder = tmp_path / "outer" / "project"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to(folder.parent)
    found = mistakes(folder, f"repository: {repository}\n{GOOD}")

    assert len(found) == 1
    assert "is or holds the folder of trb.yaml" in found[0]


def test_a_repository_among_what_trb_keeps_is_refused(tmp_path: Path) -> None:
    """`.trb` stands beside a repository, never around it."""
    assert "where trb keeps its own files" in mistakes(tmp_path, f"repository: .trb/models\n{GOOD}")[0]


@pytest.mark.parametrize(
    ("repository", "found"), [("a/../b", "b"), ("../b/c/..", "../b"), ("./b/", "b"), ("a/b", "a/b")]
)
def test_a_repository_has_no_dots_in_its_path(tmp_path: Path, repository: str, found: str) -> None:
    """What lies beside the repository is found from its name, so `..` is worked out first."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = read(written(folder, f"repository: {repository}\n{GOOD}"))

    assert project.repository == Path(os.path.normpath(folder / found))


def test_a_wrong_name_is_told_beside_what_is_wrong_in_its_model(tmp_path: Path) -> None:
    """A mistake inside a model does not hide that of its name."""
    found = mistakes(tmp_path, "models: {a..b: {source: 'm:f', inputs: {x: {dtype: half, shape: [4]}}}}")

    assert len(found) == 2
    assert "Triton would refuse the name" in found[0]


def test_two_models_of_one_name_are_both_placed(tmp_path: Path) -> None:
    """A repeated key names the line of the first."""
    found = mistakes(tmp_path, GOOD + "  digits:\n    source: a:b\n")

    assert any("stands twice; the first is on line 3" in line for line in found)


def test_names_that_meet_in_the_repository_are_refused(tmp_path: Path) -> None:
    """A model called like another's variant would overwrite it."""
    text = GOOD + "  digits_onnx:\n    source: a:b\n    inputs: {x: {dtype: fp32, shape: [batch]}}\n"

    assert any("would both be called digits_onnx" in line for line in mistakes(tmp_path, text))


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"\xff\xfe\x00")])
def test_an_unreadable_file_is_a_spec_error(tmp_path: Path, make: object) -> None:
    """A folder or binary junk in the place of trb.yaml is refused in words."""
    path = tmp_path / "trb.yaml"
    make(path)  # type: ignore[operator]

    with pytest.raises(SpecError):
        read(path)


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    """Any text is a tree or a mistake."""
    parse(text)


def test_the_schema_allows_what_the_reader_allows() -> None:
    """The JSON Schema knows the short forms and carries the field docstrings."""
    schema = json_schema()

    model = schema["$defs"]["Model"]["properties"]
    assert {"type": "integer"} in model["instances"]["anyOf"]
    assert model["weights"]["description"].startswith(".safetensors")
    assert schema["$defs"]["Model"]["additionalProperties"] is False


@pytest.mark.parametrize("dtype", json_schema()["$defs"]["DType"]["enum"])
def test_every_dtype_of_the_schema_is_read(tmp_path: Path, dtype: str) -> None:
    """The reader takes each name of an element type that an editor offers, with DType's own meaning of it."""
    text = f"models: {{m: {{source: 'm:f', samples: 'm:s', inputs: {{x: {{dtype: {dtype}, shape: [4]}}}}}}}}"

    assert read(written(tmp_path, text)).project.models["m"].inputs["x"].dtype is DType.from_name(dtype)


@pytest.mark.parametrize("dtype", ["half", "long", "float", "double", "int", "Float32"])
def test_what_the_schema_does_not_offer_is_refused(tmp_path: Path, dtype: str) -> None:
    """torch's abbreviations are no dtypes, and the refusal lists those that are once."""
    text = f"models: {{m: {{source: 'm:f', samples: 'm:s', inputs: {{x: {{dtype: {dtype}, shape: [4]}}}}}}}}"
    found = mistakes(tmp_path, text)

    assert len(found) == 1
    assert found[0].count("uint64") == 1
