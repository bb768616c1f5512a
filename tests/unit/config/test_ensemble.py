"""The config of a pipeline."""

import pytest

from builder import wiring
from builder.config.ensemble import make_ensemble
from builder.spec.model_config import ConfigTensor, ModelConfig
from builder.spec.project import Output, Pipeline, Step
from builder.spec.tensors import Dim
from builder.wiring import Known
from tests.unit.wiring.values import FP32, known


def config(first: Known, second: Known) -> ModelConfig:
    """Return the config of two steps, one behind the other."""
    pipeline = Pipeline(
        inputs=("x",),
        steps=(Step(model="first", map={"y": "between"}), Step(model="second", map={"x": "between"})),
        outputs={"y": Output()},
    )
    models = {"first": first, "second": second}
    assert wiring.mistakes(pipeline, models) == ()
    return make_ensemble(wiring.wire("both", pipeline, models))


def model(*shape: Dim, batch: int) -> Known:
    return known({"x": (FP32, shape)}, {"y": (FP32, shape)}, batch=batch)


def dims(one: ModelConfig) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    return one.max_batch_size, one.inputs[0].dims, one.outputs[0].dims


def test_a_pipeline_is_an_ensemble() -> None:
    """It has a platform and steps, names no version of them, and has nothing that an ensemble cannot have."""
    one = config(model("batch", 4, batch=8), model("batch", 4, batch=2))

    assert (one.platform, one.backend, one.num_versions) == ("ensemble", "", 1)
    assert one.instance_group == ()
    assert one.dynamic_batching is None
    assert one.warmups == ()
    assert one.inputs == (ConfigTensor(name="x", dtype=FP32, dims=(4,)),)
    assert [(step.model_name, step.model_version) for step in one.steps] == [("first", -1), ("second", -1)]
    assert [(step.input_map, step.output_map) for step in one.steps] == [
        ({"x": "x"}, {"y": "between"}),
        ({"x": "between"}, {"y": "y"}),
    ]


@pytest.mark.parametrize(
    ("shape", "batches", "expected"),
    [
        (("batch", 4), (8, 2), (2, (4,), (4,))),
        (("batch", 4), (8, 0), (0, (-1, 4), (-1, 4))),
        (("batch", "n"), (8, 2), (2, (-1,), (-1,))),
        (("batch",), (8, 2), (2, (1,), (1,))),
        ((3, 4), (0, 0), (0, (3, 4), (3, 4))),
        (("n",), (0, 0), (0, (-1,), (-1,))),
    ],
    ids=["batch", "one does not batch", "an axis", "the batch alone", "fixed", "no batch"],
)
def test_dims_leave_out_the_batch_where_all_steps_batch(
    shape: tuple[Dim, ...], batches: tuple[int, int], expected: tuple[int, tuple[int, ...], tuple[int, ...]]
) -> None:
    """The batch is the first dim of a pipeline that does not batch, and no dim of one that does."""
    first, second = (model(*shape, batch=batch) for batch in batches)

    assert dims(config(first, second)) == expected


def test_the_batch_alone_has_a_dim_behind_it() -> None:
    """What a model that batches has as nothing but the batch is [batch, 1] to who does not batch."""
    batched = known({"x": (FP32, ("batch",))}, {"y": (FP32, ("batch", 4))})

    one = config(batched, known({"x": (FP32, ("n", 4))}, {"y": (FP32, ("n",))}, batch=0))

    assert dims(one) == (0, (-1, 1), (-1,))
