import json
import math
from dataclasses import replace

from builder.report import as_json
from builder.spec.results import CheckReport
from tests.unit.report.conftest import bad, hop, model


def test_the_verdicts_are_in_the_document(failing):
    """A machine reads passed, exit_code and the first failing hop without computing them."""
    document = json.loads(as_json.render(failing))

    assert document["kind"] == "check"
    assert (document["passed"], document["exit_code"]) == (False, 7)
    assert document["models"][0]["first_failure"] == "model.onnx -> gRPC"
    assert document["models"][0]["hops"][1]["comparisons"][0]["outputs"][0]["worst_index"] == [2, 7]


def test_a_failed_budget_and_a_failed_build_have_their_codes(measured, built):
    """The exit codes are those of the command."""
    assert json.loads(as_json.render(measured))["exit_code"] == 8
    assert json.loads(as_json.render(built))["exit_code"] == 4


def test_infinity_and_nan_are_strings(failing):
    """What JSON has no number for is a string, so that every parser takes the document."""
    gap = replace(bad(), needed_rtol=math.inf, worst_got=math.nan)
    text = as_json.render(CheckReport(models=(model(hop("a -> b", gap)),), server="s"))

    output = json.loads(text)["models"][0]["hops"][0]["comparisons"][0]["outputs"][0]
    assert (output["needed_rtol"], output["worst_got"]) == ("inf", "nan")


def test_the_same_report_gives_the_same_bytes(passing):
    """Nothing in the document depends on anything but the report."""
    assert as_json.render(passing) == as_json.render(passing)


def test_an_enum_is_its_text(built):
    """A backend is its value."""
    assert json.loads(as_json.render(built))["models"][0]["backend"] == "onnx"
