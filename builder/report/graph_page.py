"""What `trb graph` shows: a pipeline as a tree."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from builder.report import words
from builder.report.page import Line, Page
from builder.spec.graph import GraphReport, GraphStep, PipelineGraph
from builder.spec.results import StepTime
from builder.spec.tensors import Tensor

CLIENT: Final = "client"
_WIDTH: Final = 80
_BAR: Final = 20
_LEAF: Final = "│   ├── "

Leaf = Sequence[str]
"""The lines of one leaf: what does not fit into the first stands in those after it."""
Branch = tuple[str, Sequence[Leaf]]
"""A head and its leaves."""


def page(report: GraphReport) -> Page:
    """Return a tree per pipeline, a branch per step, and how the times came about."""
    return [line for one in report.pipelines for line in (*_tree(one), Line())][:-1]


def _tree(one: PipelineGraph) -> Iterator[Line]:
    yield Line(words.pipeline(one), "heading")
    *inner, last = _branches(one)
    for branch in inner:
        yield from _branch(branch, fork="├", trunk="│")
    yield from _branch(last, fork="└", trunk=" ")
    yield Line(words.measured(one))


def _branches(one: PipelineGraph) -> Iterator[Branch]:
    yield "clients send", [_tensor(one, None, tensor) for tensor in one.inputs]
    for step in one.steps:
        yield _step(one, step)
    yield "clients get", [_wrapped(str(tensor)) for tensor in one.outputs]


def _branch(branch: Branch, *, fork: str, trunk: str) -> Iterator[Line]:
    head, leaves = branch
    yield Line(f"{fork}── {head}", "heading")
    for number, (first, *rest) in enumerate(leaves, start=1):
        is_last = number == len(leaves)
        yield Line(f"{trunk}   {'└' if is_last else '├'}── {first}")
        yield from (Line(f"{trunk}   {' ' if is_last else '│'}   {line}") for line in rest)


def _step(one: PipelineGraph, step: GraphStep) -> Branch:
    name, kind = words.named(step.name, step.version), words.step(step)
    fits = len(f"├── {name}: {kind}") <= _WIDTH
    given = {edge.tensor.name: edge.tensor for edge in one.edges if edge.giver == step.name}
    reads = [edge.tensor.name for edge in one.edges if edge.reader == step.name]
    leaves = [
        *([] if fits else [_wrapped(kind)]),
        *([] if step.time is None else [(_time(step.time),)]),
        _wrapped(f"reads {', '.join(reads)}"),
        *(_tensor(one, step.name, tensor) for tensor in given.values()),
    ]
    return f"{name}: {kind}" if fits else name, leaves


def _tensor(one: PipelineGraph, giver: str | None, tensor: Tensor) -> Leaf:
    readers = [
        edge.reader or CLIENT for edge in one.edges if edge.giver == giver and edge.tensor.name == tensor.name
    ]
    return _wrapped(f"{tensor} → {', '.join(readers)}")


def _wrapped(text: str) -> Leaf:
    """Return `text` in lines that fit, but for a name that is longer than a line."""
    return textwrap.wrap(
        text, _WIDTH - len(_LEAF), break_long_words=False, break_on_hyphens=False, subsequent_indent="  "
    )


def _time(time: StepTime) -> str:
    bar = "█" * round(time.share * _BAR)
    return f"{time.share:.0%}: {words.split(time)} {bar}".rstrip()
