"""What is said of containers that were left behind, and of those that were not."""

import json

from builder.flow.doctor import Cleaned
from builder.report import as_json

LEFT = "trb-1a2b3c4d (left behind, of /home/me/models)"
BUSY = "trb-5e6f7a8b (in use, of /home/me/models)"


def test_nothing_to_remove_is_said() -> None:
    """An empty answer would leave one wondering."""
    assert str(Cleaned(removed=(), kept=())) == "removed nothing: no container was left behind"


def test_each_container_is_a_line() -> None:
    """What went comes before what stayed, with its state and repository."""
    assert str(Cleaned(removed=(LEFT,), kept=(BUSY,))).splitlines() == [f"removed {LEFT}", f"kept {BUSY}"]


def test_a_program_gets_two_lists() -> None:
    """The report as JSON has a kind, and no sentence in place of an empty list."""
    document = json.loads(as_json.render(Cleaned(removed=(), kept=(BUSY,))))

    assert (document["kind"], document["removed"], document["kept"]) == ("cleaned", [], [BUSY])
