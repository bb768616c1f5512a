"""The steps of a pipeline with the pipeline's names for their tensors."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from builder.spec.project import Pipeline, Step
from builder.spec.tensors import unique
from builder.wiring.known import Face, Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """One step in its place."""

    place: int
    """Counted from 0 in trb.yaml."""
    name: str
    """The model's, with `#2` behind it for the second step of that model."""
    model: str
    known: Known
    reads: Mapping[str, str]
    """The pipeline's name of each input."""
    gives: Mapping[str, str]
    """The pipeline's name of each output, whether something reads it or not."""
    misnamed: Mapping[str, str]
    """What `map` and `outputs` say of tensors that the model does not have: what is meant is not known."""

    def face_read(self, tensor: str) -> Face:
        """Return what the step asks of a tensor that it reads."""
        return next(self.known.inputs[own] for own, name in self.reads.items() if name == tensor)

    def face_given(self, tensor: str) -> Face:
        """Return what the step says of a tensor that it gives."""
        return self.known.outputs.get(self.own_name(tensor), Face())

    def own_name(self, tensor: str) -> str:
        """Return the model's name of a tensor that the step gives."""
        return next(own for own, name in self.gives.items() if name == tensor)


def lay(pipeline: Pipeline, models: Mapping[str, Known]) -> tuple[Laid, ...]:
    """Return the steps whose models are known, in the order of trb.yaml."""
    names = step_names(pipeline)
    return tuple(
        _laid(place, names[place], step, models[step.model])
        for place, step in enumerate(pipeline.steps)
        if step.model in models
    )


def _laid(place: int, name: str, step: Step, known: Known) -> Laid:
    reads = {own: step.map.get(own, own) for own in known.inputs}
    gives = _gives(step, known)
    misnamed = _misnamed(step, known)
    if misnamed:  # one of them may be meant for a tensor that is not named
        reads = {own: name for own, name in reads.items() if own in step.map}
    return Laid(
        place=place, name=name, model=step.model, known=known, reads=reads, gives=gives, misnamed=misnamed
    )


def _misnamed(step: Step, known: Known) -> Mapping[str, str]:
    if not known.is_whole:
        return {}
    there = {*known.inputs, *known.outputs}
    return {own: name for own, name in step.map.items() if own not in there} | {
        own: name for own, name in step.outputs.items() if own not in known.outputs
    }


def step_names(pipeline: Pipeline) -> tuple[str, ...]:
    """Return a name for every step that no other step has."""
    seen: Counter[str] = Counter()
    names = []
    for step in pipeline.steps:
        seen[step.model] += 1
        names.append(step.model if seen[step.model] == 1 else f"{step.model}#{seen[step.model]}")
    return tuple(names)


def models_of(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the names of the models of a pipeline, each once."""
    return unique(step.model for step in pipeline.steps)


def wanted(pipeline: Pipeline, laid: tuple[Laid, ...], tensor: str, after: Laid) -> bool:
    """Return whether a tensor that step `after` gives is read behind it, or is an output of the pipeline."""
    return tensor in pipeline.outputs or any(
        tensor in step.reads.values() for step in laid if step.place > after.place
    )


def givers(laid: tuple[Laid, ...], tensor: str, before: int) -> Iterator[Laid]:
    """Yield the steps before place `before` that give `tensor`."""
    return (step for step in laid if step.place < before and tensor in step.gives.values())


def _gives(step: Step, known: Known) -> Mapping[str, str]:
    """An output that nobody knows yet is one if `map` or `outputs` names it."""
    guessed = () if known.is_whole else (*step.outputs, *(own for own in step.map if own not in known.inputs))
    return {own: _given_as(own, step, known) for own in unique((*known.outputs, *guessed))}


def _given_as(own: str, step: Step, known: Known) -> str:
    if own in step.outputs:
        return step.outputs[own]
    return own if own in known.inputs else step.map.get(own, own)
