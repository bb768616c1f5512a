"""Many small requests at once: each must get the answer it gets alone."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Final

import numpy as np

from builder.check.hops import Ask, compared, unanswered
from builder.check.port import Answer, NoAnswer, Served
from builder.compare import compare
from builder.feeds import random_feed, sample_count, sample_rows, typical_sizes
from builder.spec.loaded import Feed, Loaded
from builder.spec.project import Model, Tolerance, axis_range
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
    """Ask for the smallest requests alone, then at once; where a batch must form, in larger bursts until one does.

    A server batches only requests of one shape, so all of a round have the same; a model with free axes is asked at
    other sizes in the next.
    """
    concurrency = min(max(16, 2 * max_batch_size), _LARGEST_CONCURRENCY)
    groups = [_alone(rows, served.grpc) for rows in small_requests(loaded, 4 * concurrency)]
    comparisons: list[Comparison] = []
    problems: list[str] = []
    largest = requests = 0
    for burst in _BURSTS:
        before = served.batches()
        for lone, answers in _rounds(groups, served.grpc, concurrency * burst):
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


def small_requests(loaded: Loaded, count: int) -> tuple[Iterator[Feed], ...]:
    """Return requests of as few rows as the model takes, in groups of one shape each.

    The samples where there are enough; else random rows, at the typical size of every free axis and at its smallest.
    """
    model, samples = loaded.model, loaded.samples
    rows = _fewest_rows(model)
    if samples is not None and sample_count(samples) >= rows:
        return (_sample_requests(model, samples, rows, count),)
    typical = typical_sizes(model)
    smallest = {axis: axis_range(model, axis).min for axis in typical}
    batch = {model.batching.axis: rows}
    both = ({**typical, **batch}, {**smallest, **batch})
    return tuple(_random_requests(model, one, count) for one in both[: 1 if both[0] == both[1] else 2])


def _fewest_rows(model: Model) -> int:
    return axis_range(model, model.batching.axis).min


def _sample_requests(model: Model, samples: Feed, rows: int, count: int) -> Iterator[Feed]:
    starts = sample_count(samples) - rows + 1
    for n in range(count):
        yield sample_rows(model, samples, n % starts, n % starts + rows)


def _random_requests(model: Model, sizes: Mapping[str, int], count: int) -> Iterator[Feed]:
    yield from (random_feed(model, sizes, _FIRST_SEED + n) for n in range(count))


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


def _rounds(
    groups: Sequence[tuple[Sequence[Feed], Sequence[Answer]]], ask: Ask, concurrency: int
) -> Iterator[tuple[Sequence[Answer], Sequence[Answer]]]:
    """Yield, round by round, the lone answers of a group and those of the crowd."""
    with ThreadPoolExecutor(concurrency) as pool:
        for feeds, lone in islice(cycle(groups), _ROUNDS):
            yield lone, list(pool.map(ask, feeds))


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
