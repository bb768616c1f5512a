"""What `trb check` shows."""

from collections.abc import Iterator
from typing import Final

from builder.report import words
from builder.report.page import Line, Page, Table
from builder.spec.results import CheckReport, Comparison, Hop, ModelCheck, OutputGap, RanOn

_HEADER: Final = ("hop", "cases", "worst error", "output", "tolerance", "verdict")


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
    if model.first_failure is not None:
        yield Line(f"The first hop that diverges: {model.first_failure.name}", "bad")
        yield from (Line(text) for text in divergence(model.first_failure))
    yield from (Line(f"problem: {problem}", "bad") for problem in model.problems)
    yield Line()


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
    groups: dict[str, tuple[RanOn, list[str]]] = {}
    for model in models:
        if model.ran_on is not None:
            groups.setdefault(repr(model.ran_on), (model.ran_on, []))[1].append(model.model)
    for ran_on, names in groups.values():
        if len(groups) > 1:
            yield Line(", ".join(names), "heading")
        yield _versions_table(ran_on)
        yield from (Line(f"not proven: {sentence}", "warning") for sentence in ran_on.not_proven)
        yield Line()


def _versions_table(ran: RanOn) -> Table:
    target = ran.target
    in_process = ((f"{package} in-process", version, package) for package, version in ran.local.items())
    rows = (
        ("server core", ran.server, "server"),
        ("runtime in the server", ran.runtime, ran.runtime.split()[0]),
        *in_process,
    )
    return Table(
        header=("what", "ran", "target"),
        rows=tuple((what, version, target.get(name, "-")) for what, version, name in rows),
    )


def _verdict(report: CheckReport) -> Line:
    if not report.models:
        return Line("FAIL: no model was checked", "bad")
    failed = [model.model for model in report.models if not model.passed]
    count = words.plural(len(report.models), "model")
    if not failed:
        answers = "answers" if len(report.models) == 1 else "answer"
        return Line(f"PASS: {count} {answers} like the reference on {report.server}", "good")
    return Line(f"FAIL: {len(failed)} of {count} on {report.server}: {', '.join(failed)}", "bad")
