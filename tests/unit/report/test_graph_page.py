"""A pipeline as a tree."""

import re
from dataclasses import replace
from pathlib import Path

from builder.report import human
from tests.unit.report.graphs import chain, report, reviews, step

TREE = """\
reviews version 3: 3 steps, max batch 8
├── clients send
│   └── text string[batch, 1] → tokens
├── tokens version 1: Python, max batch 8
│   ├── 16%: queue 12 us, compute 310 us ███
│   ├── reads text
│   ├── ids int64[batch, seq] → reviews_fused
│   └── mask int64[batch, seq] → reviews_fused, answer
├── reviews_fused version 3: merged: embed + encoder + head, max batch 8
│   ├── 80%: queue 20.5 us, compute 1.65 ms ████████████████
│   ├── reads ids, mask
│   └── scores fp32[batch, 2] → answer, client
├── answer version 1: Python, not batched
│   ├── 4%: queue 8 us, compute 77 us █
│   ├── reads mask, scores
│   └── label string[batch, 1] → client
└── clients get
    ├── label string[batch, 1]
    └── scores fp32[batch, 2]
measured 2026-11-28T21:04:05+00:00: averages of 1200 requests, by the server's account
"""


def plain(*pipelines: object) -> str:
    return human.render(report(*pipelines), on_terminal=False)


def test_a_tree_tells_all_of_a_pipeline() -> None:
    """Steps, kinds, tensors, who reads them and the time in each stand in one page."""
    assert plain() == TREE


def test_the_documentation_shows_the_tree_of_its_picture() -> None:
    """The tree in docs/graph.md is the pipeline of docs/graph.svg."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "graph.md").read_text(encoding="utf-8")

    assert f"$ trb graph reviews\n{TREE}```" in page


def test_without_a_measurement_the_page_says_how_to_get_one() -> None:
    """No step has a time, and the last line names the command, where trb can measure it."""
    assert plain(reviews(measured=False)).splitlines()[-1] == "not measured: run trb perf reviews"
    assert "queue" not in plain(reviews(measured=False))
    assert plain(replace(reviews(measured=False), is_ours=False)).splitlines()[-1] == "not measured"


def test_long_names_stay_within_eighty_columns() -> None:
    """What does not fit is wrapped, but for a name that is longer than a line by itself."""
    merged = step("m" * 30, kind="merged: " + " + ".join(f"part_{n}" for n in range(20)), look="merged")
    one = replace(chain("m" * 30, tensors=("i" * 70, "o" * 70)), steps=(merged,))
    text = plain(one)

    assert max(map(len, text.splitlines())) <= 80
    assert "part_19" in text
    assert "i" * 70 in text


def test_several_pipelines_stand_one_below_the_other() -> None:
    """A gap is between two trees, and none after the last."""
    text = plain(chain("a"), chain("b"))

    assert text.count("\n\n") == 1
    assert not text.endswith("\n\n")


def test_a_terminal_gets_the_same_words() -> None:
    """Colour adds nothing but colour."""
    coloured = human.render(report(), on_terminal=True, width=80)

    assert "\x1b[1m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == TREE
