"""The way of an answer from PyTorch to the client, hop by hop."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from builder.check.port import Answer, NoAnswer
from builder.compare import compare
from builder.feeds import Case
from builder.spec.loaded import Feed
from builder.spec.project import Tolerance
from builder.spec.results import Comparison, Hop

Stage = Literal["reference", "file", "grpc", "http", "other grpc", "other http"]
Ask = Callable[[Feed], Answer]
Between = tuple[Stage, Stage]

FROM_REFERENCE: Final[tuple[Between, ...]] = (
    ("reference", "file"),
    ("file", "grpc"),
    ("file", "http"),
    ("reference", "grpc"),  # end to end: small gaps of the hops above may add up
    ("reference", "http"),
)
BETWEEN_SERVERS: Final[tuple[Between, ...]] = (("grpc", "other grpc"), ("http", "other http"))


def walk(
    cases: Sequence[Case],
    stages: Mapping[Stage, Ask],
    names: Mapping[Stage, str],
    allowed: Mapping[str, Tolerance],
    hops: Sequence[Between] = FROM_REFERENCE,
) -> tuple[Hop, ...]:
    """Feed every case to every stage, and return what each of `hops` comes to."""
    rows: dict[Between, list[tuple[str, Answer, Answer]]] = {pair: [] for pair in hops}
    comparisons: dict[Between, list[Comparison]] = {pair: [] for pair in hops}
    for case in cases:
        answers = {stage: ask(case.feed) for stage, ask in stages.items()}
        for want, got in hops:
            pair = (case.name, answers[want], answers[got])
            comparisons[want, got] += compared([pair], allowed)
            rows[want, got] += [pair] if NoAnswer in (type(answers[want]), type(answers[got])) else []
    return tuple(
        Hop(
            name=f"{names[want]} -> {names[got]}",
            comparisons=tuple(comparisons[want, got]),
            problem=unanswered(rows[want, got]),
        )
        for want, got in hops
    )


def compared(
    pairs: Iterable[tuple[str, Answer, Answer]], allowed: Mapping[str, Tolerance]
) -> tuple[Comparison, ...]:
    """Return a comparison for every pair of answers that came."""
    return tuple(
        Comparison(case=case, outputs=compare(want, got, allowed))
        for case, want, got in pairs
        if not isinstance(want, NoAnswer) and not isinstance(got, NoAnswer)
    )


def unanswered(pairs: Iterable[tuple[str, Answer, Answer]]) -> str:
    """Return what came instead of the first missing answer, and how many are missing; empty when all came."""
    missing = [
        (case, one) for case, *both in pairs for one in [a for a in both if isinstance(a, NoAnswer)][:1]
    ]
    if not missing:
        return ""
    case, first = missing[0]
    more = f" (and {len(missing) - 1} more without an answer)" if len(missing) > 1 else ""
    return f"{case}: {first.reason}{more}"
