"""Whether every tensor that a step reads, or a client gets, is given by exactly one step or client."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from builder.spec.project import Pipeline
from builder.spec.tensors import unique
from builder.wiring.known import Face, Known
from builder.wiring.laid import Laid, givers, wanted
from builder.wiring.mistake import Mistake

Steps = tuple[Laid, ...]
_RENAME: Final = "give this one another name"


def map_keys(pipeline: Pipeline, models: Mapping[str, Known]) -> Iterator[Mistake]:
    """Yield the names in `map` and `outputs` that the step's model does not have."""
    for place, step in enumerate(pipeline.steps):
        if step.model not in models:
            continue
        known = models[step.model]
        for own, name in step.map.items():
            if own not in known.inputs and own not in known.outputs and known.is_whole:
                yield Mistake(("steps", place, "map", own), _has_none(step.model, own, name, known))
            if own in step.outputs and own not in known.inputs:
                message = f"`outputs` of this step has a name for `{own}` too; leave it out of one of the two"
                yield Mistake(("steps", place, "map", own), message)
        for own in step.outputs:
            if own not in known.outputs and known.is_whole:
                yield Mistake(("steps", place, "outputs", own), _has_no_output(step.model, own, known))


def doubled(pipeline: Pipeline, laid: Steps) -> Iterator[Mistake]:
    """Yield every tensor that two steps, or a client and a step, give."""
    for n, name in enumerate(pipeline.inputs):
        if name in pipeline.inputs[:n]:
            yield Mistake(("inputs", n), f"`{name}` is named twice")
    for step in laid:
        for own, name in step.gives.items():
            first = _first_giver(pipeline, laid, step, own)
            if first and wanted(pipeline, laid, name, step) and not _may_be_renamed(pipeline, step, own):
                out = f"take it out of `inputs`, or {_RENAME}" if name in pipeline.inputs else _RENAME
                yield Mistake(
                    _at(pipeline, step, own),
                    f"{first} `{name}`, and {step.name} gives one too; {out}: "
                    f"`outputs: {{{own}: {_other_name(step, own)}}}`",
                )


def unmet(pipeline: Pipeline, laid: Steps) -> Iterator[Mistake]:
    """Yield every tensor that a step reads and nobody before it gives."""
    for step in laid:
        meant = {name for one in laid if one.place < step.place for name in one.misnamed.values()}
        for own, name in step.reads.items():
            if name not in pipeline.inputs and not any(givers(laid, name, step.place)):
                if name in meant or _may_be_given(pipeline, laid, step.place):
                    continue
                path = ("steps", step.place, "map", own)
                yield Mistake(path, f"{step.name} reads `{name}`{_instead(pipeline, laid, step, own, name)}")


def unmade(pipeline: Pipeline, laid: Steps) -> Iterator[Mistake]:
    """Yield every output of the pipeline that no step gives."""
    end = len(pipeline.steps)
    meant = {name for step in laid for name in step.misnamed.values()}
    for name in pipeline.outputs:
        may_be_given = name in meant or _may_be_given(pipeline, laid, end)
        if any(givers(laid, name, end)) or (may_be_given and name not in pipeline.inputs):
            continue
        if name in pipeline.inputs:
            message = f"`{name}` is what clients send, so they have it already; take it out"
        else:
            message = f"no step gives `{name}`{_near(name, _all_given(laid, end))}"
        yield Mistake(("outputs", name), message)


def unused(pipeline: Pipeline, laid: Steps) -> Iterator[Mistake]:
    """Yield what nothing reads: inputs of the pipeline, whole steps, and outputs that were given a name on purpose."""
    if len(laid) == len(pipeline.steps):
        for n, name in enumerate(pipeline.inputs):
            if not any(name in step.reads.values() for step in laid):
                cure = f"take it out, or name it in a step's `map`: `map: {{...: {name}}}`"
                yield Mistake(("inputs", n), f"no step reads `{name}`: {cure}")
    for step in laid:
        yield from _unused_outputs(pipeline, laid, step)


def _unused_outputs(pipeline: Pipeline, laid: Steps, step: Laid) -> Iterator[Mistake]:
    written = pipeline.steps[step.place]
    used = [own for own, name in step.gives.items() if wanted(pipeline, laid, name, step)]
    if len(laid) < len(pipeline.steps):
        return
    if not used and step.known.is_whole:
        gives = ", ".join(f"`{name}`" for name in step.gives.values())
        yield Mistake(
            ("steps", step.place),
            f"nothing reads what {step.name} gives ({gives}): take the step out, or name one under `outputs`",
        )
        return
    for own, name in step.gives.items():
        if own not in used and (
            own in written.outputs or (own in written.map and own not in step.known.inputs)
        ):
            yield Mistake(
                _at(pipeline, step, own), f"nothing reads `{name}`, which {step.name} gives: leave it out"
            )


def _may_be_renamed(pipeline: Pipeline, step: Laid, own: str) -> bool:
    """Whether a name that the model does not have may be meant for its output `own`."""
    written = pipeline.steps[step.place]
    return bool(step.misnamed) and own not in written.outputs and own not in written.map


def _first_giver(pipeline: Pipeline, laid: Steps, step: Laid, own: str) -> str:
    name = step.gives[own]
    if name in pipeline.inputs:
        return "clients send"
    before = next(givers(laid, name, step.place), None)
    if before is not None:
        return f"{before.name} gives"
    twin = next((o for o, n in step.gives.items() if n == name and o != own), None)
    earlier = twin is not None and list(step.gives).index(twin) < list(step.gives).index(own)
    return f"its output `{twin}` is called" if earlier else ""


def _other_name(step: Laid, own: str) -> str:
    return f"{step.name.replace('#', '_')}_{own}"


def _instead(pipeline: Pipeline, laid: Steps, step: Laid, own: str, name: str) -> str:
    """Return why nobody gives `name`, and what the step could read instead."""
    after = next((one for one in laid if one.place > step.place and name in one.gives.values()), None)
    if after is not None and _waits_for(laid, after, step):
        return (
            f", which {after.name} gives, and {after.name} needs what {step.name} gives: neither can be first"
        )
    if after is not None:
        return f", which {after.name} gives only after it; put {after.name} before {step.name}"
    if name in step.gives.values():
        return ", which is its own output: a step cannot read what it gives"
    there = unique((*pipeline.inputs, *_all_given(laid, step.place)))
    near = get_close_matches(name, there, n=1)
    alike = near or [one for one in there if _fits(laid, step, own, one)]
    hint = (
        f"; did you mean `map: {{{own}: {alike[0]}}}`?"
        if len(alike) == 1
        else f"; there are: {', '.join(there)}"
    )
    return f", which no step before it gives and clients do not send{hint}"


def _waits_for(laid: Steps, step: Laid, other: Laid) -> bool:
    """Whether `step` reads what `other` gives, or what a step gives that does."""
    ready = {*other.gives.values()}
    for _ in laid:
        ready |= {n for one in laid if ready & {*one.reads.values()} for n in one.gives.values()}
    return bool(ready & {*step.reads.values()})


def _fits(laid: Steps, step: Laid, own: str, other: str) -> bool:
    """Whether the step could read `other` as its input `own`, as far as dtype and rank tell."""
    want = step.known.inputs[own]
    giver = next(givers(laid, other, step.place), None)
    reader = next((one for one in laid if other in one.reads.values()), None)
    if giver is None and reader is None:
        return True
    have = giver.face_given(other) if giver is not None else reader.face_read(other) if reader else Face()
    if want.shape is None:
        return False
    return have.dtype is want.dtype and have.shape is not None and len(have.shape) == len(want.shape)


def _may_be_given(pipeline: Pipeline, laid: Steps, before: int) -> bool:
    """Whether a step before place `before` may give tensors that are not known yet."""
    known = {step.place: step.known for step in laid}
    return any(
        place not in known or not known[place].is_whole for place in range(min(before, len(pipeline.steps)))
    )


def _all_given(laid: Steps, before: int) -> tuple[str, ...]:
    return unique(name for step in laid if step.place < before for name in step.gives.values())


def _at(pipeline: Pipeline, step: Laid, own: str) -> tuple[str | int, ...]:
    """Return where trb.yaml names an output of a step, or the step."""
    written = pipeline.steps[step.place]
    if own in written.outputs:
        return ("steps", step.place, "outputs", own)
    if own in written.map and own not in step.known.inputs:
        return ("steps", step.place, "map", own)
    return ("steps", step.place)


def _has_none(model: str, own: str, name: str, known: Known) -> str:
    names = (*known.inputs, *known.outputs)
    if name in names and not get_close_matches(own, names, n=1):
        return f"{model} has no tensor `{own}`; its own name comes first: `map: {{{name}: {own}}}`"
    return f"{model} has no tensor `{own}`{_near(own, names)}"


def _has_no_output(model: str, own: str, known: Known) -> str:
    if own in known.inputs:
        outputs = ", ".join(known.outputs)
        return f"`{own}` is an input of {model}: write it under `map`; its outputs are: {outputs}"
    return f"{model} has no output `{own}`{_near(own, tuple(known.outputs))}"


def _near(word: str, known: tuple[str, ...]) -> str:
    found = get_close_matches(word, known, n=1)
    if found:
        return f"; did you mean `{found[0]}`?"
    return f"; there are: {', '.join(known)}" if known else ""
