"""The outputs of a model: names, dtypes, and which of their axes follow which axis of the inputs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from builder.errors import SourceError
from builder.feeds import Case
from builder.spec.dtypes import DType
from builder.spec.project import Model
from builder.spec.tensors import Dim, Tensor

_KEPT: Final = "write in trb.yaml what the model gives, or correct the module"


def find_outputs(
    model: Model, answers: Sequence[tuple[Case, Mapping[str, Any]]], dtypes: Mapping[str, DType]
) -> tuple[Tensor, ...]:
    """Return the outputs that answers at several sizes show.

    Args:
        model: tells the batch axis.
        answers: what the reference gave to each case: arrays by output name.
        dtypes: element types by output name.

    An output axis that is equal to an input axis in every answer has its name, the batch axis first; one that
    never changes is its number; one that changes otherwise is an axis of its own, `<output>_dim<n>`.

    Raises:
        SourceError: an output changes its number of axes.
    """
    names = list(answers[0][1])
    return tuple(Tensor(name=n, dtype=dtypes[n], shape=_shape(model, n, answers)) for n in names)


def require_promises(model: Model, outputs: tuple[Tensor, ...]) -> None:
    """Check the outputs that trb.yaml declares against those the model has.

    Raises:
        SourceError: a declared output is missing, or has another dtype or shape.
    """
    found = {output.name: output for output in outputs}
    has = "; ".join(map(str, outputs))
    for name, promise in model.outputs.items():
        if name not in found:
            raise SourceError(
                f"outputs: the model has no output `{name}`; it has: {has}",
                fix="write the names that it has, or give it others, in this order, with `output_names: [...]`",
            )
        if promise.dtype is not None and promise.dtype is not found[name].dtype:
            raise SourceError(
                f"outputs: `{name}` is {found[name].dtype.value}, not {promise.dtype.value}", fix=_KEPT
            )
        if promise.shape is not None and promise.shape != found[name].shape:
            raise SourceError(
                f"outputs: `{name}` is {found[name].kind}, not [{', '.join(map(str, promise.shape))}]",
                fix=_KEPT,
            )


def _shape(model: Model, name: str, answers: Sequence[tuple[Case, Mapping[str, Any]]]) -> tuple[Dim, ...]:
    shapes = [(case.sizes, answer[name].shape) for case, answer in answers]
    ranks = {len(shape) for _, shape in shapes}
    if len(ranks) > 1:
        raise SourceError(f"output `{name}` changes its number of axes with its input: {sorted(ranks)}")
    return tuple(_dim(model, name, place, shapes) for place in range(ranks.pop()))


def _dim(model: Model, name: str, place: int, shapes: list[tuple[Mapping[str, int], tuple[int, ...]]]) -> Dim:
    seen = [(sizes, shape[place]) for sizes, shape in shapes]
    axes = sorted(seen[0][0], key=lambda axis: axis != model.batching.axis)
    follows = [axis for axis in axes if all(size == sizes[axis] for sizes, size in seen)]
    constant = len({size for _, size in seen}) == 1
    if follows and (not constant or (place == 0 and follows[0] == model.batching.axis)):
        return follows[0]
    return seen[0][1] if constant else f"{name}_dim{place}"
