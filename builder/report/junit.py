"""A check as JUnit XML, for CI: a suite per model, a case per hop."""

import re
import xml.etree.ElementTree as ET
from typing import Final

from builder.errors import ParityFailed, RepositoryError, TrbError
from builder.report import words
from builder.report.check_page import divergence
from builder.spec.results import Against, Apart, CheckReport, Hop, ModelCheck, RanOn

_SERVED: Final = "served as recorded"
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: CheckReport) -> str:
    """Return `report` as a JUnit document; failures outside the hops are the case `served as recorded`."""
    root = ET.Element("testsuites", name="trb check")
    for model in report.models:
        root.append(_suite(model, report.server))
    if not report.models:
        root.append(_nothing())
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", _seconds(sum(model.seconds for model in report.models)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(model: ModelCheck, server: str) -> ET.Element:
    cases = [_hop_case(model.model, hop) for hop in model.hops]
    kind = RepositoryError if model.version is None else ParityFailed
    cases.append(_case(model.model, _SERVED, _problem(model), kind=kind))
    suite = _suite_of(model.model, cases, model.seconds)
    if model.ran_on is not None:
        suite.insert(0, _properties(model, model.ran_on, server))
        if model.ran_on.not_proven:
            ET.SubElement(suite, "system-out").text = _clean("\n".join(model.ran_on.not_proven))
    return suite


def _problem(model: ModelCheck) -> str:
    return "\n".join(model.problems) if model.hops else "\n".join((*model.problems, "no hop was checked"))


def _hop_case(model: str, hop: Hop) -> ET.Element:
    if hop.passed:
        return _case(model, hop.name, "")
    lines = [line.strip() for line in divergence(hop)] or ["nothing was compared"]
    return _case(model, hop.name, "\n".join(lines))


def _case(model: str, name: str, failure: str, *, kind: type[TrbError] = ParityFailed) -> ET.Element:
    case = ET.Element("testcase", classname=_clean(model), name=_clean(name), time="0.000")
    if failure:
        summary = _clean(failure).replace("\n", "; ")
        ET.SubElement(case, "failure", message=summary, type=kind.__name__).text = _clean(failure)
    return case


def _suite_of(name: str, cases: list[ET.Element], seconds: float) -> ET.Element:
    failures = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": "0"}
    suite = ET.Element("testsuite", {"name": _clean(name), **counts, "time": _seconds(seconds)})
    suite.extend(cases)
    return suite


def _properties(model: ModelCheck, ran: RanOn, server: str) -> ET.Element:
    facts = {
        "version": str(model.version),
        "reference": model.reference,
        "server": server,
        "server core": ran.server,
        "runtime": ran.runtime,
        **{f"local {package}": version for package, version in ran.local.items()},
        **{f"target {package}": version for package, version in ran.target.items()},
        **({} if model.against is None else _against(model.against)),
    }
    properties = ET.Element("properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    return properties


def _against(other: Against) -> dict[str, str]:
    return {
        "against": other.server,
        "against server core": other.ran_on.server,
        "against runtime": other.ran_on.runtime,
        **{f"{one.hop}: {one.output}": _apart(one) for one in other.outputs},
        **({"against configuration": "; ".join(other.notes)} if other.notes else {}),
    }


def _apart(one: Apart) -> str:
    if one.bit_identical:
        return "the same to the bit"
    gaps = f"largest error {words.number(one.max_abs)}, relative {words.number(one.max_rel)}"
    needed = words.would_have_passed(one.needed_rtol, one.needed_atol, one.tolerance)
    return f"{gaps}, needed {needed}, furthest apart at {one.worst_case}"


def _nothing() -> ET.Element:
    return _suite_of("trb check", [_case("trb check", "models", "no model was checked")], 0.0)


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _clean(text: str) -> str:
    """Return `text` without the characters that XML 1.0 cannot carry."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
