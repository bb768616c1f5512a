"""What `trb check` shows."""

from collections.abc import Iterator
from typing import Final

from builder.report import words
from builder.report.page import Line, Page, Table
from builder.spec.results import (
    Against,
    Apart,
    CheckReport,
    Comparison,
    Hop,
    ModelCheck,
    OutputGap,
    RanOn,
)

_HEADER: Final = ("hop", "cases", "worst error", "output", "tolerance", "verdict")
_APART: Final = ("against", "output", "largest error", "relative", "would pass at", "furthest apart at")


def page(report: CheckReport) -> Page:
    """Return every model's hops and where the first failure parts, the versions that ran, and the verdict."""
    models = [block for model in report.models for block in _model(model)]
    return (*models, *_versions(report.models), _verdict(report))


def _model(model: ModelCheck) -> Iterator[Line | Table]:
    yield Line(_heading(model), "heading")
    if model.hops:
        yield Table(
            header=_HEADER,
            rows=tuple(_hop_row(hop) for hop in model.hops),
            numbers=("cases", "worst error"),
        )
    yield from (Line(f"{hop.name}: {hop.note}") for hop in model.hops if hop.note)
    if model.against is not None:
        yield from _against(model.against)
    if model.first_failure is not None:
        yield Line(f"The first hop that diverges: {model.first_failure.name}", "bad")
        yield from (Line(text) for text in divergence(model.first_failure))
    yield from (Line(f"problem: {problem}", "bad") for problem in model.problems)
    yield Line()


def _against(other: Against) -> Iterator[Line | Table]:
    yield Line(f"against {other.server}, same inputs:")
    yield Table(
        header=_APART,
        rows=tuple(_apart_row(one) for one in other.outputs),
        numbers=("largest error", "relative"),
    )
    yield from (Line(f"against: {note}", "warning") for note in other.notes)


def _apart_row(one: Apart) -> tuple[str, ...]:
    if one.bit_identical:
        return (one.hop, one.output, "0", "0", "anything: the same to the bit", "-")
    needed = words.would_have_passed(one.needed_rtol, one.needed_atol, one.tolerance)
    return (
        one.hop,
        one.output,
        words.number(one.max_abs),
        words.number(one.max_rel),
        needed,
        one.worst_case,
    )


def _heading(model: ModelCheck) -> str:
    if model.version is None:
        return f"{model.model}: not checked"
    batch = "" if model.largest_batch is None else f", largest batch formed {model.largest_batch}"
    against = f"compared with {model.reference}{batch}"
    return f"{model.model} version {model.version}, {against} ({model.seconds:.1f} s)"


def _hop_row(hop: Hop) -> tuple[str, ...]:
    verdict = "PASS" if hop.passed else "FAIL"
    gap = _worst_gap(hop.comparisons)
    if gap is None:
        return (hop.name, "0", "-", "-", "-", verdict)
    error = words.number(gap.max_abs) if gap.compared else "-"
    return (hop.name, str(len(hop.comparisons)), error, gap.name, words.tolerance(gap.tolerance), verdict)


def _worst_gap(comparisons: tuple[Comparison, ...]) -> OutputGap | None:
    gaps = (gap for comparison in comparisons for gap in comparison.outputs)
    return max(gaps, key=lambda gap: (not gap.passed, gap.max_abs), default=None)


def divergence(hop: Hop) -> Iterator[str]:
    """Yield what went wrong in `hop`: its worst element, and the tolerance that would have passed."""
    if hop.problem:
        yield f"  not compared: {hop.problem}"
    for name in hop.uncompared:
        yield f"  output {name}: no answer had an element, so nothing was compared"
    failed = [(c.case, gap) for c in hop.comparisons for gap in c.outputs if not gap.passed]
    if not failed:
        return
    case, gap = max(failed, key=lambda pair: (pair[1].needed_atol, pair[1].max_abs))
    yield f"  case: {case}"
    yield f"  output: {gap.name}"
    yield f"  {gap.problem}"
    if gap.compared:
        needed = words.would_have_passed(gap.needed_rtol, gap.needed_atol, gap.tolerance)
        yield f"  tolerance that would have passed: {needed}"
    if len(failed) > 1:
        yield f"  and {words.plural(len(failed) - 1, 'more failed comparison')} in this hop"


def _versions(models: tuple[ModelCheck, ...]) -> Iterator[Line | Table]:
    groups: dict[str, tuple[RanOn, RanOn | None, list[str]]] = {}
    for model in models:
        if model.ran_on is not None:
            other = None if model.against is None else model.against.ran_on
            key = repr((model.ran_on, other))
            groups.setdefault(key, (model.ran_on, other, []))[2].append(model.model)
    for ran_on, other, names in groups.values():
        if len(groups) > 1:
            yield Line(", ".join(names), "heading")
        yield _versions_table(ran_on, other)
        yield from (Line(f"not proven: {sentence}", "warning") for sentence in ran_on.not_proven)
        yield Line()


def _versions_table(ran: RanOn, other: RanOn | None) -> Table:
    target = ran.target
    in_process = ((f"{package} in-process", version, package) for package, version in ran.local.items())
    rows = [
        ("server core", ran.server, target.get("server", "-")),
        ("runtime in the server", ran.runtime, target.get(ran.runtime.split()[0], "-")),
        *((what, version, target.get(name, "-")) for what, version, name in in_process),
    ]
    if other is None:
        return Table(header=("what", "ran", "target"), rows=tuple(rows))
    there = (other.server, other.runtime, *("-" for _ in ran.local))
    return Table(
        header=("what", "ran", "against", "target"),
        rows=tuple(
            (what, here, against, wanted) for (what, here, wanted), against in zip(rows, there, strict=True)
        ),
    )


def _verdict(report: CheckReport) -> Line:
    if not report.models:
        return Line("FAIL: no model was checked", "bad")
    failed = [model.model for model in report.models if not model.passed]
    count = words.plural(len(report.models), "model")
    other = f", and against {report.against}" if report.against else ""
    if not failed:
        answers = "answers" if len(report.models) == 1 else "answer"
        return Line(f"PASS: {count} {answers} like the reference on {report.server}{other}", "good")
    return Line(f"FAIL: {len(failed)} of {count} on {report.server}{other}: {', '.join(failed)}", "bad")
