"""What no single field of trb.yaml can tell: names that must meet, numbers that must fit."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from builder.errors import SpecError
from builder.readspec.shapes import close_match
from builder.readspec.yaml_tree import Mistake, Path, Tree
from builder.spec.dtypes import DType
from builder.spec.names import LONGEST_NAME, NAME_RULE, is_model_name, names_callable
from builder.spec.project import Backend, Input, Instances, Latency, Model, Project, Tolerance, triton_names
from builder.spec.releases import release, releases
from builder.spec.tensors import unique

_AXIS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_INDEXED: Final = re.compile(r".*__\d+\Z")
_SOURCE_FILES: Final = (".pt2", ".pt", ".onnx")


@dataclass(frozen=True, slots=True)
class _Finding:
    path: Path
    message: str
    needs: tuple[Path, ...] = ()
    """Other places it was concluded from; it is not said when one of them is itself a mistake."""


def check(tree: Tree, project: Project, dropped: list[Path]) -> list[Mistake]:
    """Return the mistakes of a project whose single fields are right, but for those at `dropped`."""
    findings = [*_project(project)]
    for name, model in project.models.items():
        for rule in _RULES:
            findings += [_moved(finding, ("models", name)) for finding in rule(model)]
    return [tree.mistake(f.path, f.message) for f in findings if not _follows(f, dropped)]


def _moved(finding: _Finding, under: Path) -> _Finding:
    return _Finding(
        (*under, *finding.path), finding.message, tuple((*under, *need) for need in finding.needs)
    )


def _follows(finding: _Finding, dropped: list[Path]) -> bool:
    places = (finding.path, *finding.needs)
    return any(
        gone[: len(place)] == place or place[: len(gone)] == gone for gone in dropped for place in places
    )


def _project(project: Project) -> Iterator[_Finding]:
    try:
        release(project.triton)
    except SpecError as error:
        names = [one.name for one in releases()]
        match = close_match(project.triton, [n for n in names if n == f"{project.triton}0"] or names)
        hint = match if "did you mean" in match else f"; {error.fix}"
        yield _Finding(("triton",), f"{error.what}{hint}")
    if not project.models:
        yield _Finding(("models",), "names no model")
    owners: dict[str, str] = {}
    for name, model in project.models.items():
        called = triton_names(name, model).values()
        if not all(map(is_model_name, called)):
            longest = max(map(len, called), default=0)
            why = f"{longest} letters are more than {LONGEST_NAME}" if longest > LONGEST_NAME else NAME_RULE
            yield _Finding(("models", name), f"Triton would refuse the name; {why}")
        for triton_name in called:
            if triton_name in owners:
                message = f"this model and `{owners[triton_name]}` would both be called {triton_name}"
                yield _Finding(("models", name), message)
            owners[triton_name] = name


def _source(model: Model) -> Iterator[_Finding]:
    if not model.source.endswith(_SOURCE_FILES) and not names_callable(model.source):
        message = (
            f"{model.source!r} is neither `package.module:callable` nor a file ending in .pt2, .pt or .onnx"
        )
        yield _Finding(("source",), message)
    is_file = model.source.endswith(_SOURCE_FILES)
    if model.weights is not None and not model.weights.endswith((".safetensors", ".pt", ".pth", ".bin")):
        yield _Finding(("weights",), f"{model.weights!r} must end in .safetensors or .pt")
    if model.weights is not None and is_file:
        yield _Finding(
            ("weights",), "only a callable takes weights; a source file has its own", (("source",),)
        )
    if model.source.endswith(".onnx") and Backend.TORCHSCRIPT in model.backend:
        yield _Finding(("backend",), "an .onnx source can only be served by the onnx backend", (("source",),))
    if model.samples is not None and not model.samples.endswith(".npz") and not names_callable(model.samples):
        yield _Finding(
            ("samples",), f"{model.samples!r} is neither `package.module:callable` nor an .npz file"
        )


def _backends(model: Model) -> Iterator[_Finding]:
    if not model.backend:
        yield _Finding(("backend",), "names no backend; give onnx, torchscript, or both")
    if len(set(model.backend)) != len(model.backend):
        yield _Finding(("backend",), "names a backend twice")


def _inputs(model: Model) -> Iterator[_Finding]:
    if not model.inputs:
        yield _Finding(("inputs",), "names no input; a Triton model has at least one")
    for name, tensor in model.inputs.items():
        here: Path = ("inputs", name)
        if not name or any(ord(c) < 33 for c in name):  # noqa: PLR2004 - blanks and control characters
            yield _Finding(here, "a tensor's name must not have blanks")
        if Backend.TORCHSCRIPT in model.backend and _INDEXED.match(name):
            message = "the pytorch backend reads `__<number>` at the end of a name as a position; rename it"
            yield _Finding(here, message, (("backend",),))
        yield from _shape((*here, "shape"), tensor.shape)
        yield from _range(model, here, tensor)


def _shape(here: Path, shape: tuple[int | str, ...]) -> Iterator[_Finding]:
    if not shape:
        yield _Finding(here, "is empty; Triton carries no scalars, give at least one axis")
    for n, dim in enumerate(shape):
        if isinstance(dim, str) and not _AXIS.match(dim):
            yield _Finding((*here, n), f"{dim!r} is no axis name; use letters, digits and `_`")
        if isinstance(dim, int) and dim < 1:
            yield _Finding(
                (*here, n),
                f"{dim} is no size; give a number from 1, or a name such as `seq` for a dynamic axis",
            )


def _range(model: Model, here: Path, tensor: Input) -> Iterator[_Finding]:
    if tensor.range is None:
        if tensor.dtype.is_integer and model.samples is None:
            message = "integers need `range: [smallest, largest]`, or the model `samples`"
            yield _Finding(here, message, ((*here, "dtype"), (*here, "range"), ("samples",)))
        return
    low, high = tensor.range
    where = (*here, "range")
    if not low <= high:
        yield _Finding(where, f"the smallest value {low:g} is above the largest {high:g}")
    if tensor.dtype in (DType.BOOL, DType.STRING):
        yield _Finding(where, f"{tensor.dtype.value} has no range", ((*here, "dtype"),))
    if tensor.dtype.is_integer:
        bits = tensor.dtype.bytes * 8
        signed = tensor.dtype.value.startswith("int")
        least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        if low < least or high > most:
            yield _Finding(
                where,
                f"[{low:g}, {high:g}] does not fit {tensor.dtype.value}: {least} to {most}",
                ((*here, "dtype"),),
            )
        elif low != int(low) or high != int(high):
            yield _Finding(
                where,
                f"[{low:g}, {high:g}] are no whole numbers, and the dtype is {tensor.dtype.value}",
                ((*here, "dtype"),),
            )


def _axes(model: Model) -> Iterator[_Finding]:
    used = unique(dim for tensor in model.inputs.values() for dim in tensor.shape if isinstance(dim, str))
    batch = model.batching.axis
    for axis, size in model.dims.items():
        if axis not in used:
            message = f"no input has an axis `{axis}`" + close_match(axis, used)
            yield _Finding(("dims", axis), message, _shapes(model))
        if size.min < 1:
            yield _Finding(("dims", axis, "min"), f"{size.min} is no size; the smallest is 1")
        if size.max < size.min:
            yield _Finding(("dims", axis), f"max {size.max} is below min {size.min}")
        if axis == batch and size.min != 1:
            yield _Finding(("dims", axis, "min"), "Triton sends single rows too; the batch axis begins at 1")
    for axis in used:
        if axis != batch and axis not in model.dims:
            known = close_match(axis, [batch, *model.dims])
            hint = known if "did you mean" in known else ""
            message = (
                f"the dynamic axis `{axis}` needs its sizes: dims: {{{axis}: {{min: 1, max: ...}}}}{hint}"
            )
            owner = next(name for name, tensor in model.inputs.items() if axis in tensor.shape)
            yield _Finding(("inputs", owner, "shape"), message, (("dims", axis), *_shapes(model)))


def _shapes(model: Model) -> tuple[Path, ...]:
    return tuple(("inputs", name, "shape") for name in model.inputs)


def _batching(model: Model) -> Iterator[_Finding]:
    batch = model.batching.axis
    has_batch = any(batch in tensor.shape for tensor in model.inputs.values())
    needs: tuple[Path, ...] = (*_shapes(model), ("dims",))
    if model.batching.enabled is True:
        for name, tensor in model.inputs.items():
            if tensor.shape[:1] != (batch,):
                message = f"batching needs the axis `{batch}` first in every input"
                yield _Finding(("inputs", name, "shape"), message, (("batching",),))
    if model.batching.queue_delay_us < 0:
        yield _Finding(("batching", "queue_delay_us"), "must not be negative")
    if not 0 <= model.batching.row_tolerance < float("inf"):
        yield _Finding(("batching", "row_tolerance"), "must be a number from 0")
    largest = model.dims[batch].max if batch in model.dims else 8
    for n, size in enumerate(model.batching.preferred_sizes):
        if not has_batch or not 1 <= size <= largest:
            message = (
                f"{size} is not between 1 and the largest batch, {largest}"
                if has_batch
                else "there is no batch axis"
            )
            yield _Finding(("batching", "preferred_sizes", n), message, needs)


def _outputs(model: Model) -> Iterator[_Finding]:
    axes = unique(dim for tensor in model.inputs.values() for dim in tensor.shape if isinstance(dim, str))
    if len(set(model.output_names)) != len(model.output_names):
        yield _Finding(("output_names",), "names an output twice")
    for name, output in model.outputs.items():
        yield from _shape(("outputs", name, "shape"), output.shape) if output.shape is not None else ()
        for n, dim in enumerate(output.shape or ()):
            if isinstance(dim, str) and dim not in axes:
                yield _Finding(
                    ("outputs", name, "shape", n),
                    f"no input has an axis `{dim}`" + close_match(dim, axes),
                    _shapes(model),
                )
        if model.output_names and name not in model.output_names:
            message = "is not in output_names" + close_match(name, model.output_names)
            yield _Finding(("outputs", name), message, (("output_names",),))


def _numbers(model: Model) -> Iterator[_Finding]:
    tolerances: list[tuple[Path, Tolerance]] = [(("parity",), model.parity)]
    tolerances += [
        (("outputs", n, "parity"), o.parity) for n, o in model.outputs.items() if o.parity is not None
    ]
    for here, tolerance in tolerances:
        for key in ("rtol", "atol", "max_error", "mean_error", "p99_error"):
            value = getattr(tolerance, key)
            if value is not None and not 0 <= value < float("inf"):
                yield _Finding((*here, key), f"{value:g} is no tolerance; give a number from 0")
        if tolerance.top_k is not None and tolerance.top_k < 1:
            yield _Finding((*here, "top_k"), "must be at least 1")
        if tolerance.cosine_min is not None and not -1 <= tolerance.cosine_min <= 1:
            yield _Finding((*here, "cosine_min"), "must be between -1 and 1")
    yield from _instances(model.instances)
    if model.keep_versions < 1:
        yield _Finding(("keep_versions",), "must be at least 1")
    if model.latency is not None:
        yield from _latency(model.latency)


def _instances(instances: Instances) -> Iterator[_Finding]:
    if instances.count < 1:
        yield _Finding(("instances", "count"), "must be at least 1")
    if instances.cores is not None and instances.cores < 1:
        yield _Finding(("instances", "cores"), "must be at least 1")
    if instances.gpus and instances.kind == "cpu":
        yield _Finding(("instances", "gpus"), "kind cpu has no GPUs", (("instances", "kind"),))


def _latency(latency: Latency) -> Iterator[_Finding]:
    for key in (
        "p50_ms",
        "p90_ms",
        "p95_ms",
        "p99_ms",
        "throughput_min",
        "concurrency",
        "request_rate",
        "batch",
    ):
        value = getattr(latency, key)
        if value is not None and not 0 < value < float("inf"):
            yield _Finding(("latency", key), f"must be above 0, not {value:g}")


_RULES: Final[tuple[Callable[[Model], Iterator[_Finding]], ...]] = (
    _source, _backends, _inputs, _axes, _batching, _outputs, _numbers,
)  # fmt: skip
