"""A source that answers, whatever kind it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from builder.errors import SourceError
from builder.feeds import Case, answer, label, random_feed, sizes, with_samples
from builder.loading.flatten import flatten
from builder.loading.reference import run_module
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed, PythonCode, Runner
from builder.spec.project import Model
from builder.spec.tensors import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A source that answers; the axes of its outputs are not known yet."""

    kind: Literal["module", "program", "torchscript", "onnx", "python"]
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
    further_files: tuple[Path, ...] = ()
    """What was read beside `path`, by native code that tells nobody."""
    python: PythonCode | None = None
    declared: tuple[Tensor, ...] = ()
    """The outputs as trb.yaml has them, where the source cannot give others; else they are found by running it."""
    notes: tuple[str, ...] = ()


def inputs_of(model: Model) -> tuple[Tensor, ...]:
    """Return the inputs of trb.yaml in its order."""
    return tuple(Tensor(name=name, dtype=one.dtype, shape=one.shape) for name, one in model.inputs.items())


def first_answer(model: Model, module: Any, inputs: tuple[Tensor, ...], samples: Feed | None) -> Any:
    """Call `module` once, with the first of the cases, and return what it returns.

    Raises:
        SourceError: it refuses them, or takes strings.
    """
    for tensor in inputs:
        if tensor.dtype is DType.STRING:
            raise SourceError(f"inputs: `{tensor.name}` is a string, and torch has no tensors of strings")
    told = with_samples(model, samples)
    first = random_cases(told, samples)[0]
    return answer(lambda feed: run_module(module, inputs, feed), first, told, samples)


def random_cases(model: Model, samples: Feed | None) -> tuple[Case, ...]:
    """Return inputs at each of the sizes that show which axis is which."""
    return tuple(
        Case(
            name=f"random {label(tried)}".rstrip(),
            sizes=tried,
            feed=random_feed(model, tried, seed=0, samples=samples),
        )
        for tried in sizes(model)
    )


def named_outputs(model: Model, result: Any) -> tuple[tuple[str, torch.Tensor], ...]:
    """Return the outputs in `result` by name: those of `output_names`, or the derived ones.

    Raises:
        SourceError: a part of it is no output.
    """
    return flatten(result, names=model.output_names)


def source_file(model: Model, folder: Path) -> Path:
    """Return the path of a source that is a file.

    Raises:
        SourceError: there is none.
    """
    path = folder / model.source
    if not path.is_file():
        raise SourceError(f"source: there is no file {path}", fix="correct `source` in trb.yaml")
    return path
