"""A .pt2: a program that torch.export has saved."""

import logging
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import torch

from builder.blame import chain
from builder.errors import SourceError
from builder.loading.bind import flat
from builder.loading.callables import told
from builder.loading.declared import in_order_or_place, require_declared, require_range
from builder.loading.flatten import left_out
from builder.loading.opened import Opened, first_answer, inputs_of, named_outputs, source_file
from builder.loading.reference import dtype_of, module_runner
from builder.loading.unpickling import ALLOW, no_unpickling
from builder.spec.hashing import file_sha256
from builder.spec.loaded import Feed
from builder.spec.project import Model, axis_range
from builder.spec.tensors import Signature, Tensor

_NOT_ENFORCED: Final = 2
"""torch writes 2 for the smallest size of an axis that it knows nothing of, and runs it at 1 too."""


def open_program(model: Model, folder: Path, samples: Feed | None = None) -> Opened:
    """Open the file in torch and run it once.

    Raises:
        SourceError: it is something else, holds a pickle, or does not take the inputs of trb.yaml.
    """
    path = source_file(model, folder)
    program = _read(path, allow_pickle=model.allow_pickle)
    named = list(program.graph_signature.user_inputs)
    how, inputs = in_order_or_place(inputs_of(model), named, path.name)
    for tensor, name in zip(inputs, named, strict=True):
        value = _placeholder(program, name)
        if isinstance(value, torch.Tensor):
            _require_shape(tensor, value, path.name)
            _require_ranges(program, model, tensor, value.shape, path.name)
    original = program.module()
    result = first_answer(model, original, inputs, samples)
    outputs = named_outputs(model, result)
    module = flat(original, Signature(inputs=inputs, outputs=()), "position")
    return Opened(
        kind="program",
        bind=how,
        inputs=inputs,
        dtypes={name: dtype_of(name, tensor) for name, tensor in outputs},
        module=module,
        original=original,
        program=program,
        path=path,
        reference=module_runner(module, inputs, tuple(name for name, _ in outputs)),
        reference_name="the exported program in torch",
        weights_sha256=file_sha256(path),
        notes=left_out(result),
    )


def _read(path: Path, *, allow_pickle: bool) -> Any:
    try:
        with nullcontext() if allow_pickle else no_unpickling(path.name), _quiet():
            return torch.export.load(path)
    except SourceError:  # our own refusal, raised from inside the reading
        raise
    except Exception as error:  # torch raises anything on a file that is none
        if not allow_pickle and any(isinstance(link, pickle.UnpicklingError) for link in chain(error)):
            raise SourceError(
                f"source: {path.name} holds a pickle of more than tensors, which can run code", fix=ALLOW
            ) from error
        raise SourceError(
            f"source: {path.name} is no exported program: {told(error)}", fix="save it with torch.export.save"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's own account of a file it cannot read off the terminal: the error says it."""
    log = logging.getLogger("torch.export")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before


def _placeholder(program: Any, name: str) -> Any:
    node = next(node for node in program.graph.nodes if node.op == "placeholder" and node.name == name)
    return node.meta.get("val")


def _require_shape(tensor: Tensor, value: torch.Tensor, file: str) -> None:
    shape = [size if isinstance(size, int) else None for size in value.shape]
    require_declared(tensor, dtype_of(tensor.name, value), shape, file)


def _require_ranges(program: Any, model: Model, tensor: Tensor, shape: Any, file: str) -> None:
    for place, (size, axis) in enumerate(zip(shape, tensor.shape, strict=True)):
        known = None if isinstance(size, int) else program.range_constraints.get(size.node.expr)
        if known is not None and isinstance(axis, str):
            smallest = 1 if known.lower <= _NOT_ENFORCED else int(known.lower)
            largest = int(known.upper) if known.upper.is_Integer else None
            asked = axis_range(model, axis)
            require_range(tensor.name, place, axis, takes=(smallest, largest), asked=asked, file=file)
