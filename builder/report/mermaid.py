"""A pipeline as a Mermaid flowchart, which GitHub and many editors draw.

Source of the grammar: flow.jison of mermaid-js/mermaid; https://mermaid.js.org/syntax/flowchart.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from builder.report import words
from builder.spec.graph import GraphReport, GraphStep, Look, PipelineGraph

_CLASSES: Final[Mapping[Look | str, str]] = {
    "graph": "fill:#dbeafe,stroke:#2563eb,color:#111827",
    "merged": "fill:#d1fae5,stroke:#059669,color:#111827",
    "python": "fill:#fef3c7,stroke:#d97706,color:#111827",
    "pipeline": "fill:#ede9fe,stroke:#7c3aed,color:#111827",
    "other": "fill:#f3f4f6,stroke:#6b7280,color:#111827",
    "client": "fill:#ffffff,stroke:#6b7280,color:#111827,stroke-dasharray:4 3",
}
_SPECIAL: Final = re.compile(
    r"""[^\w \-.,:+()\[\]/%=]            # what the grammar or HTML has a use for
    | ^[\d\-+](?=[.)\ ]|\d*[.)]\ )      # the mark of a list's item
    | (?<!\w)_ | _(?!\w)               # emphasis
    | :(?=fa-)                        # an icon
    """,
    re.VERBOSE,
)
"""What would be taken for something else than a letter."""


def render(report: GraphReport) -> str:
    """Return `report` as one flowchart, a frame around each pipeline."""
    lines = ["flowchart TD"]
    for number, one in enumerate(report.pipelines, start=1):
        lines += _pipeline(one, f"p{number}")
    used = sorted({look for one in report.pipelines for look in ("client", *(s.look for s in one.steps))})
    lines += [f"    classDef {_class(look)} {_CLASSES[look]}" for look in used]
    return "\n".join(lines) + "\n"


def _pipeline(one: PipelineGraph, prefix: str) -> Iterator[str]:
    ids = {step.name: f"{prefix}_{number}" for number, step in enumerate(one.steps, start=1)}
    when = f"measured {one.measured_at}" if one.measured_at else "not measured"
    # In one line: Mermaid draws the first box over the second.
    yield f"    subgraph {prefix}[{_quoted(f'{words.pipeline(one)}, {when}')}]"
    yield "        direction TB"
    yield f"        {prefix}_send([{_quoted('clients send')}]):::{_class('client')}"
    for step in one.steps:
        yield f"        {ids[step.name]}[{_quoted(*_lines(step))}]:::{_class(step.look)}"
    yield f"        {prefix}_get([{_quoted('clients get')}]):::{_class('client')}"
    for edge in one.edges:
        giver = f"{prefix}_send" if edge.giver is None else ids[edge.giver]
        reader = f"{prefix}_get" if edge.reader is None else ids[edge.reader]
        label = _quoted(str(edge.tensor))
        yield f"        {giver} -->|{label}| {reader}"
    yield "    end"


def _lines(step: GraphStep) -> Iterator[str]:
    yield words.named(step.name, step.version)
    yield step.kind
    yield words.batching(step.max_batch_size)
    if step.time is not None:
        yield f"{step.time.share:.0%}: {words.split(step.time)}"


def _class(look: str) -> str:
    """Return a name that is no word of the grammar, as `graph` is."""
    return f"{look}_box"


def _quoted(*lines: str) -> str:
    return f'"{"<br/>".join(_SPECIAL.sub(lambda found: f"#{ord(found[0])};", line) for line in lines)}"'
