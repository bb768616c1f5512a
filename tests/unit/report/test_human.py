from dataclasses import replace

import pytest

from builder.report import human
from builder.spec.results import (
    BuildReport,
    CheckReport,
    DemoReport,
    ModelPerf,
    OutputGap,
    PerfReport,
    StepTime,
)
from tests.unit.report.conftest import RAN_ON, TOLERANCE, bad, hop, model


def plain(report: object) -> str:
    return human.render(report, on_terminal=False)


def test_a_passing_check_ends_with_one_clear_line(passing):
    """The last line of a check that passed says so, with the count and the server."""
    assert plain(passing).splitlines()[-1] == (
        "PASS: 1 model answers like the reference on embedded Triton 2.51.0"
    )


def test_a_failing_check_tells_where_the_numbers_part(failing):
    """The hop, the case, the output, the worst element and the tolerance that would have passed are all there."""
    text = plain(failing)

    assert "The first hop that diverges: model.onnx -> gRPC" in text
    assert "case: random batch=3" in text
    assert "output: probs" in text
    assert "at [2, 7] want 0.25, got 0.75" in text
    assert "would have passed: rtol 2 at atol 1e-05, or atol 0.5 at rtol 0.001" in text
    assert text.splitlines()[-1] == "FAIL: 1 of 1 model on embedded Triton 2.51.0: digits_onnx"


def test_what_ran_stands_beside_the_target(passing):
    """Every version that ran is in one row with the target's, and what is not proven is said."""
    rows = [line.split() for line in plain(passing).splitlines()]

    assert ["server", "core", "2.51.0", "2.51.0"] in rows
    assert ["runtime", "in", "the", "server", "onnxruntime", "1.19.2", "(stand-in)", "1.19.2"] in rows
    assert ["torch", "in-process", "2.13.0+cpu", "2.5"] in rows
    assert "not proven: in Triton's own onnxruntime backend" in plain(passing)


def test_another_server_is_held_against_the_first(against):
    """Each output over each protocol has a row, the versions of both servers stand side by side."""
    lines = plain(against).splitlines()
    rows = [line.split() for line in lines]

    assert "against Triton 2.54.0 at gpu:8000, same inputs:" in lines
    assert any("gRPC -> gRPC (against)" in line and "the same to the bit" in line for line in lines)
    assert any("would" not in line and "0.5" in line and "random batch=3" in line for line in lines)
    assert ["server", "core", "2.51.0", "2.54.0", "2.51.0"] in rows
    assert "against: the live configuration has max_batch_size 4, config.pbtxt has 8" in lines
    assert lines[-1] == (
        "FAIL: 1 of 1 model on embedded Triton 2.51.0, and against Triton 2.54.0 at gpu:8000: digits_onnx"
    )


def test_versions_that_differ_between_models_are_told_apart(passing):
    """Two models on different runtimes get a table each, under their names."""
    other = replace(
        passing.models[0], model="digits_torchscript", ran_on=replace(RAN_ON, runtime="torch 2.13")
    )

    text = plain(CheckReport(models=(passing.models[0], other), server="s"))

    assert "\ndigits_onnx\nwhat " in text
    assert "\ndigits_torchscript\nwhat " in text


def test_problems_outside_the_hops_are_shown():
    """A changed file and a hop that could not be compared are told in their own words."""
    report = CheckReport(
        models=(
            model(hop("PyTorch -> model.onnx", problem="the server died"), problems=("model.onnx changed",)),
        ),
        server="s",
    )

    assert "not compared: the server died" in plain(report)
    assert "problem: model.onnx changed" in plain(report)


def test_a_model_without_a_version_is_a_failed_row(passing, unbuilt):
    """It is told beside the model that passed, with the reason, and fails the report."""
    text = plain(replace(passing, models=(*passing.models, unbuilt)))

    assert "\nbroken: not checked\nproblem: repo has no version of broken; build it\n" in text
    assert text.count("server core") == 1
    assert text.splitlines()[-1] == "FAIL: 1 of 2 models on embedded Triton 2.51.0: broken"


def test_a_model_that_was_not_measured_says_why(measured):
    """A model without a version has its reason instead of figures."""
    unbuilt = ModelPerf(model="broken", version=None, problem="repo has no version of broken")

    text = plain(replace(measured, models=(*measured.models, unbuilt)))

    assert "\nbroken: not measured\nproblem: repo has no version of broken\n" in text
    assert text.splitlines()[-1] == "FAIL: 2 of 2 models: digits_onnx, broken"


def test_a_check_of_nothing_fails():
    """No model at all is a failure in words."""
    assert plain(CheckReport(models=(), server="s")).splitlines()[-1] == "FAIL: no model was checked"


def test_an_output_that_was_never_compared_is_named():
    """A hop whose every answer was empty says so, and does not pass."""
    nothing = OutputGap(name="boxes", passed=True, compared=0, tolerance=TOLERANCE)
    text = plain(CheckReport(models=(model(hop("model.onnx -> gRPC", nothing)),), server="s"))

    assert "output boxes: no answer had an element, so nothing was compared" in text
    assert "FAIL" in text


def test_a_build_shows_the_failed_model_beside_the_others(built):
    """The model that was built keeps its row; the one that failed has its error and its fix."""
    text = plain(built)

    assert "bit-equal" in text
    assert "121 kB" in text
    assert "broken: aten::foo has no translation\n  fix: use another op\n" in text
    assert text.splitlines()[-1] == "FAIL: 2 models in model_repository: 1 built, 1 failed (8.0 s)"


def test_why_a_model_is_not_batched_is_told(built):
    """A model with max_batch_size 0 has the reason below the table."""
    mixed = replace(built.models[0], max_batch_size=0, batch_reason="rows change with their neighbours")

    assert "not batched: rows change with their neighbours" in plain(BuildReport(models=(mixed,)))


def test_every_figure_carries_what_it_rests_on(measured):
    """Percentiles stand with engine, requests, windows, warm-up, the server's split, the machine and the inputs."""
    text = plain(measured)

    for fact in (
        "4.50",
        "1234.5",
        "perf_analyzer 2.51.0",
        "6000",
        "900",
        "2.50",
        "2 cores",
        "inputs from samples",
    ):
        assert fact in text
    assert "missed at concurrency 4: p99 4.50 ms is above 4 ms" in text
    assert text.splitlines()[-1] == "FAIL: 1 of 1 model: digits_onnx"


def test_the_steps_of_a_pipeline_have_a_row_each(measured):
    """Requests, waiting, computing and the share stand by step; a model alone has no such table."""
    slow = StepTime(step="encoder", model="encoder", requests=6000, queue_us=12, compute_us=345, share=0.75)
    perf = replace(measured.models[0], steps=(slow, replace(slow, step="encoder#2", share=0.25)))
    lines = plain(replace(measured, models=(perf,))).splitlines()

    (start,) = [number for number, line in enumerate(lines) if line.startswith("step ")]
    assert [line.split() for line in lines[start : start + 3]] == [
        ["step", "requests", "queue", "us", "compute", "us", "share"],
        ["encoder", "6000", "12", "345", "75%"],
        ["encoder#2", "6000", "12", "345", "25%"],
    ]
    assert "share" not in plain(measured)


def test_an_unstable_figure_is_called_so(measured):
    """A point that did not settle says unstable."""
    point = replace(measured.models[0].points[0], stable=False, missed=())
    perf = replace(measured.models[0], points=(point,))

    assert "unstable" in plain(PerfReport(models=(perf,), server="s", machine="m"))


def test_the_demo_ends_with_the_next_command(built, passing):
    """A demo in which all passed ends with a command to type, one that failed with FAIL."""
    done = BuildReport(models=built.models[:1])

    assert "trb serve" in plain(DemoReport(folder="demo", accuracy="97 %", build=done, check=passing))
    assert plain(DemoReport(folder="demo", accuracy="97 %", build=built)).splitlines()[-1].startswith("FAIL")


def test_plain_lines_have_no_escapes_and_a_terminal_has(failing):
    """Colour is only for terminals."""
    assert "\x1b[" not in plain(failing)
    assert "\x1b[" in human.render(failing, on_terminal=True, width=120)


def test_a_narrow_terminal_loses_nothing(failing):
    """At 60 columns every word of the problem is still there."""
    text = human.render(failing, on_terminal=True, width=60)

    assert "1 of 30 elements are beyond rtol 0.001, atol 1e-05" in text


@pytest.mark.parametrize("variable", ["NO_COLOR"])
def test_no_color_is_respected(monkeypatch, failing, variable):
    """With NO_COLOR a terminal gets plain lines."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv(variable, "1")

    assert human.render(failing) == plain(failing)


def test_brackets_in_names_are_text_not_markup():
    """An output called [red] is shown as it is."""
    named = replace(bad(), name="[red]")
    report = CheckReport(models=(model(hop("a -> b", named)),), server="s")

    assert "[red]" in human.render(report, on_terminal=True, width=120)


def test_any_other_value_speaks_for_itself():
    """A value without a page is shown by its own text."""
    assert human.render("wrote trb.yaml") == "wrote trb.yaml\n"


def test_a_load_without_a_budget_is_not_said_to_have_met_one(measured):
    """Beside a judged load, one that the budget is not meant for says so, and where it was judged is told."""
    judged = replace(measured.models[0].points[0], missed=())
    other = replace(judged, batch=16, budgeted=False)
    both = plain(replace(measured, models=(replace(measured.models[0], points=(judged, other)),)))
    alone = plain(replace(measured, models=(replace(measured.models[0], points=(judged,)),)))

    assert "the budget is judged at its own load alone: concurrency 4, 1 row per request" in both
    assert "no budget" in both
    assert "judged at" not in alone
