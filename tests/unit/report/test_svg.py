"""A pipeline as a picture."""

import os
import re
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.report import svg
from builder.spec.dtypes import DType
from builder.spec.graph import PipelineGraph
from builder.spec.tensors import Tensor
from tests.on_record import require_same
from tests.unit.report.graphs import chain, edge, report, reviews, step

PICTURE = Path(__file__).resolve().parents[3] / "docs" / "graph.svg"
NS = "{http://www.w3.org/2000/svg}"


def drawn(*pipelines: PipelineGraph) -> ET.Element:
    return ET.fromstring(svg.render(report(*pipelines)))


def texts(root: ET.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{NS}text")]


def boxes(root: ET.Element) -> list[tuple[float, float, float, float]]:
    found = [each for each in root.iter(f"{NS}rect") if "box" in (each.get("class") or "").split()]
    sides = [[float(each.get(side) or 0) for side in ("x", "y", "width", "height")] for each in found]
    return [(x, y, x + width, y + height) for x, y, width, height in sides]


def corners(root: ET.Element) -> list[list[tuple[float, float]]]:
    """The ends of all stretches and turns of each line."""
    lines = []
    for path in (each.get("d") or "" for each in root.iter(f"{NS}path") if each.get("class") == "line"):
        points: list[tuple[float, float]] = []
        for letter, numbers in re.findall(r"([MVC])([-\d. ]+)", path):
            values = [float(number) for number in numbers.split()]
            points.append((points[-1][0], values[0]) if letter == "V" else (values[-2], values[-1]))
        lines.append(points)
    return lines


def test_every_step_and_tensor_is_in_the_picture() -> None:
    """Names, kinds, dtypes, shapes and times can be read in it."""
    said = "\n".join(texts(drawn()))

    for one in reviews().steps:
        assert one.name in said
        assert one.kind in said
    for each in reviews().edges:
        assert (
            f"{each.tensor.name} {each.tensor.dtype.value}[{', '.join(map(str, each.tensor.shape))}]" in said
        )
    assert "80%: queue 20.5 us, compute 1.65 ms" in said
    assert "measured 2026-11-28T21:04:05+00:00" in said


def test_a_bar_is_as_long_as_its_share() -> None:
    """The bars of the times have the lengths of the shares, on tracks of the whole."""
    rects = [(each.get("class") or "", float(each.get("width") or 0)) for each in drawn().iter(f"{NS}rect")]
    tracks = [width for look, width in rects if look == "track"]
    bars = [width for look, width in rects if look.startswith("bar ")]

    shares = [one.time.share for one in reviews().steps if one.time is not None]
    assert [bar / track for bar, track in zip(bars, tracks, strict=True)] == pytest.approx(shares, abs=0.001)


def test_what_was_not_measured_has_no_bar() -> None:
    """A pipeline without times shows none."""
    assert not [each for each in drawn(chain("a")).iter(f"{NS}rect") if each.get("class") == "track"]


@pytest.mark.parametrize("name", ['<b> & "x"', "]]>", "größe", "名前", "a\x07b\ud800", "-->"])
def test_odd_names_are_text_and_nothing_else(name: str) -> None:
    """Whatever a tensor is called, the picture is XML and shows it; what cannot be shown has a sign in its place."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)

    assert f"{shown} fp32[batch, 4]" in texts(drawn(chain("m", tensors=(name, "o"))))


def test_a_very_long_name_is_shown_with_its_ends_and_told_in_full() -> None:
    """The label leaves out the middle; the title that a pointer shows has all of it."""
    name = "begin_" + "x" * 100 + "_finish"
    root = drawn(chain("m", tensors=(name, "o")))

    assert any(text.startswith("begin_") and "…" in text and text.endswith("_finish") for text in texts(root))
    assert any(name in (each.text or "") for each in root.iter(f"{NS}title"))


def test_everything_has_a_title() -> None:
    """The picture, each box and each line say what they are to who cannot see them."""
    root = drawn()
    titles = [each.text or "" for each in root.iter(f"{NS}title")]

    assert root.get("role") == "img"
    assert titles[0] == "reviews version 3: 3 steps, max batch 8"
    assert len(titles) == 1 + 5 + 6  # two tensors go from `tokens` to `reviews_fused` on one line


def test_the_same_pipeline_is_the_same_picture() -> None:
    """Drawing again gives the same bytes."""
    assert svg.render(report()) == svg.render(report())


@st.composite
def pipelines(draw: st.DrawFn) -> PipelineGraph:
    """Steps that read any tensors of clients and of steps before them."""
    count = draw(st.integers(1, 7))
    names = [f"step{number}" for number in range(count)]
    made = [(None, "i0"), (None, "i1")]
    edges = []
    for name in names:
        read = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
        edges += [edge(_tensor(tensor), giver, name) for giver, tensor in read]
        made += [(name, f"{name}_{part}") for part in range(draw(st.integers(1, 2)))]
    unread = {tensor for _, tensor in made} - {one.tensor.name for one in edges}
    edges += [edge(_tensor(tensor), giver, None) for giver, tensor in made if tensor in unread and giver]
    return replace(chain("a"), steps=tuple(map(step, names)), edges=tuple(edges))


def _tensor(name: str) -> Tensor:
    return Tensor(name=name, dtype=DType.FP32, shape=("batch", len(name)))


@given(pipelines())
@settings(max_examples=25, deadline=None)
def test_boxes_do_not_touch_and_no_line_goes_through_one(one: PipelineGraph) -> None:
    """However steps are wired, boxes are apart, and lines run beside those that they do not lead to."""
    root = drawn(one)
    places = boxes(root)

    for (left, top, right, bottom), (x, y, to_x, to_y) in combinations(places, 2):
        assert right < x or to_x < left or bottom < y or to_y < top
    for points in corners(root):
        assert not [
            (start, end, box) for start, end in pairwise(points) for box in places if _is_in(start, end, box)
        ]


def _is_in(
    start: tuple[float, float], end: tuple[float, float], box: tuple[float, float, float, float]
) -> bool:
    """Whether a stretch or a turn between two points is inside of a box, and not only at its edge."""
    (left, right), (top, bottom) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return left < box[2] and right > box[0] and top + 0.2 < box[3] and bottom - 0.2 > box[1]


@given(pipelines())
@settings(max_examples=25, deadline=None)
def test_all_of_a_picture_is_within_its_edges(one: PipelineGraph) -> None:
    """Nothing is cut off."""
    root = drawn(one)
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)

    assert all(
        x >= 0 and to_x <= width - 48 and y >= 0 and to_y <= height for x, y, to_x, to_y in boxes(root)
    )
    assert all(0 <= x <= width - 48 for points in corners(root) for x, _ in points)


def test_the_picture_of_the_documentation_is_the_golden_one() -> None:
    """docs/graph.svg is what is drawn now; `make golden` draws it anew."""
    now = svg.render(report())
    if os.environ.get("TRB_GOLDEN") == "write":
        PICTURE.write_text(now, encoding="utf-8")

    require_same({PICTURE.name: PICTURE.read_text(encoding="utf-8")}, {PICTURE.name: now})
