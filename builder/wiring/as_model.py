"""A pipeline, or a part of one, as an entry of a model: what it is fed, how near its answers must be."""

from collections.abc import Iterator, Mapping, Sequence

from builder.spec.pipeline import Wired, WiredStep
from builder.spec.project import (
    Axis,
    Backend,
    Batching,
    Input,
    Instances,
    Model,
    Output,
    Parity,
    Pipeline,
    axis_range,
)
from builder.spec.tensors import Dim
from builder.wiring.axes import BATCH

Entries = Mapping[str, Model]
"""The entry of each step's model by its name in the repository; a model that trb.yaml does not have has none."""


def as_model(wired: Wired, entries: Entries, pipeline: Pipeline | None = None) -> Model:
    """Return the entry that a model with the inputs and outputs of `wired` would have.

    An input is what the first step that reads it says of it, with the values and the sizes that all steps take. An
    output is held to what the pipeline says, else to what the step that gives it says.

    Args:
        wired: the pipeline, or a part of it.
        entries: those of its steps' models.
        pipeline: its own entry; None: a part has none.
    """
    steps = [entries[step.model] for step in wired.steps if step.model in entries]
    return Model(
        source=" -> ".join(step.name for step in wired.steps),
        inputs={name: _input(wired, entries, name) for name in wired.inputs},
        outputs={name: _output(wired, entries, name, pipeline) for name in wired.outputs},
        dims=_dims(wired, entries),
        backend=(Backend.ENSEMBLE,),
        instances=max((one.instances for one in steps), key=lambda one: one.count, default=Instances()),
        parameters=_shared_parameters(steps),
        warmup=all(one.warmup for one in steps),
        samples=pipeline.samples if pipeline is not None else None,
        parity=(pipeline.parity if pipeline is not None else None) or Parity(),
        batching=Batching(
            enabled="auto" if wired.max_batch_size else False,
            axis=BATCH,
            queue_delay_us=max((one.batching.queue_delay_us for one in steps), default=0),
            row_tolerance=max((one.batching.row_tolerance for one in steps), default=0.0),
        ),
        latency=pipeline.latency if pipeline is not None else None,
    )


def reader_of(wired: Wired, name: str) -> tuple[WiredStep, str]:
    """Return the first step that reads a tensor, and its own name for it."""
    step = wired.readers(name)[0]
    return step, next(own for own, tensor in step.inputs.items() if tensor == name)


def _input(wired: Wired, entries: Entries, name: str) -> Input:
    step, own = reader_of(wired, name)
    tensor = wired.tensors[name]
    if step.model not in entries:
        return Input(dtype=tensor.dtype, shape=tensor.shape)
    entry = entries[step.model].inputs[own]
    both = _range(wired, entries, name)
    return Input(dtype=tensor.dtype, shape=tensor.shape, range=both, values=entry.values)


def _range(wired: Wired, entries: Entries, name: str) -> tuple[float, float] | None:
    """Return the values that all steps take which read a tensor, and say which they take."""
    readers = [(entries[step.model], step) for step in wired.readers(name) if step.model in entries]
    found = [
        entry.inputs[own].range
        for entry, step in readers
        for own, tensor in step.inputs.items()
        if tensor == name
    ]
    ranges = [one for one in found if one is not None]
    return (max(low for low, _ in ranges), min(high for _, high in ranges)) if ranges else None


def _output(wired: Wired, entries: Entries, name: str, pipeline: Pipeline | None) -> Output:
    """Return what an output is held to, and of a part the names of its classes: an ensemble has its models' own."""
    step = wired.giver(name)
    entry = entries.get(step.model) if step is not None else None
    if step is None or entry is None:
        return Output(parity=pipeline.outputs[name].parity if pipeline is not None else None)
    from builder.compare import tolerances  # numpy: a build of nothing has no use for it

    own = next(one for one, given in step.outputs.items() if given == name)
    theirs = tolerances(entry, step.signature)[own]
    if pipeline is not None:
        asked = pipeline.outputs[name].parity
        return Output(parity=theirs if asked is None and pipeline.parity is None else asked)
    return Output(parity=theirs, labels=entry.outputs[own].labels if own in entry.outputs else None)


def _shared_parameters(steps: Sequence[Model]) -> Mapping[str, str]:
    """Return the backend parameters that no two of `steps` have otherwise."""
    found: dict[str, set[str]] = {}
    for one in steps:
        for key, value in one.parameters.items():
            found.setdefault(key, set()).add(value)
    return {key: next(iter(values)) for key, values in found.items() if len(values) == 1}


def _dims(wired: Wired, entries: Entries) -> Mapping[str, Axis]:
    """Return the sizes of every dynamic axis that clients send: those that all steps which have it take."""
    asked = {dim for name in wired.inputs for dim in wired.tensors[name].axes}
    found: dict[str, Axis] = {}
    for axis, limits in _limits(wired, entries):
        if axis in asked:
            known = found.get(axis, limits)
            found[axis] = Axis(min=max(known.min, limits.min), max=min(known.max, limits.max))
    if BATCH in asked and wired.max_batch_size:
        found[BATCH] = Axis(max=wired.max_batch_size)
    return found


def _limits(wired: Wired, entries: Entries) -> Iterator[tuple[str, Axis]]:
    for step in wired.steps:
        entry = entries.get(step.model)
        if entry is None:
            continue
        for own, name in step.inputs.items():
            for dim, axis in zip(entry.inputs[own].shape, wired.tensors[name].shape, strict=True):
                if isinstance(dim, str) and isinstance(axis, str) and _has_sizes(entry, dim):
                    yield axis, axis_range(entry, dim)


def _has_sizes(entry: Model, dim: Dim) -> bool:
    return dim in entry.dims or dim == entry.batching.axis
