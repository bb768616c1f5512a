"""What `fuse: auto` tells of its choice."""

from builder.spec.results import FormFigures, FusePick

QUICK = FormFigures(rows_per_s=1234.4, p50_ms=0.951)
SLOW = FormFigures(rows_per_s=400.0, p50_ms=2.5)


def test_the_kept_form_stands_first_with_its_figures() -> None:
    """Whichever form was kept, its own figures stand beside its name."""
    merged = str(FusePick(kept="fused", fused=QUICK, steps=SLOW))
    single = str(FusePick(kept="steps", fused=SLOW, steps=QUICK))

    assert merged.startswith(
        "fuse: auto kept the merged steps: 1,234 rows/s at concurrency 4, p50 0.95 ms at 1;"
    )
    assert merged.endswith("single steps: 400 rows/s, p50 2.50 ms")
    assert single.startswith("fuse: auto kept the single steps: 1,234 rows/s")
    assert single.endswith("merged steps: 400 rows/s, p50 2.50 ms")
