"""An ONNX file as ONNX Runtime, and so Triton, sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch

from builder.blame import first_line
from builder.export.example import drawn
from builder.export.shapes import shape_problem
from builder.feeds import label, sizes
from builder.runtimes import open_onnx, open_session
from builder.spec.loaded import Loaded
from builder.spec.tensors import Dim, Signature, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The inputs and outputs of a file, or why it is not the model's."""

    signature: Signature | None
    refusal: str = ""


def view(path: Path, loaded: Loaded) -> View:
    """Check the file and read its signature; refused if it is not ONNX, or freezes an axis of the spec."""
    try:
        onnx.checker.check_model(str(path))
        session = open_session(path, threads=torch.get_num_threads(), optimised=False)
    except Exception as error:  # noqa: BLE001 - onnx and ONNX Runtime share no exception class below Exception
        return View(signature=None, refusal=first_line(error))
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    problems = (
        *_problems("input", inputs, loaded.signature.inputs),
        *_problems("output", outputs, loaded.signature.outputs),
    )
    if problems:
        return View(signature=None, refusal="; ".join(problems))
    signature = Signature(
        inputs=tuple(_as_seen(tensor, inputs[tensor.name]) for tensor in loaded.signature.inputs),
        outputs=tuple(_as_seen(tensor, outputs[tensor.name]) for tensor in loaded.signature.outputs),
    )
    return View(signature=signature)


def run_problem(path: Path, loaded: Loaded) -> str:
    """Run the file at the smallest and at one larger combination of sizes; return what failed, if any."""
    run = open_onnx(path, threads=torch.get_num_threads())
    combinations = sizes(loaded.model)
    for here in dict.fromkeys((0, len(combinations) // 2)):
        feed = drawn(loaded, combinations[here], here)
        try:
            answer = run(feed)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no class below Exception
            return f"the file fails at {label(combinations[here]) or 'its fixed sizes'}: {first_line(error)}"
        if problem := shape_problem(loaded.signature, combinations[here], answer):
            return f"at {label(combinations[here])}: {problem}"
    return ""


def _problems(kind: str, seen: Mapping[str, Any], wanted: tuple[Tensor, ...]) -> tuple[str, ...]:
    names = {tensor.name for tensor in wanted}
    surplus = [f"the file has an {kind} {name} that the model has not" for name in seen if name not in names]
    found = (_problem(kind, seen.get(tensor.name), tensor) for tensor in wanted)
    return (*surplus, *(problem for problem in found if problem))


def _problem(kind: str, seen: Any, wanted: Tensor) -> str:
    if seen is None:
        return f"the file has no {kind} {wanted.name}"
    if seen.type != wanted.dtype.onnxruntime:
        return f"{kind} {wanted.name} is {seen.type} in the file, {wanted.dtype.value} in the model"
    if len(seen.shape) != len(wanted.shape):
        return (
            f"{kind} {wanted.name} has {len(seen.shape)} axes in the file, {len(wanted.shape)} in the model"
        )
    for place, (there, here) in enumerate(zip(seen.shape, wanted.shape, strict=True)):
        if isinstance(here, str) and isinstance(there, int):
            return f"axis {place} ({here}) of {kind} {wanted.name} is frozen at {there}"
        if isinstance(here, int) and isinstance(there, int) and here != there:
            return f"axis {place} of {kind} {wanted.name} is {there} in the file, {here} in the model"
    return ""


def _as_seen(wanted: Tensor, seen: Any) -> Tensor:
    """Return `wanted` with the axes as in the file: a size that it leaves open becomes an axis of its own."""
    pairs = enumerate(zip(seen.shape, wanted.shape, strict=True))
    shape = tuple(_dim(f"{wanted.name}_axis_{place}", there, here) for place, (there, here) in pairs)
    return Tensor(name=wanted.name, dtype=wanted.dtype, shape=shape)


def _dim(own_name: str, there: Any, here: Dim) -> Dim:
    if isinstance(there, int) or isinstance(here, str):
        return here
    return own_name
