"""How far another server is from the checked one: what a release, an image or a device changes."""

from collections.abc import Iterator, Sequence

from builder.spec.results import Apart, Hop, OutputGap


def apart(hops: Sequence[Hop]) -> tuple[Apart, ...]:
    """Return every output of the `hops` between two servers, over all cases of its hop."""
    return tuple(
        _apart(hop.name, name, [(case, gap) for case, gap in _gaps(hop) if gap.name == name])
        for hop in hops
        for name in dict.fromkeys(gap.name for _, gap in _gaps(hop))
    )


def _gaps(hop: Hop) -> Iterator[tuple[str, OutputGap]]:
    return ((one.case, gap) for one in hop.comparisons for gap in one.outputs)


def _apart(hop: str, output: str, cases: Sequence[tuple[str, OutputGap]]) -> Apart:
    gaps = [gap for _, gap in cases]
    worst_case, _ = max(cases, key=_distance)
    is_identical = all(gap.bit_identical for gap in gaps)
    return Apart(
        hop=hop,
        output=output,
        passed=all(gap.passed for gap in gaps),
        cases=len(cases),
        bit_identical=is_identical,
        max_abs=max(gap.max_abs for gap in gaps),
        max_rel=max(gap.max_rel for gap in gaps),
        needed_rtol=max(gap.needed_rtol for gap in gaps),
        needed_atol=max(gap.needed_atol for gap in gaps),
        tolerance=gaps[0].tolerance,
        worst_case="" if is_identical else worst_case,
    )


def _distance(pair: tuple[str, OutputGap]) -> tuple[bool, float, float, bool]:
    _, gap = pair
    return not gap.passed, gap.needed_atol, gap.max_abs, not gap.bit_identical
