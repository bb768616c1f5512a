"""Which form of a pipeline `fuse: auto` keeps."""

from dataclasses import replace

import pytest

from builder.errors import ExportError
from builder.flow.faster import pick
from builder.spec.results import FormFigures

QUICK = FormFigures(rows_per_s=900.0, p50_ms=1.0)
SLOW = FormFigures(rows_per_s=300.0, p50_ms=3.0)


@pytest.mark.parametrize(
    ("fused", "steps", "kept"),
    [
        pytest.param(QUICK, SLOW, "fused", id="merged is faster"),
        pytest.param(SLOW, QUICK, "steps", id="single steps are faster"),
        pytest.param(SLOW, SLOW, "fused", id="neither is"),
        pytest.param(replace(QUICK, errors=1), SLOW, "steps", id="merged is faster and fails"),
        pytest.param(SLOW, replace(QUICK, errors=1), "fused", id="single steps are faster and fail"),
    ],
)
def test_the_faster_form_that_answers_is_kept(fused: FormFigures, steps: FormFigures, kept: str) -> None:
    """A form that failed a request has lost, however fast it is."""
    assert pick("whole", fused, steps).kept == kept


def test_two_forms_that_fail_are_an_error() -> None:
    """Nothing is kept of which nothing is known."""
    with pytest.raises(ExportError, match="2 of merged and 1 of single steps"):
        pick("whole", replace(QUICK, errors=2), replace(SLOW, errors=1))
