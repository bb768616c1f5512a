"""Many single-row requests at once: each must get the answer it gets alone."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from builder.check.hops import Ask, compared, unanswered
from builder.check.port import Answer, NoAnswer, Served
from builder.compare import compare
from builder.feeds import random_feed, sizes
from builder.spec.loaded import Feed, Loaded
from builder.spec.project import Tolerance
from builder.spec.results import Comparison, Hop

_ROUNDS: Final = 3
_FEWEST: Final = 8
_LONE_BUDGET_S: Final = 10.0
_LARGEST_CONCURRENCY: Final = 64
_BURSTS: Final = (1, 2, 4)
_FIRST_SEED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What concurrent requests came to."""

    hop: Hop
    largest_batch: int
    """Rows of the largest batch that the server ran meanwhile; 0: it ran nothing."""
    requests: int
    concurrency: int


def together(
    loaded: Loaded,
    served: Served,
    allowed: Mapping[str, Tolerance],
    *,
    max_batch_size: int,
    must_batch: bool,
) -> Together:
    """Ask for single rows alone, then at once; where a batch must form, in larger bursts until one does."""
    concurrency = min(max(16, 2 * max_batch_size), _LARGEST_CONCURRENCY)
    feeds, lone = _alone(_single_rows(loaded, 4 * concurrency), served.grpc)
    comparisons: list[Comparison] = []
    problems: list[str] = []
    largest = requests = 0
    for burst in _BURSTS:
        before = served.batches()
        for answers in _rounds(feeds, served.grpc, concurrency * burst):
            found, problem = _against_lone(lone, answers, allowed, f"concurrency {concurrency * burst}")
            comparisons += found
            problems += [problem] if problem else []
            requests += len(answers)
        largest = max(largest, largest_batch(before, served.batches()))
        if largest > 1 or not must_batch:
            break
    hop = Hop(
        name="alone -> concurrent",
        comparisons=tuple(comparisons),
        problem=problems[0] if problems else "",
        note=_note(comparisons),
    )
    return Together(hop=hop, largest_batch=largest, requests=requests, concurrency=concurrency * burst)


def largest_batch(before: Mapping[int, int], after: Mapping[int, int]) -> int:
    """Return the largest batch run between two readings; a counter that fell was reset by a reload."""
    grown = [size for size, count in after.items() if count != before.get(size, 0)]
    return max(grown, default=0)


def single_row(loaded: Loaded, seed: int) -> Feed:
    """Return one row of random inputs, every other dynamic axis at its smallest tried size."""
    found = min(sizes(loaded.model), key=lambda one: sum(one.values()))
    every = {axis: min(one[axis] for one in sizes(loaded.model)) for axis in found}
    return random_feed(loaded.model, every, seed)


def _single_rows(loaded: Loaded, count: int) -> Iterator[Feed]:
    """Yield rows of one shape, so that any of them may share a batch: samples where there are some."""
    samples = loaded.samples
    if samples is None or not _is_batched(loaded):
        yield from (single_row(loaded, _FIRST_SEED + n) for n in range(count))
        return
    length = len(next(iter(samples.values())))
    for n in range(count):
        yield {name: array[n % length : n % length + 1] for name, array in samples.items()}


def _is_batched(loaded: Loaded) -> bool:
    axis = loaded.model.batching.axis
    return all(tensor.shape[:1] == (axis,) for tensor in loaded.model.inputs.values())


def _alone(feeds: Iterator[Feed], ask: Ask) -> tuple[list[Feed], list[Answer]]:
    """Ask one by one; a slow model is asked less often."""
    asked: list[Feed] = []
    answers: list[Answer] = []
    started = time.monotonic()
    for feed in feeds:
        asked.append(feed)
        answers.append(ask(feed))
        if len(asked) >= _FEWEST and time.monotonic() - started > _LONE_BUDGET_S:
            break
    return asked, answers


def _rounds(feeds: Sequence[Feed], ask: Ask, concurrency: int) -> Iterator[list[Answer]]:
    with ThreadPoolExecutor(concurrency) as pool:
        for _ in range(_ROUNDS):
            yield list(pool.map(ask, feeds))


def _against_lone(
    lone: Sequence[Answer], answers: Sequence[Answer], allowed: Mapping[str, Tolerance], what: str
) -> tuple[tuple[Comparison, ...], str]:
    pairs = [(f"request {n} at {what}", *pair) for n, pair in enumerate(zip(lone, answers, strict=True))]
    problem = unanswered(pairs)
    want, got = _stacked(lone), _stacked(answers)
    if want is None or got is None:
        return compared(pairs, allowed), problem
    case = f"{len(answers)} requests at {what}"
    return (Comparison(case=case, outputs=compare(want, got, allowed)),), problem


def _stacked(answers: Sequence[Answer]) -> dict[str, Any] | None:
    """Return all answers as one, requests along the first axis; None where they differ in names or shapes."""
    whole = [answer for answer in answers if not isinstance(answer, NoAnswer)]
    shapes = {tuple((name, a.dtype, a.shape) for name, a in sorted(answer.items())) for answer in whole}
    if len(whole) != len(answers) or len(shapes) != 1:
        return None
    return {name: np.stack([answer[name] for answer in whole]) for name in whole[0]}


def _note(comparisons: Sequence[Comparison]) -> str:
    gaps = [gap for comparison in comparisons for gap in comparison.outputs]
    equal = all(gap.compared and gap.passed and gap.max_abs == 0 for gap in gaps)
    return "every answer equals its lone answer exactly" if gaps and equal else ""
