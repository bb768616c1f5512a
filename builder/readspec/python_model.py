"""What is wrong with a model that is a plain Python function, and with what other models cannot have of one."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from builder.readspec.finding import Finding
from builder.spec.dtypes import DType
from builder.spec.names import names_callable
from builder.spec.project import Backend, Model, OnnxOptions, PythonOptions, has_batch_axis

_NOT_OF_A_FUNCTION: Final = ("weights", "allow_pickle", "torchscript", "onnx", "output_names")


def check(model: Model) -> Iterator[Finding]:
    """Yield the mistakes of `backend: python`, and of `python:` without it."""
    if Backend.PYTHON not in model.backend:
        if model.python != PythonOptions():
            message = "is for `backend: python`, which this model does not have"
            yield Finding(("python",), message, (("backend",),))
        return
    if len(model.backend) > 1:
        yield Finding(("backend",), "python stands alone: a function is served by no other backend")
    yield from _source(model)
    yield from _outputs(model)
    yield from _requirements(model)
    yield from _files(model)


def _source(model: Model) -> Iterator[Finding]:
    if not names_callable(model.source):
        message = f"{model.source!r} is no function; with `backend: python` give `package.module:function`"
        yield Finding(("source",), message, (("backend",),))
    defaults = {field.name: field.default for field in fields(Model)} | {"onnx": OnnxOptions()}
    for key in _NOT_OF_A_FUNCTION:
        if getattr(model, key) != defaults[key]:
            message = "a Python function has none; leave it out, or choose another backend"
            yield Finding((key,), message, (("backend",),))
    for section in ("inputs", "outputs"):
        for name, tensor in getattr(model, section).items():
            if tensor.dtype is DType.BF16:
                message = "Triton's Python backend has no arrays of bf16; use fp32 or fp16"
                yield Finding((section, name, "dtype"), message, (("backend",),))


def _outputs(model: Model) -> Iterator[Finding]:
    if not model.outputs:
        message = "a Python function declares no types: give `outputs: {name: {dtype: ..., shape: [...]}}`"
        yield Finding(("outputs",), message, (("backend",),))
    for name, output in model.outputs.items():
        lacking = [key for key in ("dtype", "shape") if getattr(output, key) is None]
        if lacking:
            message = (
                f"needs its {' and '.join(lacking)}: a Python function declares no types, so trb.yaml does "
                f"(dtype: fp32, shape: [{model.batching.axis}, ...])"
            )
            yield Finding(("outputs", name), message, (("backend",),))
    if model.python.call == "row" and has_batch_axis(model):
        yield from _rows(model)


def _rows(model: Model) -> Iterator[Finding]:
    """Yield the tensors whose rows cannot be told apart."""
    batch = model.batching.axis
    for section in ("inputs", "outputs"):
        for name, tensor in getattr(model, section).items():
            shape = tensor.shape
            is_odd = shape is not None and (
                batch in shape[1:] or (section == "outputs" and shape[:1] != (batch,))
            )
            if is_odd:
                message = (
                    f"the function is called for each row, so `{batch}` is the first axis; or take whole arrays, with "
                    "`python: {call: batch}`"
                )
                yield Finding((section, name, "shape"), message, (("python", "call"), ("batching",)))


def _requirements(model: Model) -> Iterator[Finding]:
    for n, text in enumerate(model.python.requirements):
        here = ("python", "requirements", n)
        try:
            read = Requirement(text)
        except InvalidRequirement as error:
            yield Finding(
                here, f"{text!r} is no requirement such as `pillow` or `tokenizers>=0.20`: {_first(error)}"
            )
            continue
        if read.url is not None:
            yield Finding(
                here, f"{text!r} names a place; give the name of a package, which is delivered as a wheel"
            )


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]


def _files(model: Model) -> Iterator[Finding]:
    for n, name in enumerate(model.python.files):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            message = (
                f"{name!r} does not lie below the folder of trb.yaml, whose place it keeps beside model.py"
            )
            yield Finding(("python", "files", n), message)
