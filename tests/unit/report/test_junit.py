import xml.etree.ElementTree as ET
from dataclasses import replace

from builder.report import junit
from builder.spec.results import CheckReport
from tests.unit.report.conftest import bad, hop, model


def rendered(report: CheckReport) -> ET.Element:
    return ET.fromstring(junit.render(report))


def test_there_is_a_suite_per_model_and_a_case_per_hop(passing):
    """Two hops give two cases, and a third for what lies outside the hops."""
    root = rendered(passing)

    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["digits_onnx"]
    assert [case.get("name") for case in root.iter("testcase")] == [
        "PyTorch -> model.onnx",
        "model.onnx -> gRPC",
        "served as recorded",
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "0", "0")


def test_a_failure_carries_its_message(failing):
    """The failing hop has a failure with the worst element and the tolerance that would have passed."""
    (failure,) = rendered(failing).iter("failure")

    assert "at [2, 7] want 0.25, got 0.75" in failure.get("message")
    assert "tolerance that would have passed" in failure.text
    assert rendered(failing).get("failures") == "1"


def test_a_problem_outside_the_hops_is_a_failed_case():
    """A changed file fails the case of what is served."""
    report = CheckReport(models=(model(hop("a -> b", bad()), problems=("model.onnx changed",)),), server="s")

    cases = {case.get("name"): case for case in rendered(report).iter("testcase")}

    assert cases["served as recorded"].find("failure").get("message") == "model.onnx changed"


def test_what_differs_between_two_servers_is_a_case_and_its_figures_are_properties(against):
    """The hop that is apart is the failure; both servers' versions and every output's figures are there."""
    root = rendered(against)
    facts = {one.get("name"): one.get("value") for one in root.iter("property")}

    assert [one.get("name") for one in root.iter("testcase") if one.find("failure") is not None] == [
        "HTTP -> HTTP (against)"
    ]
    assert (facts["server core"], facts["against server core"]) == ("2.51.0", "2.54.0")
    assert facts["gRPC -> gRPC (against): probs"] == "the same to the bit"
    assert facts["HTTP -> HTTP (against): probs"] == (
        "largest error 0.5, relative 2, needed rtol 2 at atol 1e-05, or atol 0.5 at rtol 0.001, "
        "furthest apart at random batch=3"
    )


def test_a_model_without_a_version_is_a_failed_suite(passing, unbuilt):
    """Its suite has one case, which fails as the repository's, and the other model's suite still passes."""
    root = rendered(replace(passing, models=(*passing.models, unbuilt)))

    (failure,) = root.iter("failure")
    assert [(suite.get("name"), suite.get("failures")) for suite in root] == [
        ("digits_onnx", "0"),
        ("broken", "1"),
    ]
    assert failure.get("type") == "RepositoryError"
    assert "repo has no version of broken; build it" in failure.get("message")


def test_no_model_is_a_failed_document():
    """A check of nothing is one failure, not an empty success."""
    root = rendered(CheckReport(models=(), server="s"))

    assert (root.get("tests"), root.get("failures")) == ("1", "1")


def test_every_passed_report_has_no_failure_and_the_other_way_round(passing, failing):
    """The document fails exactly when the report does."""
    for report in (passing, failing, CheckReport(models=(model(),), server="s")):
        assert (rendered(report).get("failures") == "0") is report.passed


def test_characters_that_xml_cannot_carry_are_replaced():
    """A control character in a message does not break the document."""
    gap = replace(bad(), problem="want b'\x00', got \x1b[31m <&>")

    (failure,) = rendered(CheckReport(models=(model(hop("a -> b", gap)),), server="s")).iter("failure")

    assert "<&>" in failure.text
    assert "\x00" not in failure.text
