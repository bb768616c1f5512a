"""A pipeline as a picture."""

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from builder.report import words
from builder.report.layers import Box, Line, Placed, Point, Way, place
from builder.spec.graph import Edge, GraphReport, GraphStep, PipelineGraph

_MARGIN: Final = 24.0
_PAD: Final = 14.0
_LINE: Final = 18.0
"""From one line of text to the next."""
_NAME_SIZE: Final = 14.0
_SIZE: Final = 12.0
_TITLE_SIZE: Final = 16.0
_BOLD: Final = 1.1
"""How much wider bold letters are."""
_MONO: Final = 0.602
"""The width of a letter of a monospaced font, for a size of 1."""
_LONGEST_KIND: Final = 40
_LONGEST_NAME: Final = 40
_BAR: Final = 6.0
_ARROW: Final = 8.0
_SAME: Final = 0.05
"""What is nearer is not seen as apart."""
_NARROW: Final = "fijlrtI.,:;'|!()[] -/"
_WIDE: Final = "mwMW@%"

_STYLE: Final = """
.paper { fill: #ffffff; stroke: #d1d5db; }
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #374151; }
.name { font-weight: 600; font-size: 14px; fill: #111827; }
.title { font-weight: 600; font-size: 16px; fill: #111827; }
.tensor { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.line { fill: none; stroke: #6b7280; stroke-width: 1.5; }
.head { fill: #6b7280; }
.track { fill: #ffffff; fill-opacity: 0.75; }
.box { stroke-width: 1.5; }
.graph { fill: #dbeafe; stroke: #2563eb; }
.merged { fill: #d1fae5; stroke: #059669; }
.python { fill: #fef3c7; stroke: #d97706; }
.pipeline { fill: #ede9fe; stroke: #7c3aed; }
.other { fill: #f3f4f6; stroke: #6b7280; }
.client { fill: none; stroke: #6b7280; stroke-dasharray: 4 3; }
.bar.graph { fill: #2563eb; } .bar.merged { fill: #059669; } .bar.python { fill: #d97706; }
.bar.pipeline { fill: #7c3aed; } .bar.other { fill: #6b7280; } .bar { stroke: none; }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117; stroke: #30363d; }
text { fill: #c9d1d9; }
.name, .title { fill: #f0f6fc; }
.line { stroke: #8b949e; }
.head { fill: #8b949e; }
.track { fill: #000000; fill-opacity: 0.45; }
.box.graph { fill: #12294d; } .box.merged { fill: #0c3b2e; } .box.python { fill: #42300a; }
.box.pipeline { fill: #2e2150; } .box.other { fill: #21262d; }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    """A box and what stands in it."""

    look: str
    name: str
    lines: tuple[str, ...] = ()
    share: float | None = None
    """The part of the time that its bar shows; None: no bar."""

    @property
    def size(self) -> Box:
        texts = [_width(self.name, _NAME_SIZE * _BOLD), *(_width(line, _SIZE) for line in self.lines)]
        height = 2 * _PAD + _LINE * len(texts) - 4 + (_BAR + 4 if self.share is not None else 0)
        return Box(width=max(texts) + 2 * _PAD, height=height)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wire:
    """The tensors that one step hands to another."""

    start: int
    end: int
    edges: tuple[Edge, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(line for edge in self.edges for line in _label(edge))

    @property
    def room(self) -> Line:
        width = max(_cells(line) for line in self.lines) * _MONO * _SIZE
        return Line(start=self.start, end=self.end, text_width=width, text_height=_LINE * len(self.lines))


def render(report: GraphReport) -> str:
    """Return `report` as one SVG, its pipelines one below the other."""
    drawings = [_drawing(one) for one in report.pipelines]
    width = max(each.width for each in drawings) + 2 * _MARGIN
    height = _MARGIN + sum(each.height + _MARGIN for each in drawings)
    title = ", ".join(words.pipeline(one) for one in report.pipelines)
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{_text(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>',
    ]
    top = _MARGIN
    for each in drawings:
        parts += [f'<g transform="translate({_MARGIN:.0f} {top:.1f})">', *each.parts, "</g>"]
        top += each.height + _MARGIN
    return "\n".join((*parts, "</svg>", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    width: float
    height: float
    parts: tuple[str, ...]


def _drawing(one: PipelineGraph) -> _Drawing:
    cards = [
        _Card(look="client", name="clients send"),
        *map(_card, one.steps),
        _Card(look="client", name="clients get"),
    ]
    wires = _wires(one)
    placed = place([card.size for card in cards], [wire.room for wire in wires])
    title, foot = words.pipeline(one), words.measured(one)
    head = 2 * _LINE
    return _Drawing(
        width=max(placed.width, _width(title, _TITLE_SIZE * _BOLD), _width(foot, _SIZE)),
        height=head + placed.height + 2 * _LINE,
        parts=(
            f'<text class="title" x="0" y="14">{_text(title)}</text>',
            f'<g transform="translate(0 {head:.0f})">',
            *(part for wire, way in zip(wires, placed.ways, strict=True) for part in _drawn_wire(wire, way)),
            *_drawn_cards(cards, placed),
            "</g>",
            f'<text x="0" y="{head + placed.height + 1.5 * _LINE:.1f}">{_text(foot)}</text>',
        ),
    )


def _card(step: GraphStep) -> _Card:
    kind = textwrap.wrap(step.kind, _LONGEST_KIND, subsequent_indent="  ", break_on_hyphens=False)
    version = "" if step.version is None else f"version {step.version}, "
    lines = [*kind, f"{version}{words.batching(step.max_batch_size)}"]
    if step.time is not None:
        lines.append(f"{step.time.share:.0%}: {words.split(step.time)}")
    share = None if step.time is None else step.time.share
    return _Card(look=step.look, name=step.name, lines=tuple(lines), share=share)


def _wires(one: PipelineGraph) -> list[_Wire]:
    """Return one line for all tensors that go the same way."""
    numbers = {step.name: number for number, step in enumerate(one.steps, start=1)}
    ways: dict[tuple[int, int], list[Edge]] = {}
    for edge in one.edges:
        start = 0 if edge.giver is None else numbers[edge.giver]
        end = len(one.steps) + 1 if edge.reader is None else numbers[edge.reader]
        ways.setdefault((start, end), []).append(edge)
    return [_Wire(start=start, end=end, edges=tuple(edges)) for (start, end), edges in ways.items()]


def _label(edge: Edge) -> Iterator[str]:
    """Yield the lines that tell a tensor: two where its name is long; the middle of a very long one is left out."""
    name, shape = edge.tensor.name, edge.tensor.kind
    if len(name) + len(shape) <= _LONGEST_NAME:
        yield f"{name} {shape}"
        return
    half = _LONGEST_NAME // 2
    yield name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[1 - half :]}"
    yield f"  {shape}"


def _drawn_wire(wire: _Wire, way: Way) -> Iterator[str]:
    x, y = way.points[-1]
    full = "; ".join(str(edge.tensor) for edge in wire.edges)
    yield f"<g><title>{_text(full)}</title>"
    yield f'<path class="line" d="{_path(way.points)}"/>'
    half = _ARROW / 2
    yield f'<path class="head" d="M{x:.1f} {y:.1f}l{-half:.0f} {-_ARROW:.0f}h{_ARROW:.0f}z"/>'
    left, top = way.text
    for number, line in enumerate(wire.lines):
        yield _line_of_text("tensor", left, top + number * _LINE + 13, line)
    yield "</g>"


def _path(points: Sequence[Point]) -> str:
    """Return straight stretches with a turn between each two, both ends of it upright; the arrow's head is left out."""
    (x, y), *rest = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for number, (to_x, to_y) in enumerate(rest, start=1):
        end = to_y - (_ARROW - 1 if number == len(rest) else 0)
        if abs(to_x - x) < _SAME:
            parts.append(f"V{end:.1f}")
        else:
            middle = (y + to_y) / 2
            parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {end:.1f}")
        x, y = to_x, to_y
    return "".join(parts)


def _drawn_cards(cards: Sequence[_Card], placed: Placed) -> Iterator[str]:
    for card, (x, y) in zip(cards, placed.boxes, strict=True):
        size = card.size
        yield f"<g><title>{_text(', '.join((card.name, *card.lines)))}</title>"
        yield (
            f'<rect class="box {card.look}" x="{x:.1f}" y="{y:.1f}" width="{size.width:.1f}" '
            f'height="{size.height:.1f}" rx="8"/>'
        )
        yield _line_of_text("name", x + _PAD, y + _PAD + 11, card.name)
        for number, line in enumerate(card.lines, start=1):
            yield _line_of_text("fact", x + _PAD, y + _PAD + 11 + number * _LINE, line)
        if card.share is not None:
            yield from _bar(card, x + _PAD, y + size.height - _PAD - _BAR + 4, size.width - 2 * _PAD)
        yield "</g>"


def _bar(card: _Card, x: float, y: float, width: float) -> Iterator[str]:
    for look, share in (("track", 1.0), (f"bar {card.look}", card.share or 0.0)):
        yield (
            f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" width="{width * share:.1f}" '
            f'height="{_BAR:.0f}" rx="3"/>'
        )


def _line_of_text(look: str, x: float, y: float, text: str) -> str:
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" xml:space="preserve">{_text(text)}</text>'


def _width(text: str, size: float) -> float:
    """Return how wide a text may be in any usual font without serifs."""
    return sum(map(_of_letter, text)) * size


def _of_letter(letter: str) -> float:
    if letter in _NARROW:
        return 0.4
    if letter in _WIDE or _cells(letter) > 1:
        return 1.0
    return 0.72 if letter.isupper() else 0.63


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _text(text: str) -> str:
    """Return `text` as XML takes it."""
    return escape("".join(letter if letter.isprintable() else "\ufffd" for letter in text))
