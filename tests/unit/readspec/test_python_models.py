"""`backend: python` in trb.yaml: what a function must declare, and what it cannot have."""

from pathlib import Path

import pytest

from builder.errors import SpecError
from builder.readspec import read

MODEL = """\
models:
  decode:
    source: steps:decode
    backend: python
    inputs: {image: {dtype: string, shape: [batch]}}
    outputs: {pixels: {dtype: fp32, shape: [batch, 1, 8, 8]}}
"""


def mistakes(folder: Path, text: str) -> str:
    (folder / "trb.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:
        read(folder / "trb.yaml")
    return caught.value.what


def test_a_function_is_read_with_its_options(tmp_path: Path) -> None:
    """Call, requirements and files keep what trb.yaml says."""
    options = "    python: {call: batch, requirements: [pillow], files: [data]}\n"
    (tmp_path / "trb.yaml").write_text(MODEL + options)

    model = read(tmp_path / "trb.yaml").project.models["decode"]
    assert model.python.call == "batch"
    assert model.python.requirements == ("pillow",)
    assert model.python.files == ("data",)


def test_an_output_may_have_an_axis_of_its_own(tmp_path: Path) -> None:
    """A tokenizer's answer is as long as it is; that of a graph follows its inputs."""
    (tmp_path / "trb.yaml").write_text(MODEL.replace("[batch, 1, 8, 8]", "[batch, seq]"))

    assert read(tmp_path / "trb.yaml").project.models["decode"].outputs["pixels"].shape == ("batch", "seq")
    assert "no input has an axis `seq`" in mistakes(
        tmp_path, MODEL.replace("[batch, 1, 8, 8]", "[batch, seq]").replace("    backend: python\n", "")
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("backend: python", "backend: [python, onnx]", "backend: python stands alone"),
        ("steps:decode", "net.onnx", "source: 'net.onnx' is no function"),
        ("dtype: fp32, ", "", "outputs.pixels: needs its dtype: a Python function declares no types"),
        ("{dtype: fp32, shape: [batch, 1, 8, 8]}", "{}", "outputs.pixels: needs its dtype and shape"),
        ("outputs: {pixels: {dtype: fp32, shape: [batch, 1, 8, 8]}}", "dims: {batch: 4}", "outputs: "),
        ("fp32", "bf16", "outputs.pixels.dtype: Triton's Python backend has no arrays of bf16"),
        ("[batch, 1, 8, 8]", "[1, 8, 8]", "outputs.pixels.shape: the function is called for each row"),
    ],
)
def test_what_a_function_cannot_be_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    """Each mistake names its key and a way out."""
    assert told in mistakes(tmp_path, MODEL.replace(old, new))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("weights: a.pt", "weights: a Python function has none"),
        ("allow_pickle: true", "allow_pickle: a Python function has none"),
        ("torchscript: trace", "torchscript: a Python function has none"),
        ("onnx: {opset: 17}", "onnx: a Python function has none"),
        ("output_names: [pixels]", "output_names: a Python function has none"),
        ("python: {requirements: ['pillow=>1']}", "python.requirements.0: 'pillow=>1' is no requirement"),
        ("python: {requirements: ['a @ file:///a.whl']}", "names a place; give the name of a package"),
        ("python: {files: [../data]}", "python.files.0: '../data' does not lie below"),
        ("python: {call: rows}", "python.call"),
    ],
)
def test_options_of_other_sources_and_odd_ones_are_told(tmp_path: Path, line: str, told: str) -> None:
    """What belongs to graphs has no meaning for a function, and what pip would not read is told before it is asked."""
    assert told in mistakes(tmp_path, f"{MODEL}    {line}\n")


def test_options_of_a_function_are_for_no_other_model(tmp_path: Path) -> None:
    """`python:` without `backend: python` would be passed over in silence."""
    text = MODEL.replace("    backend: python\n", "") + "    python: {call: batch}\n"

    assert "python: is for `backend: python`" in mistakes(tmp_path, text)
