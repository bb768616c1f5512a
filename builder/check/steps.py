"""The steps of a pipeline, each asked by itself on the live server: where its numbers part, if they do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from builder.check.fitting import fit
from builder.check.hops import compared, unanswered
from builder.check.port import Answer, NoAnswer
from builder.check.served import LiveModel, find
from builder.compare import default, tolerances
from builder.errors import TrbError
from builder.feeds import Case, cases
from builder.server.client import Client
from builder.spec.loaded import Feed, Loaded, Runner
from builder.spec.pipeline import PipelineNote, WiredStep
from builder.spec.project import Backend, Model, Tolerance
from builder.spec.results import Hop
from builder.wiring import traced

_MOST_CASES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a pipeline is made of."""

    note: PipelineNote
    entries: Mapping[str, Model]
    """The entries of the models in trb.yaml, by their names in the repository."""
    files: Runner
    """The files of all steps, run one after another in this process."""
    backends: tuple[Backend, ...]
    """Of the models that the server runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the steps gave, each by itself."""

    alone: tuple[Hop, ...] = ()
    """Against the reference."""
    between: tuple[Hop, ...] = ()
    """The other server's against the checked one's, where another was asked."""


def ask_steps(
    loaded: Loaded, steps: Steps, client: Client, other: Client | None, on_step: Callable[[str], None]
) -> Asked:
    """Feed each live step what the reference feeds it, and compare what it gives, on the `other` server too.

    Raises:
        ServerError: a server does not serve a step.
    """
    run = partial(traced, steps.note.written, loaded.runners)
    traces = [(case.name, _trace(run, case)) for case in _cases(loaded, steps)]
    alone: list[Hop] = []
    between: list[Hop] = []
    for step in _asked(steps.note):
        on_step(f"asking its step {step.name} alone")
        allowed = _tolerances(step, steps)
        rows = _rows(step, traces, client)
        alone.append(_hop(f"step {step.name}: alone on the server", rows, allowed))
        if other is not None:
            pairs = zip(rows, _rows(step, traces, other), strict=True)
            both = [(case, here, there) for (case, _, here), (_, _, there) in pairs]
            between.append(_hop(f"step {step.name}: gRPC -> gRPC (against)", both, allowed))
    return Asked(alone=tuple(alone), between=tuple(between))


def _cases(loaded: Loaded, steps: Steps) -> tuple[Case, ...]:
    """Return a few of the cases: the first, which are the smallest, and the last, which are real where any are."""
    wired = steps.note.written
    found = fit(
        cases(loaded.model, loaded.signature, loaded.samples),
        loaded.model,
        loaded.signature,
        wired.max_batch_size,
    )
    half = _MOST_CASES // 2
    return found if len(found) <= _MOST_CASES else (*found[:half], *found[-half:])


def _trace(trace: Runner, case: Case) -> Feed | NoAnswer:
    try:
        return trace(case.feed)
    except TrbError as error:  # the hop says it
        return NoAnswer(error.what)


def _asked(note: PipelineNote) -> Iterator[WiredStep]:
    """Yield the steps as trb.yaml has them, then the models that some were merged into."""
    yield from note.written.steps
    yield from (step for step in note.served.steps if step.model in note.fused)


def _rows(
    step: WiredStep, traces: Sequence[tuple[str, Feed | NoAnswer]], client: Client
) -> list[tuple[str, Answer, Answer]]:
    live = find(client, step.model, max(client.model_versions_ready(step.model), default=0), step.signature)
    return [(case, *_answers(step, live, trace)) for case, trace in traces]


def _hop(name: str, rows: Sequence[tuple[str, Answer, Answer]], allowed: Mapping[str, Tolerance]) -> Hop:
    return Hop(name=name, comparisons=compared(rows, allowed), problem=unanswered(rows))


def _answers(step: WiredStep, live: LiveModel, trace: Feed | NoAnswer) -> tuple[Answer, Answer]:
    """Return what the reference gives, and what the live step gives to the same inputs."""
    if isinstance(trace, NoAnswer):
        return trace, trace
    got = live.grpc({own: trace[name] for own, name in step.inputs.items()})
    want = {own: trace[name] for own, name in step.outputs.items()}
    if isinstance(got, NoAnswer):
        return want, got
    return want, {own: array for own, array in got.items() if own in want}


def _tolerances(step: WiredStep, steps: Steps) -> Mapping[str, Tolerance]:
    """Return what each output is held to: what trb.yaml says of the model that gives it, merged or not."""
    return {own: _tolerance(name, steps) for own, name in step.outputs.items()}


def _tolerance(tensor: str, steps: Steps) -> Tolerance:
    giver = steps.note.written.giver(tensor)
    assert giver is not None, f"a step gives {tensor}"
    entry = steps.entries.get(giver.model)
    if entry is None:
        return default(steps.note.written.tensors[tensor].dtype)
    own = next(one for one, name in giver.outputs.items() if name == tensor)
    return tolerances(entry, giver.signature)[own]
