"""What a package's metadata says, read for the Python of a release."""

from builder.spec.releases import release
from builder.spec.requirements import needed


def test_conditions_are_read_for_the_python_of_the_release() -> None:
    """A requirement of Python 3.10 alone is needed for release 24.10, whatever runs here."""
    texts = ("tomli; python_version < '3.11'", "later; python_version >= '3.11'", "always")

    assert [one.name for one in needed(texts, set(), release("24.10"))] == ["tomli", "always"]


def test_an_extra_brings_what_it_needs_where_it_is_asked_for() -> None:
    """What an extra needs is needed with the extra and not without."""
    texts = ("plot; extra == 'pictures'",)

    assert [one.name for one in needed(texts, {"pictures"}, release("24.10"))] == ["plot"]
    assert not [*needed(texts, set(), release("24.10"))]


def test_without_a_release_conditions_are_read_for_this_python() -> None:
    """A requirement of a Python older than any that runs trb does not hold here; one without conditions does."""
    assert [one.name for one in needed(("tomli; python_version < '3.11'", "always"), set())] == ["always"]
