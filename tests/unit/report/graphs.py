"""Pipelines to draw."""

from dataclasses import replace
from typing import Any

from builder.spec.dtypes import DType
from builder.spec.graph import Edge, GraphReport, GraphStep, PipelineGraph
from builder.spec.results import StepTime
from builder.spec.tensors import Tensor

TEXT = Tensor(name="text", dtype=DType.STRING, shape=("batch", 1))
IDS = Tensor(name="ids", dtype=DType.INT64, shape=("batch", "seq"))
MASK = Tensor(name="mask", dtype=DType.INT64, shape=("batch", "seq"))
SCORES = Tensor(name="scores", dtype=DType.FP32, shape=("batch", 2))
LABEL = Tensor(name="label", dtype=DType.STRING, shape=("batch", 1))
MEASURED = "2026-11-28T21:04:05+00:00"


def step(name: str, **facts: Any) -> GraphStep:
    given = {"version": 1, "kind": "Python", "look": "python", "max_batch_size": 8, **facts}
    return GraphStep(name=name, model=name, **given)


def time(name: str, queue_us: float, compute_us: float, share: float) -> StepTime:
    return StepTime(
        step=name, model=name, requests=1200, queue_us=queue_us, compute_us=compute_us, share=share
    )


def edge(tensor: Tensor, giver: str | None, reader: str | None) -> Edge:
    return Edge(tensor=tensor, giver=giver, reader=reader)


def reviews(*, measured: bool = True) -> PipelineGraph:
    """Two Python functions around a merged model; the mask goes to two of them."""
    times = {
        "tokens": time("tokens", 12, 310, 0.155),
        "reviews_fused": time("reviews_fused", 20.5, 1650, 0.804),
        "answer": time("answer", 8, 77, 0.041),
    }
    merged = {"kind": "merged: embed + encoder + head", "look": "merged", "version": 3}
    steps = (step("tokens"), step("reviews_fused", **merged), step("answer", max_batch_size=0))
    return PipelineGraph(
        name="reviews",
        version=3,
        max_batch_size=8,
        fused={"reviews_fused": ("embed", "encoder", "head")},
        inputs=(TEXT,),
        outputs=(LABEL, SCORES),
        steps=tuple(replace(one, time=times[one.name]) for one in steps) if measured else steps,
        edges=(
            edge(TEXT, None, "tokens"),
            edge(IDS, "tokens", "reviews_fused"),
            edge(MASK, "tokens", "reviews_fused"),
            edge(MASK, "tokens", "answer"),
            edge(SCORES, "reviews_fused", "answer"),
            edge(SCORES, "reviews_fused", None),
            edge(LABEL, "answer", None),
        ),
        is_ours=True,
        measured_at=MEASURED if measured else "",
    )


def chain(*names: str, tensors: tuple[str, ...] = ()) -> PipelineGraph:
    """Steps one after the other."""
    called = tensors or tuple(f"t{number}" for number in range(len(names) + 1))
    between = [Tensor(name=name, dtype=DType.FP32, shape=("batch", 4)) for name in called]
    ends = [None, *names, None]
    return PipelineGraph(
        name="chain",
        version=1,
        max_batch_size=8,
        inputs=(between[0],),
        outputs=(between[-1],),
        steps=tuple(step(name) for name in names),
        edges=tuple(edge(tensor, ends[number], ends[number + 1]) for number, tensor in enumerate(between)),
    )


def report(*pipelines: PipelineGraph) -> GraphReport:
    return GraphReport(pipelines=pipelines or (reviews(),), repository="model_repository")
