from builder.compare import tolerances
from builder.spec.dtypes import DType
from builder.spec.project import Input, Model, Output, Parity, Tolerance
from builder.spec.tensors import Signature, Tensor

SIGNATURE = Signature(
    inputs=(Tensor(name="x", dtype=DType.FP32, shape=("batch", 4)),),
    outputs=(
        Tensor(name="scores", dtype=DType.FP32, shape=("batch", 10)),
        Tensor(name="half", dtype=DType.FP16, shape=("batch", 10)),
        Tensor(name="label", dtype=DType.INT64, shape=("batch",)),
    ),
)


def model(parity: Parity, **outputs: Tolerance) -> Model:
    return Model(
        source="m:load",
        inputs={"x": Input(dtype=DType.FP32, shape=("batch", 4))},
        outputs={name: Output(parity=tolerance) for name, tolerance in outputs.items()},
        parity=parity,
    )


def test_each_dtype_has_its_default():
    """Without any word in the spec fp16 is looser than fp32, and whole numbers are exact."""
    found = tolerances(model(Parity()), SIGNATURE)

    assert (found["scores"].rtol, found["scores"].atol) == (1e-3, 1e-5)
    assert (found["half"].rtol, found["half"].atol) == (1e-2, 1e-3)
    assert (found["label"].rtol, found["label"].atol) == (0.0, 0.0)


def test_the_output_wins_over_the_model_and_the_model_over_the_dtype():
    """An output's own rtol stands, and what it leaves open comes from the model, then from the dtype."""
    found = tolerances(model(Parity(rtol=1e-4, top_k=3), scores=Tolerance(rtol=0.5)), SIGNATURE)

    assert found["scores"] == Tolerance(rtol=0.5, atol=1e-5, top_k=3)
    assert found["half"] == Tolerance(rtol=1e-4, atol=1e-3, top_k=3)


def test_the_models_tolerance_is_not_for_whole_numbers():
    """A model-wide rtol does not loosen an integer output; an entry of its own does."""
    assert tolerances(model(Parity(rtol=0.1)), SIGNATURE)["label"].rtol == 0.0
    assert tolerances(model(Parity(), label=Tolerance(atol=1.0)), SIGNATURE)["label"].atol == 1.0
