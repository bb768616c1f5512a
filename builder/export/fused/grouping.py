"""Which steps of a pipeline are merged."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from builder.export.fused.border import seen_as
from builder.spec.pipeline import Wired, WiredStep

Group = tuple[WiredStep, ...]
"""Steps in an order in which they can run."""


def groups(wired: Wired) -> tuple[Group, ...]:
    """Return the groups to merge, each of two steps or more, so that as few models as can be are left.

    Between the steps of a group no other step has to run: some order of the whole pipeline has them in one go.
    """
    return tuple(run for run in _fewest(wired)(frozenset()) if len(run) > 1)


def _fewest(wired: Wired) -> Callable[[frozenset[str]], tuple[Group, ...]]:
    """Return a function from the steps that have run to the fewest runs of graphs that do the rest."""
    needs = _needs(wired)

    @cache
    def fewest(done: frozenset[str]) -> tuple[Group, ...]:
        done = _with_what_stays_alone(wired, needs, done)
        ways = [(run, *fewest(done | {step.name for step in run})) for run in _next_runs(wired, needs, done)]
        return min(ways, key=len, default=())

    return fewest


def _needs(wired: Wired) -> Mapping[str, frozenset[str]]:
    """Return the names of the steps that give what a step reads, by its name."""
    givers = {tensor: step.name for step in wired.steps for tensor in step.outputs.values()}
    return {
        step.name: frozenset(givers[tensor] for tensor in step.inputs.values() if tensor in givers)
        for step in wired.steps
    }


def _with_what_stays_alone(
    wired: Wired, needs: Mapping[str, frozenset[str]], done: frozenset[str]
) -> frozenset[str]:
    """Run what is never merged as soon as it can: nothing is gained by waiting."""
    for step in wired.steps:
        if not step.is_graph and needs[step.name] <= done:
            done |= {step.name}
    return done


def _next_runs(wired: Wired, needs: Mapping[str, frozenset[str]], done: frozenset[str]) -> Iterator[Group]:
    """Yield for each kind of graph that can run next as many of its steps as can follow each other."""
    kinds = set()
    for step in wired.steps:
        if step.is_graph and step.name not in done and needs[step.name] <= done and _kind(step) not in kinds:
            kinds.add(_kind(step))
            yield _run(step, wired, needs, done)


def _run(first: WiredStep, wired: Wired, needs: Mapping[str, frozenset[str]], done: frozenset[str]) -> Group:
    run, ran = [first], done | {first.name}
    for step in wired.steps:  # the order is one in which they can run: once through it is enough
        if step.name not in ran and needs[step.name] <= ran and all(_fit(step, other) for other in run):
            run.append(step)
            ran |= {step.name}
    return tuple(run)


def _kind(step: WiredStep) -> tuple[str, bool]:
    return step.backend, step.max_batch_size > 0


def _fit(step: WiredStep, other: WiredStep) -> bool:
    """Return whether both can be in one file: a server gives one [2, 1] what the other has as [2]; a file does not."""
    if _kind(step) != _kind(other):
        return False
    return all(
        len(here.shape) == len(there.shape)
        for tensor in (*step.inputs.values(), *step.outputs.values())
        for here in seen_as(step, tensor)
        for there in seen_as(other, tensor)
    )
