"""Message in, message out: what the genuine onnxruntime backend was seen to say."""

from typing import Any

import pytest

from builder.rules import onnxruntime as rules
from builder.rules.refusal import ModelTensor, Refusal

X = ModelTensor("x", "tensor(float)", (-1, 4))
Y = ModelTensor("y", "tensor(float)", (-1, 2))


def io(name: str, dims: list[int], dtype: str = "TYPE_FP32", **more: Any) -> dict[str, Any]:
    return {"name": name, "data_type": dtype, "dims": dims, **more}


def config(**changes: Any) -> dict[str, Any]:
    whole = {"name": "M", "max_batch_size": 8, "input": [io("x", [4])], "output": [io("y", [2])]}
    return whole | changes


def parameter(key: str, value: str) -> dict[str, Any]:
    return {"parameters": {key: {"string_value": value}}}


def accelerator(kind: str, name: str) -> dict[str, Any]:
    wanted = {f"{kind}_execution_accelerator": [{"name": name}]}
    return {"optimization": {"execution_accelerators": wanted}}


def said(*, inputs: Any = (X,), outputs: Any = (Y,), initializers: Any = (), **changes: Any) -> list[str]:
    found = rules.check(config(**changes), inputs, outputs, initializers=initializers)
    return [refusal.message for refusal in found]


def test_a_config_that_fits_is_not_refused() -> None:
    """A config that says what the model says is served."""
    assert said() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": [io("inp", [4])]}, "unexpected inference input 'inp', allowed inputs are: x"),
        ({"input": [io("X", [4])]}, "unexpected inference input 'X', allowed inputs are: x"),
        ({"output": [io("z", [2])]}, "unexpected inference output 'z', allowed outputs are: y"),
        (
            {"input": [io("x", [4], "TYPE_FP16")]},
            "configuration expects datatype TYPE_FP16 for input 'x', model provides TYPE_FP32",
        ),
        (
            {"output": [io("y", [2], "TYPE_FP64")]},
            "configuration expects datatype TYPE_FP64 for output 'y', model provides TYPE_FP32",
        ),
        (
            {"input": [io("x", [4], "TYPE_BF16")]},
            "unsupported datatype TYPE_BF16 for input 'x' for model 'M'",
        ),
        (
            {"input": [io("x", [5])]},
            (
                "model 'M', tensor 'x': the model expects 2 dimensions (shape [-1,4]) but the model "
                "configuration specifies 2 dimensions (an initial batch dimension because max_batch_size > 0 "
                "followed by the explicit tensor shape, making complete shape [-1,5])"
            ),
        ),
        (
            {"max_batch_size": 0},
            (
                "model 'M', tensor 'x': the model expects 2 dimensions (shape [-1,4]) but the model "
                "configuration specifies 1 dimensions (shape [4])"
            ),
        ),
        ({"input": [io("x", [-1])]}, "making complete shape [-1,-1])"),
        ({"output": [io("y", [-1])]}, "making complete shape [-1,-1])"),
        ({"output": [io("y", [2, 1])]}, "specifies 3 dimensions"),
        (
            {"input": [io("x", [4]), io("x", [4])]},
            "unable to load model 'M', configuration expects 2 inputs, model provides 1",
        ),
        ({"input": []}, "unable to load model 'M', configuration expects 0 inputs, model provides 1"),
        (
            {"input": [io("x", [4], optional=True)], "max_batch_size": 8},
            "optional input 'x' is not supported for models that support batching",
        ),
        (parameter("intra_op_thread_count", "two"), "failed to convert 'two' to integral number"),
        (parameter("enable_mem_arena", "perhaps"), "failed to convert 'perhaps' to boolean"),
        (parameter("execution_mode", "2"), "Expected values for  execution_mode are 0 or 1 but got 2 ."),
        (
            {
                "optimization": {
                    "execution_accelerators": {"cpu_execution_accelerator": [{"name": "openvino"}]}
                }
            },
            "unknown Execution Accelerator 'openvino' is requested",
        ),
    ],
)
def test_a_config_that_does_not_fit_is_refused_in_the_backends_words(changes: Any, message: str) -> None:
    """Each mismatch between config and model gets the sentence that the genuine backend was seen to use."""
    assert any(message in one for one in said(**changes)), said(**changes)


@pytest.mark.parametrize(
    ("changes", "model"),
    [
        ({"output": []}, {}),
        ({"input": [io("x", [7])]}, {"inputs": [ModelTensor("x", "tensor(float)", (-1, -1))]}),
        (
            {"output": [io("y", [1], reshape={"shape": []})]},
            {"outputs": [ModelTensor("y", "tensor(float)", (-1,))]},
        ),
        ({"output": [io("y", [1])]}, {"outputs": [ModelTensor("y", "tensor(float)", ())]}),
        ({}, {"initializers": [ModelTensor("w", "tensor(float)", (4, 2))]}),
        (
            {
                "max_batch_size": 0,
                "input": [io("x", [-1, 4]), io("w", [4, 2], optional=True)],
                "output": [io("y", [-1, 2])],
            },
            {"initializers": [ModelTensor("w", "tensor(float)", (4, 2))]},
        ),
        ({"output": [io("y", [2]), io("y", [2])]}, {}),
        (parameter("some_key", "two"), {}),
        (accelerator("gpu", "tensorrt"), {}),
    ],
    ids=[
        "fewer outputs", "number for -1", "empty reshape", "scalar output", "initialiser left out",
        "optional initialiser", "one output twice", "unknown parameter", "tensorrt on a CPU",
    ],
)  # fmt: skip
def test_what_the_genuine_backend_loads_is_not_refused(changes: Any, model: Any) -> None:
    """A config that the genuine backend was seen to load gets no refusal."""
    assert said(**changes, **model) == []


def test_batching_needs_a_free_first_axis() -> None:
    """Even max_batch_size 1 is refused for a static first axis of 1."""
    fixed = ModelTensor("x", "tensor(float)", (1, 4))
    assert (
        "model 'M', tensor 'x': for the model to support batching the shape should have at least 1 dimension "
        "and the first dimension must be -1; but shape expected by the model is [1,4]"
    ) in said(inputs=[fixed], max_batch_size=1)


def test_dims_of_one_do_not_stand_for_a_batch_only_output() -> None:
    """An output with the batch axis alone needs the empty reshape."""
    assert (
        "making complete shape [-1,1])"
        in said(outputs=[ModelTensor("y", "tensor(float)", (-1,))], output=[io("y", [1])])[0]
    )


def test_an_output_of_unknown_rank_counts_as_a_scalar() -> None:
    """Anything but dims of 1 is refused for it."""
    assert (
        "scalar tensor 'y', should only provide 1" in said(outputs=[ModelTensor("y", "tensor(float)", ())])[0]
    )


START = ModelTensor("START", "tensor(float)", (-1, 1))


def of_sequences(**control: Any) -> dict[str, Any]:
    one = {"kind": "CONTROL_SEQUENCE_START", **(control or {"fp32_false_true": [0, 1]})}
    return {"sequence_batching": {"control_input": [{"name": "START", "control": [one]}]}}


@pytest.mark.parametrize(
    ("graph", "control", "message"),
    [
        (START, {}, None),
        (
            START._replace(name="start"),
            {},
            "configuration specified sequence control 'START', but model does not provide that input",
        ),
        (
            START._replace(shape=(-1,)),
            {},
            "unable to load model 'M', sequence control 'START' in model has dims [] but dims [1] is expected",
        ),
        (
            START._replace(shape=(-1, -1)),
            {},
            "unable to load model 'M', sequence control 'START' in model has dims [-1] but dims [1] is expected",
        ),
        (
            START,
            {"int32_false_true": [0, 1]},
            (
                "unable to load model 'M', sequence control 'START', the model expects data-type FLOAT but the "
                "model configuration specifies data-type TYPE_INT32"
            ),
        ),
    ],
)
def test_a_control_of_sequences_is_an_input_of_the_graph(
    graph: ModelTensor, control: dict[str, Any], message: str | None
) -> None:
    """It has the control's name and type, and one axis of size 1."""
    assert said(inputs=(X, graph), **of_sequences(**control)) == ([message] if message else [])


def test_a_sequence_of_tensors_is_refused() -> None:
    """A sequence output is refused although the config says nothing of it."""
    assert ("Unsupported ONNX Type 'ONNX_TYPE_SEQUENCE' for I/O 's', expected 'ONNX_TYPE_TENSOR'.") in said(
        outputs=[Y, ModelTensor("s", "seq(tensor(float))", ())]
    )


def test_bf16_is_carried_from_the_release_that_carries_it() -> None:
    """The same bfloat16 model is refused before 26.03 and served from then on."""
    tensors = [ModelTensor("x", "tensor(bfloat16)", (-1, 4))], [ModelTensor("y", "tensor(bfloat16)", (-1, 2))]
    whole = config(input=[io("x", [4], "TYPE_BF16")], output=[io("y", [2], "TYPE_BF16")])

    assert rules.check(whole, *tensors, bf16=True) == []
    assert rules.check(whole, *tensors, bf16=False) != []


@pytest.mark.parametrize(
    ("opset", "ir", "message"),
    [
        (21, 10, None),
        (21, 11, "Unsupported model IR version: 11, max supported IR version: 10"),
        (22, 10, "Opset 22 is under development"),
        (22, 10, "Current official support for domain ai.onnx is till opset 21."),
        (None, None, None),
    ],
)
def test_the_limits_are_those_of_the_target(opset: int | None, ir: int | None, message: str | None) -> None:
    """A file stamped above the target's opset or IR version is refused in ONNX Runtime's words."""
    found = [refusal.message for refusal in rules.over_limits(opset=opset, ir=ir, max_opset=21, max_ir=10)]
    assert found == [] if message is None else any(message in one for one in found)


def completed(given: dict[str, Any], inputs: Any = (X,), outputs: Any = (Y,)) -> Any:
    return rules.auto_complete({"name": "M", "max_batch_size": 0} | given, inputs, outputs)


def test_an_empty_config_is_completed_for_batching() -> None:
    """Free first axes give batches of 4, dims without the batch axis, and dynamic batching."""
    assert completed({}) == {
        "max_batch_size": 4,
        "dynamic_batching": {},
        "input": [io("x", [4])],
        "output": [io("y", [2])],
    }


def test_a_given_batch_size_stays() -> None:
    """16 stays 16; 1 stays 1 and gets no dynamic batching."""
    assert completed({"max_batch_size": 16})["max_batch_size"] == 16
    assert "dynamic_batching" not in completed({"max_batch_size": 1})


def test_a_static_first_axis_completes_without_batching() -> None:
    """The dims are then the whole shape."""
    found = completed({}, inputs=[ModelTensor("x", "tensor(float)", (1, 4))])
    assert found == {"input": [io("x", [1, 4])], "output": [io("y", [-1, 2])]}


def test_batching_a_static_axis_fails_the_completion() -> None:
    """A batch size asked for and a static first axis contradict each other."""
    found = completed({"max_batch_size": 8}, inputs=[ModelTensor("x", "tensor(float)", (1, 4))])
    assert isinstance(found, Refusal)
    assert found.message == (
        "autofill failed for model 'M': model does not support batching while non-zero max_batch_size is specified"
    )


def test_nothing_is_completed_where_nothing_is_missing() -> None:
    """With both sections there not even dynamic batching is added."""
    assert rules.auto_complete(config(), [X], [Y]) == {}


def test_only_the_missing_section_is_completed() -> None:
    """Inputs that are there are kept as they are."""
    assert "input" not in completed({"input": [io("x", [4])]})
    assert completed({"input": [io("x", [4])]})["output"] == [io("y", [2])]


def test_a_batch_only_output_is_completed_with_an_empty_reshape() -> None:
    """Dims may not be empty, so they are 1, taken back by the reshape."""
    found = completed({}, outputs=[ModelTensor("y", "tensor(float)", (-1,))])
    assert found["output"] == [io("y", [1], reshape={"shape": []})]
