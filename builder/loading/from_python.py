"""A plain Python function, or an instance of a class, that Triton's Python backend is to serve."""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from builder.errors import SourceError
from builder.loading.callables import found_at, told
from builder.loading.opened import Opened, inputs_of
from builder.loading.python_files import data_files
from builder.loading.python_modules import own_modules
from builder.loading.python_packages import delivered, require_named
from builder.runtimes import python_step
from builder.spec.loaded import Feed, PythonCode, Runner
from builder.spec.project import Model
from builder.spec.releases import Release
from builder.spec.tensors import Tensor


def open_python(model: Model, folder: Path, release: Release) -> Opened:
    """Import the function, make the class, and find the modules, files and packages that it needs.

    Raises:
        SourceError: it is no function of the inputs of trb.yaml, or needs what is not there.
    """
    files = data_files(model, folder)
    found = found_at(model.source, folder, key="source")
    function = _made(found, model, folder)
    _require_parameters(function, model)
    modules = own_modules(model.source.partition(":")[0])
    packages = delivered(model, release)
    require_named(modules, packages, model)
    inputs, outputs = inputs_of(model), _outputs_of(model)
    served = python_step.Served(step(model.source, model, inputs, outputs), function)
    return Opened(
        kind="python",
        inputs=inputs,
        dtypes={one.name: one.dtype for one in outputs},
        declared=outputs,
        reference=_runner(served),
        reference_name="the Python function",
        weights_sha256="",
        python=PythonCode(modules=modules, files=files, packages=packages),
    )


def step(
    name: str, model: Model, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]
) -> python_step.Step:
    """Return `model` as the file beside a served model.py knows it."""
    return python_step.Step(
        name=name,
        source=model.source,
        call=model.python.call,
        batch=model.batching.axis,
        inputs=tuple(map(_tensor, inputs)),
        outputs=tuple(map(_tensor, outputs)),
    )


def _tensor(tensor: Tensor) -> python_step.Tensor:
    return python_step.Tensor(tensor.name, tensor.dtype.value, tensor.shape)


def _outputs_of(model: Model) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(name=name, dtype=one.dtype, shape=one.shape)
        for name, one in model.outputs.items()
        if one.dtype is not None and one.shape is not None
    )


def _runner(served: python_step.Served) -> Runner:
    def run(feed: Feed) -> dict[str, Any]:
        try:
            return served.answer({name: np.array(array) for name, array in feed.items()})
        except python_step.Failed as error:
            raise SourceError(
                str(error), fix="correct the function, or `inputs`, `outputs` and `dims` in trb.yaml"
            ) from error

    return run


def _made(found: Any, model: Model, folder: Path) -> Callable[..., Any]:
    if not callable(found):
        raise SourceError(
            f"source: {model.source} is a {type(found).__name__}, not a function",
            fix="name a function that takes the inputs, or a class whose instances do",
        )
    try:
        made: Callable[..., Any] = python_step.made(found, folder.absolute())
    except (Exception, SystemExit) as error:  # the user's code raises anything
        takes = "the folder of `files`" if python_step.takes_files(found) else "nothing"
        raise SourceError(
            f"source: making {model.source} failed: {told(error)}",
            fix=f"correct it there; it is called once, with {takes}",
        ) from error
    if inspect.isclass(found) and not callable(made):
        raise SourceError(
            f"source: the instances of {model.source} cannot be called",
            fix="define `__call__` with the inputs",
        )
    return made


def _require_parameters(function: Callable[..., Any], model: Model) -> None:
    """Check that the function takes the inputs of trb.yaml by name, and needs nothing else."""
    parameters = python_step.parameters(function)
    if not parameters:
        return  # it does not tell; calling it does
    kinds = {one.kind for one in parameters.values()}
    named = [
        name
        for name, one in parameters.items()
        if one.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    ]
    takes = f"it takes {', '.join(parameters)}"
    for name in model.inputs:
        if name not in named and inspect.Parameter.VAR_KEYWORD not in kinds:
            near = get_close_matches(name, named, n=1)
            hint = (
                f"rename `{near[0]}` to `{name}`, there or in trb.yaml" if near else f"add it there; {takes}"
            )
            raise SourceError(f"inputs: {model.source} has no parameter `{name}`", fix=hint)
    for name, one in parameters.items():
        needs = one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        if needs and name not in model.inputs:
            raise SourceError(
                f"inputs: {model.source} needs `{name}`, which trb.yaml does not name",
                fix=f"add `{name}` to `inputs`, or give the parameter a default",
            )
