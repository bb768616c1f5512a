"""What Triton's onnxruntime backend refuses and completes."""

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, Literal

from builder.rules import parameters, sequences
from builder.rules.refusal import (
    BATCHED_DIM,
    Config,
    ModelTensor,
    Place,
    Refusal,
    backend_dims,
    max_batch_size,
    shape_text,
    tensors,
)
from builder.spec.dtypes import DType

Tensor = tuple[Literal["input", "output"], int]
"""Which section of a config, and which of its tensors."""

DEFAULT_MAX_BATCH_SIZE: Final = 4
"""What auto-complete gives a model that can be batched, unless the server was started with another."""

BF16_SINCE: Final = (26, 3)
"""The first release whose onnxruntime backend carries bfloat16."""

_INTEGERS: Final = ("execution_mode", "intra_op_thread_count", "inter_op_thread_count")
_BOOLEANS: Final = ("enable_mem_arena", "enable_mem_pattern")

_CARRIED: Final = frozenset(dtype.triton for dtype in DType)
_ONNX_TYPES: Final = {
    "seq(": "ONNX_TYPE_SEQUENCE",
    "map(": "ONNX_TYPE_MAP",
    "sparse_tensor(": "ONNX_TYPE_SPARSETENSOR",
}


def triton_type(ort_type: str, *, bf16: bool = False) -> str:
    """Return the config's name of ONNX Runtime's `ort_type`; TYPE_INVALID where the backend has none."""
    try:
        found = DType.from_onnxruntime(ort_type)
    except KeyError:
        return "TYPE_INVALID"
    return "TYPE_INVALID" if found is DType.BF16 and not bf16 else found.triton


def over_limits(*, opset: int | None, ir: int | None, max_opset: int, max_ir: int) -> Iterator[Refusal]:
    """Yield why an ONNX Runtime with these limits refuses a file so stamped (None: the file does not say)."""
    if ir is not None and ir > max_ir:
        yield Refusal(
            f"onnx runtime error 1: Unsupported model IR version: {ir}, max supported IR version: {max_ir}",
            code="O104",
        )
    if opset is not None and opset > max_opset:
        yield Refusal(
            "onnx runtime error 1: ONNX Runtime only *guarantees* support for models stamped with official "
            f"released onnx opset versions. Opset {opset} is under development and support for this is "
            "limited. The operator schemas and or other functionality may change before next ONNX release "
            "and in this case ONNX Runtime will not guarantee backward compatibility. Current official "
            f"support for domain ai.onnx is till opset {max_opset}.",
            code="O103",
        )


def options(config: Config) -> Iterator[Refusal]:
    """Yield what is wrong with the parameters and accelerators of `config`; the backend reads them first."""
    yield from parameters.unreadable(config, integers=_INTEGERS, booleans=_BOOLEANS)
    mode = parameters.integer(parameters.text(config).get("execution_mode", "0"))
    if mode not in (None, 0, 1):
        yield Refusal(
            "Invalid configuration value provided. Expected values for  execution_mode are 0 or 1 but got "
            f"{mode} .",
            code="C217",
            place=("parameters", "execution_mode"),
        )
    accelerators = (config.get("optimization") or {}).get("execution_accelerators") or {}
    for position, accelerator in enumerate(accelerators.get("cpu_execution_accelerator") or ()):
        yield Refusal(
            f"unknown Execution Accelerator '{accelerator.get('name', '')}' is requested",
            code="C218",
            place=("optimization", "execution_accelerators", "cpu_execution_accelerator", position),
        )


def check(
    config: Config,
    inputs: Sequence[ModelTensor],
    outputs: Sequence[ModelTensor],
    *,
    initializers: Sequence[ModelTensor] = (),
    bf16: bool = False,
) -> list[Refusal]:
    """Return all that the backend has against serving this model under `config`, in the order it looks.

    Args:
        config: the configuration, completed where auto-complete is on.
        inputs: the graph's inputs, initialisers left out.
        outputs: the graph's outputs, with the shapes that ONNX Runtime inferred.
        initializers: initialisers that are graph inputs too, which a request may override.
        bf16: whether the release's backend carries bfloat16.
    """
    return [
        *options(config),
        *_not_tensors((*inputs, *initializers, *outputs)),
        *_controls(config, inputs),
        *_count(config, inputs),
        *_inputs(config, (*inputs, *initializers), bf16=bf16),
        *_outputs(config, outputs, bf16=bf16),
    ]


def _not_tensors(found: Iterable[ModelTensor]) -> Iterator[Refusal]:
    for tensor in found:
        if not tensor.type.startswith("tensor("):
            onnx = next(
                (n for start, n in _ONNX_TYPES.items() if tensor.type.startswith(start)), "ONNX_TYPE_UNKNOWN"
            )
            yield Refusal(
                f"Unsupported ONNX Type '{onnx}' for I/O '{tensor.name}', expected 'ONNX_TYPE_TENSOR'.",
                code="O106",
            )


def _controls(config: Config, inputs: Sequence[ModelTensor]) -> Iterator[Refusal]:
    known = {tensor.name: tensor for tensor in inputs}
    for control in sequences.controls(config):
        model = known.get(control.name)
        if model is None:
            yield Refusal(
                f"configuration specified sequence control '{control.name}', but model does not provide that input",
                code="O210",
                place=(*control.place[:3], "name"),
                fix=f"the graph's inputs are {', '.join(known)}",
            )
            continue
        dims, given = model.shape[max_batch_size(config) > 0 :], triton_type(model.type)
        whose = f"sequence control '{control.name}'"
        if dims != (1,):
            yield _unable(
                config,
                f"{whose} in model has dims {shape_text(dims)} but dims [1] is expected",
                code="O210",
                place=(*control.place[:3], "name"),
                fix="give the input of the graph one axis of size 1 beside that of the batch",
            )
        elif given != control.type:
            yield _unable(
                config,
                f"{whose}, the model expects data-type {model.type[len('tensor(') : -1].upper()} but the model "
                f"configuration specifies data-type {control.type}",
                code="O210",
                place=control.place,
            )


def _count(config: Config, inputs: Sequence[ModelTensor]) -> Iterator[Refusal]:
    wanted = sum(not tensor.get("optional") for tensor in tensors(config, "input"))
    wanted += len(config.get("batch_input") or ()) + sequences.tensor_count(config)
    if wanted != len(inputs):
        yield _unable(
            config,
            f"configuration expects {wanted} inputs, model provides {len(inputs)}",
            code="O201",
            place=("input",),
        )


def _inputs(config: Config, known: Sequence[ModelTensor], *, bf16: bool) -> Iterator[Refusal]:
    by_name = {tensor.name: tensor for tensor in known}
    for position, tensor in enumerate(tensors(config, "input")):
        place: Tensor = ("input", position)
        name = tensor["name"]
        if tensor.get("optional") and max_batch_size(config):
            yield _unable(
                config,
                f"optional input '{name}' is not supported for models that support batching",
                code="O206",
                place=(*place, "optional"),
            )
        if name not in by_name:
            yield _unexpected(config, place, by_name)
            continue
        yield from _type(config, place, by_name[name], bf16=bf16)
        if tensor.get("allow_ragged_batch"):
            yield from _ragged(config, by_name[name], place)
        else:
            yield from _dims(config, by_name[name], place)


def _outputs(config: Config, known: Sequence[ModelTensor], *, bf16: bool) -> Iterator[Refusal]:
    by_name = {tensor.name: tensor for tensor in known}
    for position, tensor in enumerate(tensors(config, "output")):
        place: Tensor = ("output", position)
        name = tensor["name"]
        if name not in by_name:
            yield _unexpected(config, place, by_name)
            continue
        yield from _type(config, place, by_name[name], bf16=bf16)
        yield from _dims(config, by_name[name], place)


def _unexpected(config: Config, place: Tensor, known: Collection[str]) -> Refusal:
    io, position = place
    names = [tensor["name"] for tensor in tensors(config, io)]
    free = [name for name in known if name not in names]
    is_only = len(free) == 1 and sum(name not in known for name in names) == 1
    near = next(
        iter(difflib.get_close_matches(names[position], free, n=1)), free[0] if len(free) == 1 else ""
    )
    fix = f"name: {json.dumps(near, ensure_ascii=False)}" if near else ""
    return Refusal(
        f"unexpected inference {io} '{names[position]}', allowed {io}s are: {', '.join(sorted(known))}",
        code="O202",
        place=(*place, "name"),
        fix=fix,
        right=fix if is_only else None,
    )


def _type(config: Config, place: Tensor, model: ModelTensor, *, bf16: bool) -> Iterator[Refusal]:
    io, position = place
    tensor = tensors(config, io)[position]
    name, wanted, where = tensor["name"], tensor["data_type"], (*place, "data_type")
    if wanted not in _CARRIED or (wanted == "TYPE_BF16" and not bf16):
        yield Refusal(
            f"unsupported datatype {wanted} for {io} '{name}' for model '{config['name']}'",
            code="O203",
            place=where,
        )
        return
    given = triton_type(model.type, bf16=bf16)
    if wanted != given:
        shown = {"TYPE_STRING": "TYPE_BYTES", "TYPE_INVALID": "TYPE_<invalid>"}.get(given, given)
        yield _unable(
            config,
            f"configuration expects datatype {wanted} for {io} '{name}', model provides {shown}",
            code="O203",
            place=where,
            fix=f"data_type: {given}" if given != "TYPE_INVALID" else "",
            right=f"data_type: {given}" if given != "TYPE_INVALID" else None,
        )


def _ragged(config: Config, model: ModelTensor, place: Tensor) -> Iterator[Refusal]:
    if model.shape != (BATCHED_DIM,):
        yield _unable(
            config,
            "configuration expects model provides input with shape [-1]  for ragged input "
            f"'{model.name}', model provides {shape_text(model.shape)}",
            code="O207",
            place=(*place, "allow_ragged_batch"),
        )


def _dims(config: Config, model: ModelTensor, place: Tensor) -> Iterator[Refusal]:
    io, position = place
    tensor = tensors(config, io)[position]
    dims, where = backend_dims(tensor), (*place, "reshape" if "reshape" in tensor else "dims")
    if not model.shape:
        if any(dim != 1 for dim in dims):
            yield _unable(
                config,
                f"scalar tensor '{model.name}', should only provide 1 in the model configuration when the "
                f"model doesn't support batching. Model configuration provided: {shape_text(dims)}.",
                code="O204",
                place=where,
                fix="dims: [ 1 ]",
                right="dims: [ 1 ]" if where[-1] == "dims" else None,
            )
        return
    batched = max_batch_size(config) > 0
    of_tensor = f"model '{config['name']}', tensor '{model.name}': "
    if batched and model.shape[0] != BATCHED_DIM:
        yield Refusal(
            f"{of_tensor}for the model to support batching the shape should have at least 1 dimension and the "
            f"first dimension must be -1; but shape expected by the model is {shape_text(model.shape)}",
            code="O205",
            place=("max_batch_size",),
            fix="max_batch_size: 0 and the full shape in `dims`, or export the model with a dynamic batch axis",
        )
    elif not _fits(model.shape, (BATCHED_DIM, *dims) if batched else dims, exact=io == "output"):
        fix = _dims_fix(model.shape[1:] if batched else model.shape, dims, exact=io == "output")
        yield Refusal(
            f"{of_tensor}{_mismatch(model.shape, dims, batched=batched)}",
            code="O204",
            place=where,
            fix=fix,
            right=fix if where[-1] == "dims" else None,
        )


def _dims_fix(model: tuple[int, ...], given: tuple[int, ...], *, exact: bool) -> str:
    """Return the line that names the model's dims, with a size for its free axes where one is given and may be.

    A tensor with no axis but the batch has no dims to name.
    """
    if not model:
        return "dims: [ 1 ] reshape: { shape: [ ] }"
    if len(model) == len(given) and not exact:
        model = tuple(g if m == BATCHED_DIM else m for m, g in zip(model, given, strict=True))
    return f"dims: {shape_text(model)}"


def _fits(model: tuple[int, ...], wanted: tuple[int, ...], *, exact: bool) -> bool:
    if len(model) != len(wanted):
        return False
    return all(m == w or (m == BATCHED_DIM and not exact) for m, w in zip(model, wanted, strict=True))


def _mismatch(model: tuple[int, ...], dims: tuple[int, ...], *, batched: bool) -> str:
    start = (
        f"the model expects {len(model)} dimensions (shape {shape_text(model)}) but the model configuration "
        "specifies "
    )
    if not batched:
        return f"{start}{len(dims)} dimensions (shape {shape_text(dims)})"
    return (
        f"{start}{len(dims) + 1} dimensions (an initial batch dimension because max_batch_size > 0 followed "
        f"by the explicit tensor shape, making complete shape {shape_text((BATCHED_DIM, *dims))})"
    )


def _unable(
    config: Config, why: str, *, code: str, place: Place, fix: str = "", right: str | None = None
) -> Refusal:
    message = f"unable to load model '{config['name']}', {why}"
    return Refusal(message, code=code, place=place, fix=fix, right=right)


def wants_completion(config: Config) -> bool:
    """Return whether the backend would look into the model: an input or an output section is missing."""
    has_inputs = bool(tensors(config, "input")) or bool(config.get("batch_input"))
    return not (has_inputs and tensors(config, "output"))


def auto_complete(
    config: Config, inputs: Sequence[ModelTensor], outputs: Sequence[ModelTensor], *, bf16: bool = False
) -> dict[str, Any] | Refusal:
    """Return the fields that auto-complete sets in `config`, or why it fails; none where none is missing."""
    if not wants_completion(config):
        return {}
    for refusal in (*options(config), *_not_tensors((*inputs, *outputs))):
        return refusal
    size = max_batch_size(config)
    changes: dict[str, Any] = {}
    if all(tensor.shape[:1] == (BATCHED_DIM,) for tensor in (*inputs, *outputs)):
        size = size or DEFAULT_MAX_BATCH_SIZE
        changes["max_batch_size"] = size
        if size > 1 and "sequence_batching" not in config and "dynamic_batching" not in config:
            changes["dynamic_batching"] = {}
    elif size:
        return Refusal(
            f"autofill failed for model '{config['name']}': model does not support batching while non-zero "
            "max_batch_size is specified",
            code="O205",
            place=("max_batch_size",),
            fix="max_batch_size: 0, or export the model with a dynamic batch axis",
        )
    if not tensors(config, "input") and not config.get("batch_input"):
        changes["input"] = [_completed(tensor, batched=size > 0, bf16=bf16) for tensor in inputs]
    if not tensors(config, "output"):
        changes["output"] = [_completed(tensor, batched=size > 0, bf16=bf16) for tensor in outputs]
    return changes


def _completed(tensor: ModelTensor, *, batched: bool, bf16: bool) -> dict[str, Any]:
    dims = list(tensor.shape[1:] if batched else tensor.shape)
    found: dict[str, Any] = {
        "name": tensor.name,
        "data_type": triton_type(tensor.type, bf16=bf16),
        "dims": dims or [1],
    }
    if batched and not dims:
        found["reshape"] = {"shape": []}
    return found
