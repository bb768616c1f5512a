"""Each kind of source, opened: what answers, and what exporters get."""

import inspect
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import torch

from builder.errors import ExportError, SourceError
from builder.feeds import random_feed, sizes
from builder.loading.bind import bind, flat
from builder.loading.callables import call, resolve, told
from builder.loading.fingerprint import file_sha256
from builder.loading.flatten import flatten, is_flat
from builder.loading.reference import dtype_of, module_runner, run_module
from builder.loading.weights import first_difference, load_weights, weights_sha256
from builder.spec.dtypes import DType
from builder.spec.loaded import Runner
from builder.spec.project import Model
from builder.spec.tensors import Signature, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A source that answers; the axes of its outputs are not known yet."""

    kind: Literal["module", "program", "torchscript", "onnx"]
    inputs: tuple[Tensor, ...]
    dtypes: Mapping[str, DType]
    """Of the outputs, by name, in order."""
    reference: Runner
    reference_name: str
    weights_sha256: str
    bind: Literal["name", "position"] = "name"
    module: Any = None
    original: Any = None
    program: Any = None
    path: Path | None = None
    notes: tuple[str, ...] = field(default=())


def open_source(model: Model, folder: Path) -> Opened:
    """Open the source of `model`, whatever it is.

    Raises:
        SourceError: it cannot be opened, or does not take the inputs of trb.yaml.
    """
    suffix = Path(model.source).suffix if ":" not in model.source else ""
    return _KINDS[suffix](model, folder)


def inputs_of(model: Model) -> tuple[Tensor, ...]:
    """Return the inputs of trb.yaml in its order."""
    return tuple(Tensor(name=name, dtype=one.dtype, shape=one.shape) for name, one in model.inputs.items())


def _open_module(model: Model, folder: Path) -> Opened:
    module = _called(model, folder)
    how, inputs = bind(module, inputs_of(model))
    signature = Signature(inputs=inputs, outputs=())
    asked = _asked(module, inputs, how)
    result = run_module(asked, inputs, random_feed(model, sizes(model)[0], seed=0))
    outputs = flatten(result, names=model.output_names)
    same = is_flat(result) and asked is module
    return Opened(
        kind="module",
        bind=how,
        inputs=inputs,
        dtypes={name: dtype_of(name, tensor) for name, tensor in outputs},
        module=module if same else flat(module, signature, how),
        original=module,
        reference=module_runner(
            module if same else flat(module, signature, how), inputs, tuple(name for name, _ in outputs)
        ),
        reference_name="eager PyTorch",
        weights_sha256=weights_sha256(module.state_dict()),
    )


def _asked(module: Any, inputs: tuple[Tensor, ...], how: str) -> Any:
    """Return what takes the inputs by position: the module itself where its arguments stand in order."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    names = [
        p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)
    ]
    in_order = how == "position" or names[: len(inputs)] == [tensor.name for tensor in inputs]
    return (
        module
        if in_order
        else lambda *values: module(**{t.name: v for t, v in zip(inputs, values, strict=True)})
    )


def _called(model: Model, folder: Path) -> torch.nn.Module:
    """Call the source twice: a module that starts from other weights each time cannot be built again."""
    function = resolve(model.source, folder, key="source")
    first, second = (_module(call(function, model.source, key="source"), model.source) for _ in range(2))
    if model.weights is not None:
        load_weights(first, folder / model.weights, allow_pickle=model.allow_pickle)
    elif first is not second and (name := first_difference(first, second)):
        raise SourceError(
            f"source: {model.source} gives other weights each time it is called; `{name}` differs",
            fix="load trained ones (`weights:` in trb.yaml), or call torch.manual_seed(0) before making them",
        )
    return first.eval()


def _module(found: Any, source: str) -> torch.nn.Module:
    if isinstance(found, torch.nn.Module):
        return found.cpu()
    raise SourceError(
        f"source: {source} returned {type(found).__name__}, not a torch.nn.Module", fix="return the module"
    )


def _open_torchscript(model: Model, folder: Path) -> Opened:
    path = _file(model, folder)
    _require_torchscript(path)
    try:
        module = torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        raise SourceError(
            f"source: {path.name} is no TorchScript file: {str(error).splitlines()[0]}"
        ) from error
    named = [argument.name for argument in module.forward.schema.arguments[1:]]
    inputs = _in_order(inputs_of(model), named, path.name)
    how: Literal["name", "position"] = (
        "name" if [t.name for t in inputs] == named[: len(inputs)] else "position"
    )
    outputs = _answers(model, module, inputs)
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
    )


def _open_program(model: Model, folder: Path) -> Opened:
    path = _file(model, folder)
    try:
        with _no_unpickling(allowed=model.allow_pickle):
            program = torch.export.load(path)
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"source: {path.name} is no exported program: {told(error)}") from error
    named = list(program.graph_signature.user_inputs)
    inputs = _in_order(inputs_of(model), named, path.name)
    module = program.module()
    outputs = _answers(model, module, inputs)
    wrapped = flat(module, Signature(inputs=inputs, outputs=()), "position")
    return Opened(
        kind="program",
        bind="name" if [t.name for t in inputs] == named else "position",
        inputs=inputs,
        dtypes={name: dtype_of(name, tensor) for name, tensor in outputs},
        module=wrapped,
        original=module,
        program=program,
        path=path,
        reference=module_runner(wrapped, inputs, tuple(name for name, _ in outputs)),
        reference_name="the exported program in torch",
        weights_sha256=file_sha256(path),
    )


def _open_onnx(model: Model, folder: Path) -> Opened:
    from builder.runtimes import open_onnx, open_session

    path = _file(model, folder)
    threads = torch.get_num_threads()
    try:
        session = open_session(path, threads=threads, optimised=False)
        runner = open_onnx(path, threads=threads, optimised=False)
    except ExportError as error:
        raise SourceError(f"source: {error.what}", fix="correct the file, or name another") from error
    inputs = _in_order(
        inputs_of(model), [node.name for node in session.get_inputs()], path.name, by_name=True
    )
    for node in session.get_inputs():
        _require_declared(node, {tensor.name: tensor for tensor in inputs}, path.name)
    return Opened(
        kind="onnx",
        inputs=inputs,
        dtypes={node.name: _ort_dtype(node, path.name) for node in session.get_outputs()},
        path=path,
        reference=runner,
        reference_name="ONNX Runtime, optimisation off",
        weights_sha256=file_sha256(path),
    )


_ORT_NAMES: Final = {"float": DType.FP32, "double": DType.FP64, "float16": DType.FP16, "bfloat16": DType.BF16}


def _ort_dtype(node: Any, file: str) -> DType:
    """Return the element type of ONNX Runtime's `tensor(float)`."""
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    try:
        return _ORT_NAMES.get(kind) or DType(kind)
    except ValueError:
        raise SourceError(
            f"source: `{node.name}` of {file} is {node.type}; Triton does not carry it"
        ) from None


def _require_declared(node: Any, inputs: Mapping[str, Tensor], file: str) -> None:
    tensor = inputs[node.name]
    dtype = _ort_dtype(node, file)
    if dtype is not tensor.dtype:
        raise SourceError(
            f"inputs: {file} declares `{node.name}` as {dtype.value}, trb.yaml as {tensor.dtype.value}"
        )
    if len(node.shape) != len(tensor.shape):
        raise SourceError(
            f"inputs: {file} declares `{node.name}` as {node.shape}, trb.yaml as {list(tensor.shape)}"
        )
    for place, (have, want) in enumerate(zip(node.shape, tensor.shape, strict=True)):
        if isinstance(have, int) and have != want:
            says = f"trb.yaml calls it `{want}`" if isinstance(want, str) else f"trb.yaml says {want}"
            raise SourceError(f"inputs: axis {place} of `{node.name}` is fixed at {have} in {file}; {says}")


def _in_order(
    inputs: tuple[Tensor, ...], named: list[str], file: str, *, by_name: bool = False
) -> tuple[Tensor, ...]:
    """Return the inputs in the file's order: by name where all meet, else as they stand."""
    given = {tensor.name: tensor for tensor in inputs}
    if set(given) == set(named):
        return tuple(given[name] for name in named)
    if by_name or len(given) != len(named) or set(given) & set(named):
        raise SourceError(f"inputs: {file} takes {', '.join(named)}; trb.yaml names {', '.join(given)}")
    return inputs


def _answers(model: Model, module: Any, inputs: tuple[Tensor, ...]) -> tuple[tuple[str, torch.Tensor], ...]:
    result = run_module(module, inputs, random_feed(model, sizes(model)[0], seed=0))
    return flatten(result, names=model.output_names)


def _flat_call(module: Any) -> Callable[..., Any]:
    from builder.loading.flatten import tensors

    return lambda *arguments: tensors(module(*arguments))


def _file(model: Model, folder: Path) -> Path:
    path = folder / model.source
    if not path.is_file():
        raise SourceError(f"source: there is no file {path}", fix="correct `source` in trb.yaml")
    return path


def _require_torchscript(path: Path) -> None:
    """Tell what a .pt that is not TorchScript is, by the names in its zip alone: nothing is unpickled."""
    if not zipfile.is_zipfile(path):
        raise SourceError(
            f"source: {path.name} is no TorchScript file but an old pickle, or no model at all",
            fix="name a callable that builds the module as `source`, and this file as `weights`",
        )
    with zipfile.ZipFile(path) as archive:
        names = [name.split("/", 1)[-1] for name in archive.namelist()]
    if "constants.pkl" in names:
        return
    if any(name.startswith("models/") or name.endswith("archive_format") for name in names):
        raise SourceError(f"source: {path.name} is an exported program", fix="rename it to end in .pt2")
    raise SourceError(
        f"source: {path.name} is a pickle of weights or of a module, not TorchScript",
        fix="name a callable that builds the module as `source`, and this file as `weights`",
    )


_GUARDS: list[str] = []


@contextmanager
def _no_unpickling(*, allowed: bool) -> Iterator[None]:
    """Refuse every use of pickle that can run code, unless it is allowed."""
    if allowed:
        yield
        return
    if not _GUARDS:
        sys.addaudithook(_refuse)
    _GUARDS.append("on")
    before = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    try:
        yield
    finally:
        _GUARDS[-1] = "off"
        os.environ.pop("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
        if before is not None:
            os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = before


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "pickle.find_class" and _GUARDS[-1:] == ["on"]:
        raise SourceError(
            f"source: the file holds a pickle ({arguments[0]}.{arguments[1]}); reading it would run code from it",
            fix="if you trust the file, set `allow_pickle: true`",
        )


_KINDS: Final[Mapping[str, Callable[[Model, Path], Opened]]] = {
    "": _open_module,
    ".pt": _open_torchscript,
    ".pt2": _open_program,
    ".onnx": _open_onnx,
}
