"""Merged TorchScript files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from builder.errors import ExportError
from builder.export.fused import groups, merge
from builder.runtimes import open_torchscript
from builder.spec.artifact import Artifact
from builder.spec.pipeline import Wired
from tests.unit.export.fused.zoo import assert_same, composed, pipeline, row, rows, step, tensor, torch_file


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.dropout(self.layer(x)))


class Twice(nn.Module):
    def forward(self, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        return p * q, p - q


class InPlace(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mul_(2.0)


def torch_row(model: str, takes: str, makes: str, **options: Any):
    return row(model, takes, makes, backend="pytorch", **options)


def check(wired: Wired, files: Mapping[str, Path], out: Path, target, **feed: Any) -> Artifact:
    """Merge, and compare with the steps one after another."""
    (group,) = groups(wired)
    artifact = merge(group, wired, files, out, target)
    run = open_torchscript(artifact.path, artifact.signature, threads=1)
    assert_same(run(feed), composed(wired, files, feed))
    return artifact


def test_a_chain_answers_as_its_steps(tmp_path, out, target) -> None:
    """One graph, in eval mode, whose argument is called as the pipeline's input."""
    files = {name: torch_file(tmp_path / name, Linear()) for name in ("first", "second")}
    steps = [
        torch_row("first", "x", "y", reads={"x": "text"}, gives={"y": "t"}),
        torch_row("second", "x", "y", reads={"x": "t"}),
    ]

    artifact = check(pipeline("text", steps, "y"), files, out, target, text=rows(3, 4))

    module = torch.jit.load(artifact.path)
    assert [one.name for one in module.forward.schema.arguments] == ["self", "text"]
    assert artifact.exporter == "merged"
    assert [str(one) for one in artifact.signature.outputs] == ["y fp32[batch, 4]"]


def test_a_model_that_stands_twice_lends_its_weights_to_both(tmp_path, out, target) -> None:
    """The merged file is hardly larger than the file of one step."""
    large = nn.Sequential(nn.Linear(4, 20_000), nn.Linear(20_000, 4))
    files = {"first": torch_file(tmp_path / "first", large)}
    steps = [
        torch_row("first", "x", "y", gives={"y": "t"}),
        torch_row("first", "x", "y", name="first#2", reads={"x": "t"}),
    ]

    artifact = check(pipeline("x", steps, "y"), files, out, target, x=rows(3, 4))

    assert artifact.path.stat().st_size < 1.1 * files["first"].stat().st_size


def test_a_tensor_read_by_two_steps_and_given_to_clients(tmp_path, out, target) -> None:
    """Outputs come as a flat tuple; names that Python cannot say are arguments in order."""
    files = {
        "first": torch_file(tmp_path / "a", Linear()),
        "second": torch_file(tmp_path / "b", Linear()),
        "twice": torch_file(tmp_path / "c", Twice()),
    }
    steps = [
        torch_row("first", "x", "y", reads={"x": "a-b"}, gives={"y": "t"}),
        torch_row("second", "x", "y", reads={"x": "t"}, gives={"y": "u"}),
        torch_row("twice", "p q", "s d", reads={"p": "a-b", "q": "u"}, gives={"s": "r0"}),
    ]
    wired = pipeline("a-b", steps, "t r0 d")

    artifact = check(wired, files, out, target, **{"a-b": rows(3, 4)})

    assert [one.name for one in artifact.signature.outputs] == ["t", "r0", "d"]


def test_only_what_something_reads_is_returned(tmp_path, out, target) -> None:
    """The second of two outputs is read, and its place in the step's answer is kept."""
    files = {"twice": torch_file(tmp_path / "c", Twice()), "first": torch_file(tmp_path / "a", Linear())}
    steps = [
        torch_row("twice", "p q", "s d", gives={"s": ""}),
        torch_row("first", "x", "y", reads={"x": "d"}),
    ]

    check(pipeline("p q", steps, "y"), files, out, target, p=rows(3, 4), q=rows(3, 4, seed=1))


def test_the_result_of_a_step_hides_no_argument(tmp_path, out, target) -> None:
    """A pipeline may call its input as the generated code would call a value."""
    files = {"first": torch_file(tmp_path / "a", Linear()), "twice": torch_file(tmp_path / "c", Twice())}
    steps = [
        torch_row("first", "x", "y", reads={"x": "r0"}),
        torch_row("twice", "p q", "s d", reads={"p": "r0", "q": "y"}),
    ]

    check(pipeline("r0", steps, "s d"), files, out, target, r0=rows(3, 4))


def test_a_step_that_writes_into_its_input_writes_into_a_copy(tmp_path, out, target) -> None:
    """What one step does in place reaches neither the clients nor the other step that reads the tensor."""
    files = {
        "first": torch_file(tmp_path / "a", Linear()),
        "inplace": torch_file(tmp_path / "b", InPlace()),
        "twice": torch_file(tmp_path / "c", Twice()),
    }
    steps = [
        torch_row("first", "x", "y"),
        torch_row("inplace", "x", "y", reads={"x": "y"}, gives={"y": "z"}),
        torch_row("twice", "p q", "s d", reads={"p": "y", "q": "z"}),
    ]

    check(pipeline("x", steps, "y s d"), files, out, target, x=rows(3, 4))


def test_axes_that_are_one_have_one_name(tmp_path, out, target) -> None:
    """The second model calls the batch `n`."""
    files = {name: torch_file(tmp_path / name, Linear()) for name in ("first", "second")}
    second = step("second", [tensor("x", "n", 4)], [tensor("y", "n", 4)], reads={"x": "t"}, backend="pytorch")
    wired = pipeline("x", [torch_row("first", "x", "y", gives={"y": "t"}), second], "y")

    artifact = check(wired, files, out, target, x=rows(3, 4))

    assert [str(one) for one in artifact.signature.outputs] == ["y fp32[batch, 4]"]


def test_a_name_that_the_backend_reads_as_a_position_is_refused(tmp_path, out, target) -> None:
    """`logits__1` would be taken for the second tensor."""
    files = {name: torch_file(tmp_path / name, Linear()) for name in ("first", "second")}
    steps = [
        torch_row("first", "x", "y", gives={"y": "t"}),
        torch_row("second", "x", "y", reads={"x": "t"}, gives={"y": "logits__1"}),
    ]

    with pytest.raises(ExportError, match="reads `logits__1`") as caught:
        check(pipeline("x", steps, "logits__1"), files, out, target, x=rows(3, 4))
    assert "`map`" in caught.value.fix


def test_modules_that_do_not_meet_name_the_steps(tmp_path, out, target) -> None:
    """A module whose forward takes another number of tensors than its step has is named."""
    files = {"first": torch_file(tmp_path / "a", Linear()), "second": torch_file(tmp_path / "b", Twice())}
    steps = [torch_row("first", "x", "y", gives={"y": "t"}), torch_row("second", "p", "s", reads={"p": "t"})]

    with pytest.raises(ExportError, match="whole: steps first and second cannot be merged: "):
        check(pipeline("x", steps, "s"), files, out, target, x=rows(3, 4))
    assert list(out.iterdir()) == []
