"""A pipeline as a Mermaid flowchart."""

import re

import pytest

from builder.report import mermaid
from tests.unit.report.graphs import chain, report, reviews

CHART = """\
flowchart TD
    subgraph p1["chain version 1: 1 step, max batch 8, not measured"]
        direction TB
        p1_send(["clients send"]):::client_box
        p1_1["a version 1<br/>Python<br/>max batch 8"]:::python_box
        p1_get(["clients get"]):::client_box
        p1_send -->|"t0 fp32[batch, 4]"| p1_1
        p1_1 -->|"t1 fp32[batch, 4]"| p1_get
    end
    classDef client_box fill:#ffffff,stroke:#6b7280,color:#111827,stroke-dasharray:4 3
    classDef python_box fill:#fef3c7,stroke:#d97706,color:#111827
"""
LABEL = re.compile(r'"([^"]*)"')


def unescaped(label: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)


def test_a_chart_has_a_frame_boxes_and_arrows() -> None:
    """The text is what Mermaid's documentation calls a flowchart."""
    assert mermaid.render(report(chain("a"))) == CHART


def test_every_step_and_tensor_is_in_the_chart() -> None:
    """Each tensor is on an arrow to each of its readers."""
    one = reviews()
    chart = mermaid.render(report(one))

    for edge in one.edges:
        assert chart.count(f'|"{edge.tensor.name} {edge.tensor.dtype.value}[') == sum(
            other.tensor == edge.tensor for other in one.edges
        )
    assert all(f"{step.name} version" in chart for step in one.steps)
    assert "80%: queue 20.5 us, compute 1.65 ms" in chart


@pytest.mark.parametrize(
    "name",
    [
        'say "x"',
        "a#35;b",
        "<br/>",
        "&lt;",
        "`md`",
        "**bold**",
        "__init__",
        "- item",
        "1. one",
        "a|b",
        "end",
        "fa:fa-car",
        "1) two",
        "$$x$$",
        "%% note",
        "x;y",
        "größe",
        "a\\nb",
    ],
)
def test_odd_names_stay_what_they_are(name: str) -> None:
    """Whatever a tensor is called, its label is quoted, and means the name once Mermaid has read it."""
    chart = mermaid.render(report(chain("m", tensors=(name, "o"))))
    (line,) = [line for line in chart.splitlines() if line.startswith("        p1_send -->")]
    (label,) = LABEL.findall(line)

    assert unescaped(label) == f"{name} fp32[batch, 4]"
    assert not re.search(r"[<>&`*\\|;]|#(?!\d+;)", re.sub(r"#\d+;", "", label))
    assert not re.match(r"[-+*] |\d+[.)] ", label)


def test_two_pipelines_share_no_name() -> None:
    """Each pipeline's boxes have names of their own."""
    chart = mermaid.render(report(chain("a"), chain("a")))
    boxes = re.findall(r"^ {8}(\w+)[\[(]", chart, re.MULTILINE)

    assert len(boxes) == len(set(boxes)) == 6
