"""Where the boxes and lines of a drawing stand: in layers from the top to the bottom, each line on a way of its own.

The way of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures", 1981): a
line through a layer has a place in it like a box, so that it crosses none, and so has the text beside it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from random import Random
from typing import Final

_STARTS: Final = 10
_SWEEPS: Final = 8
_SETTLINGS: Final = 40
_APART: Final = 28.0
"""Between two neighbours in a layer."""
_TEXT_AWAY: Final = 8.0
"""From a line to the text on its right."""
_LINE: Final = 6.0
"""Room on each side of a line."""
_LEAST_GAP: Final = 28.0
_MOST_GAP: Final = 60.0
"""Between two layers, where the lines turn."""
_STEEPNESS: Final = 0.22
"""Height of a gap for each sideways step in it."""
_UPRIGHT: Final = 12.0
"""How far an arrow comes straight down before its box."""
_STRAIGHT: Final = 6.0
"""How much more a line wants to be straight than a box wants to be over another."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What is to be placed."""

    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """From the bottom of a box to the top of one that comes after it, with room for a text on its right."""

    start: int
    """The position of its first box."""
    end: int
    """That of its last."""
    text_width: float
    text_height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a line goes."""

    points: tuple[Point, ...]
    """In pairs: each pair is a vertical stretch, and the line turns from one to the next."""
    text: Point
    """The upper left corner of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A drawing."""

    boxes: tuple[Point, ...]
    """The upper left corner of each."""
    ways: tuple[Way, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Cell:
    """A place in a layer: of a box, of a text with its line, or of a line that goes through."""

    layer: int
    left: float
    right: float
    height: float
    is_box: bool = False


class _Net:
    """Cells and what connects them; a layer of boxes is even, one of texts is odd."""

    def __init__(self, boxes: Sequence[Box], lines: Sequence[Line]) -> None:
        of_box = _layers(len(boxes), lines)
        self.cells = [
            _Cell(layer, box.width / 2, box.width / 2, box.height, is_box=True)
            for box, layer in zip(boxes, of_box, strict=True)
        ]
        self.chains = [self._chain(line, of_box) for line in lines]
        self.links = [pair for chain in self.chains for pair in pairwise(chain)]
        self.layers: list[list[int]] = [[] for _ in range(max(of_box) + 1)]
        for number, cell in enumerate(self.cells):
            self.layers[cell.layer].append(number)
        self.above, self.below = _neighbours(self.links), _neighbours((b, a) for a, b in self.links)

    def _chain(self, line: Line, of_box: Sequence[int]) -> list[int]:
        """Add the cells between a line's two boxes; return them with the boxes at the ends."""
        first, last = of_box[line.start], of_box[line.end]
        chain = [line.start]
        for layer in range(first + 1, last):
            has_text = layer == first + 1
            right = _TEXT_AWAY + line.text_width if has_text else _LINE
            self.cells.append(_Cell(layer, _LINE, right, line.text_height if has_text else 0.0))
            chain.append(len(self.cells) - 1)
        return [*chain, line.end]

    def crossings(self, layers: Sequence[Sequence[int]]) -> int:
        """Return how many pairs of links cross."""
        place = _places(layers)
        by_layer: dict[int, list[Point]] = defaultdict(list)
        for above, below in self.links:
            by_layer[self.cells[above].layer].append((place[above], place[below]))
        return sum(
            (a[0] - b[0]) * (a[1] - b[1]) < 0
            for pairs in by_layer.values()
            for number, a in enumerate(pairs)
            for b in pairs[:number]
        )


def place(boxes: Sequence[Box], lines: Sequence[Line]) -> Placed:
    """Return where `boxes` and `lines` stand; a line leads from a box to one after it."""
    net = _Net(boxes, lines)
    _order(net)
    ports = _ports(net)
    across = _across(net, ports)
    tops, bottoms, height = _down(net, across, ports)
    return Placed(
        boxes=tuple(
            (across[n] - box.width / 2, _box_top(net.cells[n], tops, bottoms)) for n, box in enumerate(boxes)
        ),
        ways=tuple(_way(chain, net, across, ports, (tops, bottoms)) for chain in net.chains),
        width=max(across[n] + cell.right for n, cell in enumerate(net.cells)),
        height=height,
    )


def _layers(count: int, lines: Sequence[Line]) -> list[int]:
    """Return the layer of each box: two below the lowest of those above it."""
    layers = [0] * count
    for box in range(count):
        layers[box] = max((layers[line.start] + 2 for line in lines if line.end == box), default=0)
    return layers


def _neighbours(links: Iterable[tuple[int, int]]) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for other, cell in links:
        found[cell].append(other)
    return found


def _places(layers: Sequence[Sequence[int]]) -> dict[int, float]:
    return {cell: position for layer in layers for position, cell in enumerate(layer)}


def _order(net: _Net) -> None:
    """Sort each layer so that few links cross: by the middle of its neighbours, downwards and upwards in turn.

    That ends where it can only get better by getting worse first, and so is begun anew, each time from another order.
    """
    best, fewest = _copy(net.layers), net.crossings(net.layers)
    for start in range(_STARTS):
        layers = _shuffled(net.layers, start)
        for sweep in range(_SWEEPS):
            around = net.below if sweep % 2 else net.above
            for layer in reversed(layers) if sweep % 2 else layers:
                _sort(layer, around, _places(layers))
            crossings = net.crossings(layers)
            if crossings < fewest:
                best, fewest = _copy(layers), crossings
        if not fewest:
            break
    net.layers = best


def _copy(layers: Sequence[Sequence[int]]) -> list[list[int]]:
    return [list(layer) for layer in layers]


def _shuffled(layers: Sequence[Sequence[int]], start: int) -> list[list[int]]:
    """Return `layers` in another order for each `start`, the same every time; in their own for 0."""
    random = Random(start)  # noqa: S311 - no secret
    return [random.sample(layer, len(layer)) if start else list(layer) for layer in layers]


def _sort(layer: list[int], around: Mapping[int, list[int]], place: Mapping[int, float]) -> None:
    middles = {cell: _mean([place[other] for other in around.get(cell, ())], place[cell]) for cell in layer}
    layer.sort(key=lambda cell: (middles[cell], place[cell]))


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


Ports = Mapping[tuple[int, int], float]
"""How far from the middle of the first cell its link to the second is."""


def _ports(net: _Net) -> Ports:
    place = _places(net.layers)
    found = {}
    for number, cell in enumerate(net.cells):
        for around in (net.above, net.below):
            several = sorted(around.get(number, ()), key=lambda other: place[other])
            for position, other in enumerate(several):
                share = (position + 0.5) / len(several) - 0.5
                found[number, other] = share * (cell.left + cell.right) if cell.is_box else 0.0
    return found


def _across(net: _Net, ports: Ports) -> list[float]:
    """Return the middle of each cell; of a text's, where its line is."""
    across = [0.0] * len(net.cells)
    for layer in net.layers:
        _settle(layer, net, across, dict.fromkeys(layer, (0.0, 1.0)))
    for turn in range(_SETTLINGS):
        for layer in reversed(net.layers) if turn % 2 else net.layers:
            _settle(layer, net, across, {cell: _wish(cell, net, across, ports) for cell in layer})
    _straighten(net, across)
    leftmost = min(across[number] - cell.left for number, cell in enumerate(net.cells))
    return [middle - leftmost for middle in across]


def _wish(cell: int, net: _Net, across: Sequence[float], ports: Ports) -> tuple[float, float]:
    """Return where a cell would stand if it had its layer for itself, and how much it wants to."""
    wishes = []
    for other in (*net.above.get(cell, ()), *net.below.get(cell, ())):
        are_lines = not (net.cells[cell].is_box or net.cells[other].is_box)
        weight = _STRAIGHT if are_lines else 1.0
        wishes.append((across[other] + ports[other, cell] - ports[cell, other], weight))
    total = sum(weight for _, weight in wishes)
    return (sum(where * weight for where, weight in wishes) / total, total) if total else (across[cell], 1.0)


def _between(net: _Net, left: int, right: int) -> float:
    """Return how far apart two neighbours in a layer have to be."""
    return net.cells[left].right + _APART + net.cells[right].left


def _settle(
    layer: Sequence[int], net: _Net, across: list[float], wishes: Mapping[int, tuple[float, float]]
) -> None:
    """Move the cells of a layer as near to their wishes as can be, without changing their order or touching.

    Least squares under an order is isotonic regression: neighbours that are in each other's way become one block.
    """
    offset, offsets = 0.0, []
    for position, cell in enumerate(layer):
        if position:
            offset += _between(net, layer[position - 1], cell)
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []
    for cell, away in zip(layer, offsets, strict=True):
        where, weight, count = wishes[cell][0] - away, wishes[cell][1], 1
        while blocks and blocks[-1][0] > where:
            other, heavy, more = blocks.pop()
            where = (other * heavy + where * weight) / (heavy + weight)
            weight, count = weight + heavy, count + more
        blocks.append((where, weight, count))
    starts = [where for where, _, count in blocks for _ in range(count)]
    for cell, start, away in zip(layer, starts, offsets, strict=True):
        across[cell] = start + away


def _straighten(net: _Net, across: list[float]) -> None:
    """Take the last bends out of lines through several layers, where the neighbours leave room."""
    left, right = {}, {}
    for layer in net.layers:
        for before, after in pairwise(layer):
            right[before], left[after] = after, before
    for chain in net.chains:
        inner = chain[1:-1]
        least = max(across[left[c]] + _between(net, left[c], c) if c in left else -inf for c in inner)
        most = min(across[right[c]] - _between(net, c, right[c]) if c in right else inf for c in inner)
        if least <= most:
            middle = min(most, max(least, sum(across[cell] for cell in inner) / len(inner)))
            for cell in inner:
                across[cell] = middle


def _down(net: _Net, across: Sequence[float], ports: Ports) -> tuple[list[float], list[float], float]:
    """Return where each layer begins and ends, and the height of all; the more sideways, the higher a gap."""
    farthest = [0.0] * len(net.layers)
    for above, below in net.links:
        aside = abs(across[above] + ports[above, below] - across[below] - ports[below, above])
        number = net.cells[above].layer
        farthest[number] = max(farthest[number], aside)
    tops: list[float] = []
    bottoms: list[float] = []
    at = 0.0
    for number, layer in enumerate(net.layers):
        tops.append(at)
        bottoms.append(at + max(net.cells[cell].height for cell in layer))
        at = bottoms[-1] + min(_MOST_GAP, max(_LEAST_GAP, farthest[number] * _STEEPNESS))
    return tops, bottoms, bottoms[-1]


def _box_top(cell: _Cell, tops: Sequence[float], bottoms: Sequence[float]) -> float:
    return (tops[cell.layer] + bottoms[cell.layer] - cell.height) / 2


def _way(
    chain: Sequence[int],
    net: _Net,
    across: Sequence[float],
    ports: Ports,
    bands: tuple[Sequence[float], Sequence[float]],
) -> Way:
    tops, bottoms = bands
    start, *inner, end = chain
    first, last = net.cells[start], net.cells[end]
    x = across[start] + ports[start, chain[1]]
    points = [(x, _box_top(first, tops, bottoms) + first.height), (x, bottoms[first.layer])]
    for cell in inner:
        layer = net.cells[cell].layer
        points += [(across[cell], tops[layer]), (across[cell], bottoms[layer])]
    x = across[end] + ports[end, chain[-2]]
    points += [(x, tops[last.layer] - _UPRIGHT), (x, _box_top(last, tops, bottoms))]
    text = net.cells[inner[0]]
    middle = (tops[text.layer] + bottoms[text.layer] - text.height) / 2
    return Way(points=tuple(points), text=(across[inner[0]] + _TEXT_AWAY, middle))
