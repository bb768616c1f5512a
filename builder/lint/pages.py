"""A page for every code: what the server does, a bad and a good example, and the way out of it."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from builder.assets import asset
from builder.errors import UsageError

_HEAD: Final = re.compile(r"# (?P<code>[A-Z]\d{3}): (?P<title>.+)\n\nSeverity: (?P<severity>.+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """What a user can look up about a code."""

    code: str
    title: str
    severity: str
    """`error`, `warning`, or `error or warning` where it depends."""
    text: str
    """The whole page, as Markdown."""


@cache
def pages() -> Mapping[str, CodePage]:
    """Return the page of every code, in the order of the codes."""
    found = {}
    for path in sorted(asset("docs/lint").glob("[A-Z][0-9][0-9][0-9].md")):
        text = path.read_text(encoding="utf-8")
        head = _HEAD.match(text)
        assert head is not None, f"{path} has no head"
        assert head["code"] == path.stem, f"{path} is about another code"
        found[path.stem] = CodePage(**head.groupdict(), text=text)
    return found


def page(code: str) -> CodePage:
    """Return the page of `code`, written in capitals or not.

    Raises:
        UsageError: there is no such code.
    """
    known = pages()
    wanted = code.upper()
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=3)
    raise UsageError(
        f"there is no code {code}",
        fix=f"did you mean {' or '.join(near)}? `trb lint --explain` lists all"
        if near
        else "`trb lint --explain` lists all",
    )
