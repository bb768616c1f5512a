"""A pipeline as `trb graph` draws it: what the steps are, what they hand on, how long each takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from builder.spec.results import StepTime
from builder.spec.tensors import Tensor

Look = Literal["graph", "merged", "python", "pipeline", "other"]
"""What a step is painted as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphStep:
    """One step."""

    name: str
    """The model's, with `#2` behind it for the second step of that model."""
    model: str
    """Its name in the repository."""
    version: int | None
    """The one that is served; None: there is no version folder."""
    kind: str
    """`ONNX graph`, `TorchScript graph`, `Python`, `pipeline`, `merged: a + b`, or the backend's name."""
    look: Look
    max_batch_size: int
    """0: the model does not batch."""
    time: StepTime | None = None
    """None: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A tensor on its way. One that several read is several edges."""

    tensor: Tensor
    """Under the pipeline's name, with its full shape; -1 is an axis of any size that has no name."""
    giver: str | None
    """The step that gives it; None: clients send it."""
    reader: str | None
    """The step that reads it; None: clients get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineGraph:
    """One pipeline."""

    name: str
    version: int | None
    """None: there is no version folder."""
    max_batch_size: int
    fused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The steps that each merged model stands for, by its name; empty: nothing is merged."""
    inputs: tuple[Tensor, ...]
    """What clients send."""
    outputs: tuple[Tensor, ...]
    """What clients get."""
    steps: tuple[GraphStep, ...]
    """In an order in which they can run."""
    edges: tuple[Edge, ...]
    is_ours: bool = False
    """Whether trb published it, and so can measure it."""
    measured_at: str = ""
    """When the times were measured; empty: they were not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphReport:
    """What `trb graph` draws."""

    pipelines: tuple[PipelineGraph, ...]
    repository: str
    """Where they lie."""
