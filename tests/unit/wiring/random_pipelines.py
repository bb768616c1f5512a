"""Small pipelines over a few models that hypothesis makes up, and what the repository would have of the models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from builder import wiring
from builder.config import make
from builder.spec.dtypes import DType
from builder.spec.model_config import ModelConfig
from builder.spec.project import Axis, Batching, Input, Model, Output, Pipeline, Step
from builder.spec.tensors import Dim
from builder.wiring import Face, Known
from tests.unit.config.values import Shapes, artifact, loaded, proof
from tests.unit.wiring.values import record

DTYPES: Final = (DType.FP32, DType.INT64, DType.STRING)
ROWS: Final[tuple[tuple[Dim, ...], ...]] = ((), (4,), (4,), ("n",), (2, "n"), (1,))
"""The shapes of a row."""
FIRST: Final[tuple[Dim | None, ...]] = ("batch", "batch", "rows", "n", 1, 3, None)
"""What stands before a row: the batch axis, some other axis, or nothing."""


@dataclass(frozen=True)
class Made:
    """A pipeline and the models of its steps."""

    pipeline: Pipeline
    entries: Mapping[str, Model]
    known: Mapping[str, Known]
    configs: Mapping[str, ModelConfig]


@st.composite
def made(draw: st.DrawFn, *, careless: bool = False) -> Made:
    """Return a pipeline whose steps read what has their dtype; those of a `careless` one, what has as many axes."""
    models = {f"m{n}": draw(_models()) for n in range(draw(st.integers(2, 4)))}
    return Made(
        pipeline=draw(_pipelines({name: one.known for name, one in models.items()}, careless)),
        entries={name: one.entry for name, one in models.items()},
        known={name: one.known for name, one in models.items()},
        configs={name: one.config(name) for name, one in models.items()},
    )


@dataclass(frozen=True)
class _OneModel:
    inputs: Shapes
    outputs: Shapes
    batch_axis: str
    max_batch_size: int
    sizes: Axis

    @property
    def entry(self) -> Model:
        given = {name: Input(dtype=dtype, shape=shape) for name, (dtype, shape) in self.inputs.items()}
        axes = {dim for _, shape in self.inputs.values() for dim in shape if isinstance(dim, str)}
        dims = {axis: Axis(max=8) if axis == self.batch_axis else self.sizes for axis in axes}
        return Model(source="a:b", inputs=given, dims=dims, batching=Batching(axis=self.batch_axis))

    @property
    def known(self) -> Known:
        return wiring.of_record(record(self.inputs, self.outputs, self.max_batch_size), self.entry)

    def config(self, name: str) -> ModelConfig:
        one = loaded(self.inputs, self.outputs, warmup=False)
        return make(name, one, artifact(one), proof(self.max_batch_size))


@st.composite
def _models(draw: st.DrawFn) -> _OneModel:
    first = draw(st.sampled_from(FIRST))
    names = draw(st.permutations(("x", "y", "z", "w")))
    tensors = {
        name: (draw(st.sampled_from(DTYPES)), _shape(first, draw(st.sampled_from(ROWS)))) for name in names
    }
    inputs = {name: tensors[name] for name in names[: draw(st.integers(1, 2))]}
    outputs = {name: tensors[name] for name in names[2 : draw(st.integers(3, 4))]}
    if draw(st.integers(0, 3)) == 0:
        outputs |= {name: tensors[name] for name in list(inputs)[:1]}
    batches = first in ("batch", "rows") and draw(st.booleans())
    return _OneModel(
        inputs=inputs,
        outputs=outputs,
        batch_axis="rows" if first == "rows" else "batch",
        max_batch_size=draw(st.sampled_from((1, 2, 4, 8))) if batches else 0,
        sizes=draw(st.sampled_from((Axis(max=8), Axis(max=4), Axis(min=3, max=5)))),
    )


def _shape(first: Dim | None, row: tuple[Dim, ...]) -> tuple[Dim, ...]:
    shape = row if first is None else (first, *row)
    return shape or (1,)


@st.composite
def _pipelines(draw: st.DrawFn, models: Mapping[str, Known], careless: bool) -> Pipeline:
    there: dict[str, Face] = {}
    sent: list[str] = []
    steps = []
    unread: dict[str, None] = {}
    for n in range(draw(st.integers(1, 4))):
        model = draw(st.sampled_from(sorted(models)))
        reads = {}
        for own, face in models[model].inputs.items():
            fitting = [name for name, one in there.items() if _fits(one, face, careless)]
            if not fitting or draw(st.integers(0, 3)) == 0:
                fitting = [f"in{len(sent)}"]
                sent += fitting
                there[fitting[0]] = face
            reads[own] = draw(st.sampled_from(fitting))
            unread.pop(reads[own], None)
        gives = {own: f"s{n}_{own}" for own in models[model].outputs}
        there |= {name: models[model].outputs[own] for own, name in gives.items()}
        unread |= dict.fromkeys(gives.values())
        steps.append(_step(model, reads, gives))
    return Pipeline(inputs=tuple(sent), steps=tuple(steps), outputs={name: Output() for name in unread})


def _fits(one: Face, other: Face, careless: bool) -> bool:
    return len(one.shape or ()) == len(other.shape or ()) if careless else one.dtype is other.dtype


def _step(model: str, reads: Mapping[str, str], gives: Mapping[str, str]) -> Step:
    both = reads.keys() & gives.keys()
    as_map = {own: name for own, name in gives.items() if own not in both}
    return Step(model=model, map={**as_map, **reads}, outputs={own: gives[own] for own in both})


@st.composite
def less_known(draw: st.DrawFn, known: Known) -> Known:
    """Return a model as trb.yaml may have it: some outputs without dtype or shape, some not at all."""
    outputs = {
        name: Face(
            dtype=draw(st.sampled_from((face.dtype, None))), shape=draw(st.sampled_from((face.shape, None)))
        )
        for name, face in known.outputs.items()
    }
    if draw(st.booleans()):
        named = draw(st.sets(st.sampled_from(sorted(outputs))))
        return replace(known, outputs={name: outputs[name] for name in named}, is_whole=False)
    return replace(known, outputs=outputs)
