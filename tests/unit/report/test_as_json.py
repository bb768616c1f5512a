import json
import math
from dataclasses import replace

from builder.report import as_json
from builder.spec.results import CheckReport, ModelPerf
from tests.unit.report.conftest import bad, hop, model


def test_the_verdicts_are_in_the_document(failing):
    """A machine reads passed, exit_code and the first failing hop without computing them."""
    document = json.loads(as_json.render(failing))

    assert document["kind"] == "check"
    assert (document["passed"], document["exit_code"]) == (False, 7)
    assert document["models"][0]["first_failure"] == "model.onnx -> gRPC"
    assert document["models"][0]["hops"][1]["comparisons"][0]["outputs"][0]["worst_index"] == [2, 7]


def test_what_differs_between_two_servers_is_in_the_document(against):
    """By output and protocol, with its verdict, and the versions of the other server."""
    document = json.loads(as_json.render(against))
    other = document["models"][0]["against"]

    assert document["against"] == "Triton 2.54.0 at gpu:8000"
    assert other["ran_on"]["server"] == "2.54.0"
    assert [(one["hop"], one["passed"], one["bit_identical"]) for one in other["outputs"]] == [
        ("gRPC -> gRPC (against)", True, True),
        ("HTTP -> HTTP (against)", False, False),
    ]


def test_a_failed_budget_and_a_failed_build_have_their_codes(measured, built):
    """The exit codes are those of the command."""
    assert json.loads(as_json.render(measured))["exit_code"] == 8
    assert json.loads(as_json.render(built))["exit_code"] == 4


def test_a_model_without_a_version_has_the_repositorys_code(passing, failing, unbuilt):
    """Alone it is 5; after a model whose numbers differ, the code is that of the numbers."""
    beside = json.loads(as_json.render(replace(passing, models=(*passing.models, unbuilt))))
    after = json.loads(as_json.render(replace(failing, models=(*failing.models, unbuilt))))

    assert (beside["passed"], beside["exit_code"], after["exit_code"]) == (False, 5, 7)
    assert [(one["passed"], one["exit_code"]) for one in beside["models"]] == [(True, 0), (False, 5)]


def test_a_model_that_could_not_be_measured_has_the_repositorys_code(measured):
    """Beside figures within their budget it is 5; after a missed budget it is 8."""
    unbuilt = ModelPerf(model="broken", version=None, problem="repo has no version of broken")
    (missed,) = measured.models
    kept = replace(missed, points=tuple(replace(point, missed=()) for point in missed.points))

    assert replace(measured, models=(kept, unbuilt)).exit_code == 5
    assert replace(measured, models=(missed, unbuilt)).exit_code == 8


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
