"""The stories of tests/scripts happen as they are told; `make golden` writes what is said now, to be read as code."""

import os
from pathlib import Path

import pytest

from tests.live.story import replay
from tests.on_record import require_same

SCRIPTS = Path(__file__).parents[1] / "scripts"
SLOW = {"altered_weight", "exit_codes", "missed_budget", "next_version"}
STORIES = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in SLOW else [])
    for path in sorted(SCRIPTS.glob("*.txt"))
]


@pytest.mark.parametrize("script", STORIES)
def test_a_story_happens_as_it_is_told(script: Path, tmp_path: Path) -> None:
    """Every command of the story ends with the exit code and the output on record."""
    now = replay(script.read_text(), tmp_path)
    if os.environ.get("TRB_GOLDEN") == "write":
        script.write_text(now)

    require_same({script.name: script.read_text()}, {script.name: now})


def test_what_was_said_otherwise_takes_the_place_of_what_was_told(tmp_path: Path) -> None:
    """A changed line, a missing one and another exit code change the story; files and remarks stay."""
    told = "# why\n$ cat name; echo x >&2; exit 3\n1> Ann\n1> Eve\n\n$ true\n-- name --\nBob\n"

    now = replay(told, tmp_path)

    assert now == "# why\n$ cat name; echo x >&2; exit 3\n2> x\n1> Bob\n[3]\n\n$ true\n-- name --\nBob\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("done (1.5 s)", "done ([SECONDS] s)"),
        ("a    8.05 kB      2.4", "a  [SIZE]  [SECONDS]"),
        ("error  1.19e-07  b", "error  [GAP]  b"),
        ("error  0  b", "error  [GAP]  b"),
        ("atol 1e-05", "atol 1e-05"),
        ("from ann to bob, at last", "from ... to bob..."),
    ],
)
def test_what_differs_between_runs_may_be_told_in_a_word(said: str, told: str, tmp_path: Path) -> None:
    """The words of the format stand for what they say they do, and the story stays as it was told."""
    story = f"$ cat said\n1> {told}\n-- said --\n{said}\n"

    assert replay(story, tmp_path) == story


@pytest.mark.parametrize("told", ["done (1.5 s)", "done ([SECONDS] min)", "don", "done ([SECONDS] s) now"])
def test_a_word_of_the_format_stands_for_nothing_else(told: str, tmp_path: Path) -> None:
    """A line that is told otherwise, or only in part, is another line."""
    story = f"$ echo 'done (1.5 s)'\n1> {told}\n"

    assert replay(story, tmp_path) == "$ echo 'done (1.5 s)'\n1> done ([SECONDS] s)\n"
