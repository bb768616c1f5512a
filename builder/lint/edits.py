"""Changes to the text of a config.pbtxt that leave everything else in it as it is."""

import re
from collections.abc import Iterable
from typing import Final

from builder.pbtxt.read import Mistake, ReadConfig, Span, read
from builder.pbtxt.tree import comments
from builder.rules.refusal import Place
from builder.spec.findings import Edit

_MISSPELT: Final = ("C102", "C103")
_REST_OF_LINE: Final = re.compile(r"[ \t]*[;,]?(?P<blank>[ \t]*(?:\r?\n|\Z))?")


def edit_at(text: str, config: ReadConfig, place: Place, right: str) -> Edit | None:
    """Return the edit that puts `right` at `place`; None where `place` is not one part of the text.

    A list may be given in several parts, `dims: 1 dims: 2`, of which `place` is only the first.
    """
    span = config.places.get(place)
    if span is None or any(not _is_within(inner, span) for inner in _inside(config, place)):
        return None
    return sound(text, Edit(start=span.start, end=span.end, text=right) if right else _without(text, span))


def sound(text: str, edit: Edit) -> Edit | None:
    """Return `edit` if it keeps every comment, and brings nothing worse to light than further misspellings."""
    if any(edit.start <= comment.start < edit.end for comment in comments(text)):
        return None
    before, after = read(text).mistakes, read(edited(text, [edit])).mistakes
    return edit if _others(after) <= _others(before) and (before or not after) else None


def _others(mistakes: Iterable[Mistake]) -> int:
    return sum(mistake.code not in _MISSPELT for mistake in mistakes)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with `edits` made; of two that overlap, the first alone."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start >= position:
            parts += [text[position : edit.start], edit.text]
            position = edit.end
    return "".join((*parts, text[position:]))


def _inside(config: ReadConfig, place: Place) -> list[Span]:
    return [span for path, span in config.places.items() if path[: len(place)] == place]


def _is_within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _without(text: str, span: Span) -> Edit:
    """Return the edit that removes a field, and its line with it where it has one to itself."""
    rest = _REST_OF_LINE.match(text, span.end)
    assert rest is not None, "every part of it may be empty"
    line = text.rfind("\n", 0, span.start) + 1
    if rest["blank"] is not None and not text[line : span.start].strip():
        return Edit(start=line, end=rest.end(), text="")
    return Edit(start=span.start, end=rest.end(), text="")
