"""Pipelines at random, merged and not."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder.export.fused import fused_wiring, groups, merge
from builder.spec.pipeline import Wired
from builder.spec.releases import release
from tests.unit.export.fused.zoo import assert_same, composed, onnx_file, pipeline, row, rows

GRAPHS = {
    "one": ("p", "s", "s = MatMul (p, w)"),
    "two": ("p q", "s", "v = Sub (p, q) s = Add (v, w)"),
    "both": ("p q", "s t", "s = Mul (p, w) t = Tanh (q)"),
}
"""Inputs, outputs and operators of the models that steps are made of; all have a weight `w`."""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        model: onnx_file(
            folder / model, f"g ({_list(takes)}) => ({_list(makes)}) {{ {text} }}", {"w": rows(4, 4)}
        )
        for model, (takes, makes, text) in GRAPHS.items()
    }


def _list(names: str) -> str:
    return ", ".join(f"float[4,4] {name}" for name in names.split())


@st.composite
def pipelines(draw) -> Wired:
    """Up to seven steps, a third of them standing for functions; each reads what is there before it."""
    there, steps = ["x", "z"], []
    for place in range(draw(st.integers(2, 7))):
        model = draw(st.sampled_from(sorted(GRAPHS)))
        takes, makes, _ = GRAPHS[model]
        steps.append(
            row(
                model,
                takes,
                makes,
                name=f"{model}#{place}",
                backend=draw(st.sampled_from(["onnxruntime", "onnxruntime", "python"])),
                reads={name: draw(st.sampled_from(there)) for name in takes.split()},
                gives={name: f"{name}{place}" for name in makes.split()},
            )
        )
        there += steps[-1].outputs.values()
    read = {tensor for one in steps for tensor in one.inputs.values()}
    given_out = draw(st.sets(st.sampled_from(there[2:]), min_size=1))
    outputs = [name for name in there[2:] if name in given_out or name not in read]
    return pipeline(" ".join(name for name in ("x", "z") if name in read), steps, " ".join(outputs))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(wired=pipelines())
def test_any_pipeline_answers_the_same_when_merged(wired, files, tmp_path) -> None:
    """Whatever is merged: the pipeline that is left can run, and clients get the same."""
    found = groups(wired)
    names = [f"fused{place}" for place in range(len(found))]
    merged = {
        name: merge(group, wired, files, tmp_path / name, release("24.10")).path
        for name, group in zip(names, found, strict=True)
    }
    after = fused_wiring(wired, found, names)
    feed = {name: rows(4, 4, seed=place) for place, name in enumerate(wired.inputs)}

    assert_same(composed(after, {**files, **merged}, feed), composed(wired, files, feed))
    assert len(after.steps) == len(wired.steps) - sum(len(group) - 1 for group in found)


@given(wired=pipelines())
def test_neighbours_are_not_left_apart(wired) -> None:
    """In the pipeline that is left, no two groups or graphs could follow each other and be one."""
    found = groups(wired)
    after = fused_wiring(wired, found, [f"fused{place}" for place in range(len(found))])

    assert groups(after) == ()
