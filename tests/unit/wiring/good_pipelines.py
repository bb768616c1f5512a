"""Pipelines without mistakes, of every shape."""

from builder.spec.project import Output, Pipeline, Step
from tests.unit.wiring.values import FP32, INT64, STRING, known

TOKENS = known({"text": (STRING, ("batch", 1))}, {"ids": (INT64, ("batch", "length"))}, backend="python")
ENCODER = known(
    {"ids": (INT64, ("rows", "seq"))}, {"vector": (FP32, ("rows", 8))}, batch=4, batch_axis="rows"
)
SCALE = known({"vector": (FP32, ("batch", 8))}, {"vector": (FP32, ("batch", 8))}, batch=16)
HEAD = known({"vector": (FP32, ("n", 8))}, {"score": (FP32, ("n", 1))}, batch_axis="n")
JOIN = known({"a": (FP32, ("batch", 8)), "b": (FP32, ("batch", 8))}, {"c": (FP32, ("batch", 8))}, batch=2)
PAIR = known({"v": (FP32, ("batch", 8))}, {"a": (FP32, ("batch", 8)), "b": (FP32, ("batch", 8))})
ALONE = known({"vector": (FP32, ("rows", 8))}, {"score": (FP32, ("rows", 1))}, batch=0)
MODELS = {
    "tokens": TOKENS,
    "encoder": ENCODER,
    "scale": SCALE,
    "head": HEAD,
    "join": JOIN,
    "pair": PAIR,
    "alone": ALONE,
}


def pipeline(inputs: str, outputs: str, *steps: str | Step) -> Pipeline:
    """Return a pipeline; names of tensors stand one behind the other."""
    made = tuple(Step(model=step) if isinstance(step, str) else step for step in steps)
    return Pipeline(
        inputs=tuple(inputs.split()), steps=made, outputs={name: Output() for name in outputs.split()}
    )


CHAIN = pipeline("text", "score", "tokens", "encoder", "head")
FAN_OUT = pipeline("v", "c", "pair", "join")
DIAMOND = pipeline(
    "vector",
    "c",
    Step(model="scale", outputs={"vector": "scaled"}),
    Step(model="scale", map={"vector": "scaled"}, outputs={"vector": "left"}),
    Step(model="scale", map={"vector": "scaled"}, outputs={"vector": "right"}),
    Step(model="join", map={"a": "left", "b": "right"}),
)
ONE_TWICE = pipeline("vector", "c", Step(model="join", map={"a": "vector", "b": "vector"}))
WITHOUT_BATCH = pipeline("text", "score", "tokens", "encoder", "alone")
SIDE_OUTPUT = pipeline("text", "vector score", "tokens", "encoder", "head")
LEFT_OUT = pipeline("v", "score", "pair", Step(model="head", map={"vector": "a"}))
GOOD = {
    "chain": CHAIN,
    "fan out and in": FAN_OUT,
    "diamond": DIAMOND,
    "one tensor read twice": ONE_TWICE,
    "a step that does not batch": WITHOUT_BATCH,
    "an output that is read": SIDE_OUTPUT,
    "an output that nobody reads": LEFT_OUT,
}
