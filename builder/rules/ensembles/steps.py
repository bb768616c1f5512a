"""The steps of an ensemble, and the places of what they say."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from builder.rules.refusal import Config, Place

SCHEDULING: Final = "ensemble_scheduling"
Maps = Literal["input_map", "output_map"]


@dataclass(frozen=True, slots=True)
class Use:
    """One entry of a step's map: a tensor of its model stands for a tensor of the ensemble."""

    step: int
    map: Maps
    key: str
    """The model's name of it."""
    tensor: str
    """The ensemble's name of it."""

    @property
    def key_place(self) -> Place:
        """Where the model's name stands."""
        return (SCHEDULING, "step", self.step, self.map, self.key, "key")

    @property
    def tensor_place(self) -> Place:
        """Where the ensemble's name stands."""
        return (SCHEDULING, "step", self.step, self.map, self.key, "value")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an ensemble."""

    number: int
    """Its position, from 0, as the server counts."""
    model: str
    version: int
    """-1: the latest; 0 where none is given, which is a version like any other."""
    inputs: tuple[Use, ...]
    outputs: tuple[Use, ...]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return (SCHEDULING, "step", self.number)

    @property
    def is_finished(self) -> bool:
        """Whether it has all that a step needs."""
        return bool(self.model and self.inputs and self.outputs)


def steps(config: Config) -> Sequence[Step]:
    """Return the steps of `config`, in its order, which has no meaning to the server."""
    listed = (config.get(SCHEDULING) or {}).get("step") or ()
    return tuple(
        Step(
            number=number,
            model=step.get("model_name") or "",
            version=int(step.get("model_version") or 0),
            inputs=_uses(step, number, "input_map"),
            outputs=_uses(step, number, "output_map"),
        )
        for number, step in enumerate(listed)
    )


def _uses(step: Config, number: int, name: Maps) -> tuple[Use, ...]:
    entries: Mapping[str, str] = step.get(name) or {}
    return tuple(Use(number, name, key, tensor) for key, tensor in entries.items())


def uses(config: Config, name: Maps) -> Iterator[Use]:
    """Yield the entries of all steps' maps of one kind."""
    for step in steps(config):
        yield from step.inputs if name == "input_map" else step.outputs


def runnable(config: Config, given: Collection[str]) -> Sequence[Step]:
    """Return the steps that can run once the tensors in `given` are there, in an order in which they can."""
    found = steps(config)
    readers: dict[str, list[Step]] = {}
    missing = [{use.tensor for use in step.inputs}.difference(given) for step in found]
    for step in found:
        for tensor in missing[step.number]:
            readers.setdefault(tensor, []).append(step)
    ready = deque(step for step in found if not missing[step.number])
    order: list[Step] = []
    while ready:
        order.append(ready.popleft())
        for tensor in (use.tensor for use in order[-1].outputs):
            for reader in readers.pop(tensor, ()):
                missing[reader.number].discard(tensor)
                if not missing[reader.number]:
                    ready.append(reader)
    return order


def models(config: Config) -> Sequence[str]:
    """Return the models that `config` is made of, each once, in order of the steps; none for no ensemble."""
    return tuple(dict.fromkeys(step.model for step in steps(config) if step.model))
