"""How the steps of an ensemble hand tensors to each other: every tensor is written once, and somebody reads it."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from builder.rules.ensembles.steps import Step, Use, runnable, steps, uses
from builder.rules.refusal import Config, Place, Refusal, tensors

_MOST_COMPARED: Final = 100
"""Names among which a misspelt one is looked for."""
_MOST_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class _Wires:
    name: str
    """The ensemble's."""
    inputs: Mapping[str, Place]
    """Where each input of the ensemble has its name."""
    outputs: Mapping[str, Place]
    reads: Mapping[str, Use]
    """By tensor, the first entry of an input_map that reads it."""
    writes: Mapping[str, Use]
    """By tensor, the first entry of an output_map that writes it."""

    def has(self, tensor: str) -> bool:
        """Return whether it has a value at some time."""
        return tensor in self.inputs or tensor in self.writes


def check(config: Config) -> Iterator[Refusal]:
    """Yield what is wrong with the wiring; a wrong name is one refusal, whatever follows from it."""
    if not all(tensor.get("name") for tensor in (*tensors(config, "input"), *tensors(config, "output"))):
        return  # which is another refusal, and what should be wired to it is not known
    wires = _wires(config)
    yield from _written_twice(config)
    reads, outputs = dict(_unwritten_reads(wires)), dict(_unwritten_outputs(wires))
    inputs, writes = dict(_unused_inputs(wires)), dict(_unused_writes(wires))
    meant = _pairs(reads, [*inputs, *writes])
    meant |= _pairs(outputs, [tensor for tensor in writes if tensor not in meant.values()])
    for tensor, refusal in (reads | outputs).items():
        yield _with_hint(refusal, tensor, meant.get(tensor), wires)
    explained = set(meant.values())
    yield from (refusal for tensor, refusal in (inputs | writes).items() if tensor not in explained)
    yield from _waiting(config, wires)
    yield from _overwritten(config, wires)


def _wires(config: Config) -> _Wires:
    return _Wires(
        name=config["name"],
        inputs={
            tensor["name"]: ("input", position, "name")
            for position, tensor in enumerate(tensors(config, "input"))
        },
        outputs={
            tensor["name"]: ("output", position, "name")
            for position, tensor in enumerate(tensors(config, "output"))
        },
        reads=_firsts(uses(config, "input_map")),
        writes=_firsts(uses(config, "output_map")),
    )


def _firsts(found: Iterable[Use]) -> dict[str, Use]:
    firsts: dict[str, Use] = {}
    for use in found:
        firsts.setdefault(use.tensor, use)
    return firsts


def _written_twice(config: Config) -> Iterator[Refusal]:
    seen: dict[str, Use] = {}
    for use in uses(config, "output_map"):
        first = seen.setdefault(use.tensor, use)
        if first != use:
            yield Refusal(
                f"ensemble tensor '{use.tensor}' can appear in an output map only once for ensemble "
                f"'{config['name']}' step {use.step}",
                code="E104",
                place=use.tensor_place,
                fix=f"another name; '{use.tensor}' is written by step {first.step}",
            )


def _unwritten_reads(wires: _Wires) -> Iterator[tuple[str, Refusal]]:
    for tensor, use in wires.reads.items():
        if not wires.has(tensor):
            yield (
                tensor,
                Refusal(
                    f"ensemble tensor '{tensor}', which step {use.step} of ensemble '{wires.name}' reads, is not "
                    "connected: it is no input of the ensemble, and no step writes it",
                    code="E105",
                    place=use.tensor_place,
                ),
            )


def _unwritten_outputs(wires: _Wires) -> Iterator[tuple[str, Refusal]]:
    for tensor, place in wires.outputs.items():
        if not wires.has(tensor) and tensor not in wires.reads:
            yield (
                tensor,
                Refusal(
                    f"ensemble output '{tensor}' for ensemble '{wires.name}' is not used: no step writes it",
                    code="E105",
                    place=place,
                ),
            )


def _unused_inputs(wires: _Wires) -> Iterator[tuple[str, Refusal]]:
    for tensor, place in wires.inputs.items():
        is_overwritten_output = tensor in wires.writes and tensor in wires.outputs
        if tensor not in wires.reads and not is_overwritten_output:
            yield (
                tensor,
                Refusal(
                    f"ensemble input '{tensor}' for ensemble '{wires.name}' is not used: no step reads it",
                    code="E106",
                    place=place,
                    fix="map it to an input of a step, or remove it",
                ),
            )


def _unused_writes(wires: _Wires) -> Iterator[tuple[str, Refusal]]:
    for tensor, use in wires.writes.items():
        if not any(tensor in others for others in (wires.reads, wires.outputs, wires.inputs)):
            yield (
                tensor,
                Refusal(
                    f"ensemble tensor '{tensor}' is unused in ensemble '{wires.name}'",
                    code="E106",
                    place=use.tensor_place,
                    fix=f"remove this entry of the output_map, or make '{tensor}' an output of the ensemble",
                ),
            )


def _pairs(missing: Collection[str], spare: Collection[str]) -> dict[str, str]:
    """Return which spare tensor is meant by a missing one: one close in name, or the only one."""
    found: dict[str, str] = {}
    free = list(spare)[:_MOST_COMPARED]
    for tensor in list(missing)[:_MOST_COMPARED]:
        for near in difflib.get_close_matches(tensor, free, n=1):
            found[tensor] = near
            free.remove(near)
    left = [tensor for tensor in missing if tensor not in found]
    return found | ({left[0]: free[0]} if len(left) == len(free) == 1 else {})


def _with_hint(refusal: Refusal, tensor: str, meant: str | None, wires: _Wires) -> Refusal:
    if meant is not None:
        is_input = meant in wires.inputs
        whose = "an input of the ensemble" if is_input else f"written by step {wires.writes[meant].step}"
        return replace(refusal, fix=f"nobody reads '{meant}', {whose}: give both the same name")
    if tensor not in wires.reads:
        return replace(refusal, fix=f"map an output of a step to '{tensor}', or remove it")
    return replace(refusal, fix=f"make '{tensor}' an input of the ensemble, or read another tensor")


def _waiting(config: Config, wires: _Wires) -> Iterator[Refusal]:
    """Yield the steps that wait for each other; a tensor that nobody writes is reported, and passes here."""
    known = {*wires.inputs, *(tensor for tensor in wires.reads if tensor not in wires.writes)}
    run = runnable(config, known)
    known.update(use.tensor for step in run for use in step.outputs)
    done = {step.number for step in run}
    circle = _circle([step for step in steps(config) if step.number not in done])
    if circle:
        numbers = [str(step.number) for step in circle]
        if len(numbers) > _MOST_SHOWN:
            numbers[_MOST_SHOWN - 1 : -1] = ["..."]
        way = " -> ".join((*numbers, numbers[0]))
        tensor = next(use.tensor for use in circle[0].inputs if use.tensor not in known)
        yield Refusal(
            f"ensemble tensor '{tensor}' of ensemble '{wires.name}' is not written: its steps wait for each other "
            f"({way})",
            code="E105",
            place=circle[0].place,
            fix="let one of them read an input of the ensemble instead",
        )


def _circle(left: Sequence[Step]) -> Sequence[Step]:
    """Return steps that each wait for the next and the last for the first, among those that wait for one of `left`."""
    writer = {use.tensor: step for step in left for use in step.outputs}
    path: dict[int, Step] = {step.number: step for step in left[:1]}
    step = next(iter(path.values()), None)
    while step is not None:
        step = next(writer[use.tensor] for use in step.inputs if use.tensor in writer)
        if step.number in path:
            numbers = list(path)
            return [path[number] for number in numbers[numbers.index(step.number) :]]
        path[step.number] = step
    return []


def _overwritten(config: Config, wires: _Wires) -> Iterator[Refusal]:
    overwritten = [tensor for tensor in wires.writes if tensor in wires.inputs]
    harmless = bool(overwritten) and _answers_once(config, wires)
    for tensor in overwritten:
        use = wires.writes[tensor]
        yield Refusal(
            f"ensemble tensor '{tensor}' is an input of ensemble '{wires.name}' and written by step {use.step}: "
            "it has two values in one request",
            kind="surprise" if harmless and tensor not in wires.outputs else "request",
            code="E108",
            place=use.tensor_place,
            fix="another name for what the step writes",
        )


def _answers_once(config: Config, wires: _Wires) -> bool:
    """Return whether a request gets one answer: a step runs for every set of values that its inputs have."""
    values = dict.fromkeys(wires.inputs, 1)
    found = steps(config)
    for _ in range(len(found) + 1):
        before = dict(values)
        for step in found:
            runs = min(values.get(use.tensor, 0) for use in step.inputs)
            values |= {use.tensor: runs + (use.tensor in wires.inputs) for use in step.outputs}
        if values == before:
            return min((values.get(tensor, 0) for tensor in wires.outputs), default=1) == 1
    return False
