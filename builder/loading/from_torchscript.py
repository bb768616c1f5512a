"""A TorchScript file."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from builder.errors import SourceError
from builder.loading.declared import in_order_or_place
from builder.loading.flatten import left_out, tensors
from builder.loading.opened import Opened, first_answer, inputs_of, named_outputs, source_file
from builder.loading.reference import dtype_of, module_runner
from builder.spec.hashing import file_sha256
from builder.spec.loaded import Feed
from builder.spec.project import Model

_BUILD_IT: Final = "name a callable that builds the module as `source`, and this file as `weights`"


def open_torchscript(model: Model, folder: Path, samples: Feed | None = None) -> Opened:
    """Open the file in torch and run it once.

    Raises:
        SourceError: it is something else, or does not take the inputs of trb.yaml.
    """
    path = source_file(model, folder)
    require_torchscript(path)
    try:
        module = torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        what = next(iter(str(error).splitlines()), type(error).__name__)
        raise SourceError(f"source: {path.name} is no TorchScript file: {what}", fix=_BUILD_IT) from error
    named = [argument.name for argument in module.forward.schema.arguments[1:]]
    how, inputs = in_order_or_place(inputs_of(model), named, path.name)
    result = first_answer(model, module, inputs, samples)
    outputs = named_outputs(model, result)
    return Opened(
        kind="torchscript",
        bind=how,
        inputs=inputs,
        dtypes={name: dtype_of(name, tensor) for name, tensor in outputs},
        module=module,
        original=module,
        path=path,
        reference=module_runner(_flat_call(module), inputs, tuple(name for name, _ in outputs)),
        reference_name="the TorchScript file in torch",
        weights_sha256=file_sha256(path),
        notes=left_out(result),
    )


def require_torchscript(path: Path) -> None:
    """Tell what a .pt that is not TorchScript is, by the names in its zip alone: nothing is unpickled.

    Raises:
        SourceError: it is an exported program, weights, a pickled module, or no such file at all.
    """
    if not zipfile.is_zipfile(path):
        raise SourceError(
            f"source: {path.name} is no TorchScript file, but an old pickle or no model at all", fix=_BUILD_IT
        )
    with zipfile.ZipFile(path) as archive:
        names = [name.split("/", 1)[-1] for name in archive.namelist()]
    if "constants.pkl" in names:
        return
    if any(name.startswith("models/") or name in _PROGRAM for name in names):
        raise SourceError(f"source: {path.name} is an exported program", fix="rename it to end in .pt2")
    raise SourceError(
        f"source: {path.name} is a pickle of weights or of a module, not TorchScript", fix=_BUILD_IT
    )


_PROGRAM: Final = ("archive_format", "serialized_exported_program.json")


def _flat_call(module: Any) -> Callable[..., Any]:
    return lambda *arguments: tensors(module(*arguments))
