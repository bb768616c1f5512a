"""What pip chooses for another Python."""

import json
from collections.abc import Mapping
from subprocess import CompletedProcess

from builder.export.python_choice import chosen_by_pip
from builder.spec.releases import release

RELEASE = release("24.10")
INDEX: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "words": ("1.0", ("hub",)),
    "hub": ("2.0", ("tomli>=1.1; python_version < '3.11'", "numpy")),
    "tomli": ("2.5", ()),
    "numpy": ("2.2", ()),
}


def pip(wanted: tuple[str, ...]) -> CompletedProcess[str]:
    """Answer like pip on a Python newer than 3.10: it leaves out what has a condition for that."""
    todo, found = (
        [one.partition("==")[0].partition(">=")[0] for one in wanted],
        dict[str, dict[str, object]](),
    )
    while todo:
        name = todo.pop()
        version, needs = INDEX[name]
        found[name] = {"metadata": {"name": name, "version": version, "requires_dist": list(needs)}}
        todo += [need for need in needs if ";" not in need]
    return CompletedProcess((), 0, json.dumps({"install": [*found.values()]}), "")


def test_what_the_other_python_alone_needs_is_among_the_choice() -> None:
    """A requirement with a condition that only the target's Python meets is chosen, numpy of the image is not."""
    assert chosen_by_pip(("words==1.0",), RELEASE, pip) == ("hub==2.0", "tomli==2.5", "words==1.0")


def test_nothing_is_chosen_where_pip_finds_nothing() -> None:
    """Requirements that pip cannot put together give no choice."""
    assert chosen_by_pip(("words==1.0",), RELEASE, lambda _: CompletedProcess((), 1, "", "no")) == ()
