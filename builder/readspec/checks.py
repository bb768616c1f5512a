"""What no single field of trb.yaml can tell: names that must meet, files of the right kind, axes that have sizes."""

import os.path
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import Final

from builder.errors import SpecError
from builder.readspec import limits, python_model, tensors
from builder.readspec.finding import Finding, follows, moved
from builder.readspec.pipelines import pipelines
from builder.readspec.shapes import close_match
from builder.readspec.tensors import input_shapes
from builder.readspec.yaml_tree import Mistake, Path, Tree
from builder.spec.names import LONGEST_NAME, NAME_RULE, is_model_name, names_callable
from builder.spec.places import home
from builder.spec.project import Backend, Model, Project, axes, has_batch_axis, triton_names
from builder.spec.releases import release, releases

_HOME: Final = home(FilePath("repository")).parent.name
_SOURCE_FILES: Final = (".pt2", ".pt", ".onnx")


def check(tree: Tree, project: Project, dropped: list[Path], folder: FilePath) -> list[Mistake]:
    """Return the mistakes of a project whose single fields are right, but for those at `dropped`.

    Args:
        tree: tells the lines.
        project: what was read.
        dropped: the places that are mistakes already; what follows from them is not said.
        folder: that of trb.yaml, absolute.
    """
    findings = [*_triton(project), *_repository(project, folder), *_names(project), *_opsets(project)]
    for name, model in project.models.items():
        for rule in _RULES:
            findings += [moved(finding, ("models", name)) for finding in rule(model)]
    findings += pipelines(project, FilePath(os.path.normpath(folder / project.repository)), dropped)
    return [tree.mistake(f.path, f.message) for f in findings if not follows(f, dropped)]


def _triton(project: Project) -> Iterator[Finding]:
    try:
        release(project.triton)
    except SpecError as error:
        names = [one.name for one in releases()]
        match = close_match(project.triton, [n for n in names if n == f"{project.triton}0"] or names)
        hint = match if "did you mean" in match else f"; {error.fix}"
        yield Finding(("triton",), f"{error.what}{hint}")


def _repository(project: Project, folder: FilePath) -> Iterator[Finding]:
    """Yield why trb must not write there: it empties folders of its own beside the repository's root."""
    wanted = os.path.normpath(folder / project.repository)
    plain = os.path.normpath(folder)
    if _HOME in FilePath(os.path.relpath(wanted, plain)).parts:
        message = f"{_HOME} is where trb keeps its own files; name a folder outside it"
        yield Finding(("repository",), message)
    elif _holds(wanted, plain) or _holds(os.path.realpath(wanted), os.path.realpath(plain)):
        message = (
            f"{wanted} is or holds the folder of trb.yaml; name one of its own, such as model_repository"
        )
        yield Finding(("repository",), message)


def _holds(folder: str, inner: str) -> bool:
    return FilePath(inner).is_relative_to(folder)


def _names(project: Project) -> Iterator[Finding]:
    if not project.models:
        yield Finding(("models",), "names no model")
    owners: dict[str, str] = {}
    for name, model in project.models.items():
        called = triton_names(name, model).values()
        if not all(map(is_model_name, called)):
            longest = max(map(len, called), default=0)
            why = f"{longest} letters are more than {LONGEST_NAME}" if longest > LONGEST_NAME else NAME_RULE
            yield Finding(("models", name), f"Triton would refuse the name; {why}", stands=True)
        for triton_name in called:
            if triton_name in owners:
                message = f"this model and `{owners[triton_name]}` would both be called {triton_name}"
                yield Finding(("models", name), message)
            owners[triton_name] = name


def _opsets(project: Project) -> Iterator[Finding]:
    target = next((one for one in releases() if one.name == project.triton), None)
    for name, model in project.models.items():
        asked = model.onnx.opset
        if target is not None and asked is not None and asked > target.max_opset:
            message = f"Triton {target.name} takes opsets up to {target.max_opset}, not {asked}"
            yield Finding(("models", name, "onnx", "opset"), message, (("triton",),))


def _source(model: Model) -> Iterator[Finding]:
    is_function = Backend.PYTHON in model.backend  # whose source `python_model` looks at
    if not is_function and not model.source.endswith(_SOURCE_FILES) and not names_callable(model.source):
        message = (
            f"{model.source!r} is neither `package.module:callable` nor a file ending in .pt2, .pt or .onnx"
        )
        yield Finding(("source",), message)
    is_file = model.source.endswith(_SOURCE_FILES)
    if model.weights is not None and not model.weights.endswith((".safetensors", ".pt", ".pth", ".bin")):
        yield Finding(("weights",), f"{model.weights!r} must end in .safetensors or .pt")
    if model.weights is not None and is_file:
        yield Finding(
            ("weights",), "only a callable takes weights; a source file has its own", (("source",),)
        )
    if model.source.endswith(".onnx") and Backend.TORCHSCRIPT in model.backend:
        yield Finding(("backend",), "an .onnx source can only be served by the onnx backend", (("source",),))
    if model.samples is not None and not model.samples.endswith(".npz") and not names_callable(model.samples):
        yield Finding(
            ("samples",), f"{model.samples!r} is neither `package.module:callable` nor an .npz file"
        )


def _backends(model: Model) -> Iterator[Finding]:
    if not model.backend:
        yield Finding(("backend",), "names no backend; give onnx, torchscript, or both; or python")
    if Backend.ENSEMBLE in model.backend:
        yield Finding(("backend",), "is for pipelines; write the ensemble under `pipelines`, step by step")
    if len(set(model.backend)) != len(model.backend):
        yield Finding(("backend",), "names a backend twice")


def _axes(model: Model) -> Iterator[Finding]:
    used = axes(model)
    batch = model.batching.axis
    for axis, size in model.dims.items():
        if axis not in used:
            message = f"no input has an axis `{axis}`" + close_match(axis, used)
            yield Finding(("dims", axis), message, input_shapes(model))
        if size.min < 1:
            yield Finding(("dims", axis, "min"), f"{size.min} is no size; the smallest is 1")
        if size.max < size.min:
            yield Finding(("dims", axis), f"max {size.max} is below min {size.min}")
        if axis == batch and size.min != 1:
            yield Finding(("dims", axis, "min"), "Triton sends single rows too; the batch axis begins at 1")
    for axis in used:
        if axis != batch and axis not in model.dims:
            known = close_match(axis, [batch, *model.dims])
            hint = known if "did you mean" in known else ""
            message = (
                f"the dynamic axis `{axis}` needs its sizes: dims: {{{axis}: {{min: 1, max: ...}}}}{hint}"
            )
            owner = next(name for name, tensor in model.inputs.items() if axis in tensor.shape)
            yield Finding(("inputs", owner, "shape"), message, (("dims", axis), *input_shapes(model)))


def _batching(model: Model) -> Iterator[Finding]:
    batch = model.batching.axis
    has_batch = has_batch_axis(model)
    needs: tuple[Path, ...] = (*input_shapes(model), ("dims",))
    if model.batching.enabled is True:
        for name, tensor in model.inputs.items():
            if tensor.shape[:1] != (batch,):
                message = f"batching needs the axis `{batch}` first in every input"
                yield Finding(("inputs", name, "shape"), message, (("batching",),))
    largest = model.dims[batch].max if batch in model.dims else 8
    for n, size in enumerate(model.batching.preferred_sizes):
        if not has_batch or not 1 <= size <= largest:
            message = (
                f"{size} is not between 1 and the largest batch, {largest}"
                if has_batch
                else "there is no batch axis"
            )
            yield Finding(("batching", "preferred_sizes", n), message, needs)


_RULES: Final[tuple[Callable[[Model], Iterator[Finding]], ...]] = (
    _source, _backends, python_model.check, tensors.inputs, _axes, _batching, tensors.outputs,
    limits.numbers, limits.sizes,
)  # fmt: skip
