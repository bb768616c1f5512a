"""Configs that the server core refuses, and the words it was seen to use."""

from typing import Any

X = {"name": "x", "data_type": "TYPE_FP32", "dims": [4]}
Y = X | {"name": "y"}


def refused(what: str, **changes: Any) -> tuple[dict[str, Any], str]:
    """A config with one thing wrong, and what the server says of it."""
    whole = {
        "name": "M",
        "backend": "onnxruntime",
        "max_batch_size": 4,
        "input": [X],
        "output": [Y],
    } | changes
    return {key: value for key, value in whole.items() if value is not None}, what


def tensor(what: str, io: str = "input", size: int = 4, **changes: Any) -> tuple[dict[str, Any], str]:
    """A config with one thing wrong in one tensor."""
    changed = {
        key: value for key, value in ((X if io == "input" else Y) | changes).items() if value is not None
    }
    return refused(f"model {io} {what} for M", **{io: [changed], "max_batch_size": size})


VARIABLE = "must be integer >= 1, or -1 to indicate a variable-size dimension"

CASES = {
    "another name": refused(
        "unexpected directory name 'M' for model 'N', directory name must equal model name", name="N"
    ),
    "negative batch": refused("'max_batch_size' must be non-negative value for M", max_batch_size=-1),
    "preferred beyond": refused(
        "dynamic batching preferred size must be <= max batch size for M",
        dynamic_batching={"preferred_batch_size": [8]},
    ),
    "preferred zero": refused(
        "dynamic batching preferred size must be positive for M",
        dynamic_batching={"preferred_batch_size": [0]},
    ),
    "platform": refused("unexpected platform type 'onnx' for M", platform="onnx", backend=None),
    "pair": refused(
        "unexpected 'platform' and 'backend' pair, got:pytorch_libtorch, onnxruntime",
        platform="pytorch_libtorch",
    ),
    "gpu": refused(
        "instance group M_0 of model M has kind KIND_GPU but no GPUs are available",
        instance_group=[{"kind": "KIND_GPU", "count": 1}],
    ),
    "no name": tensor("must specify 'name'", name=None),
    "no output name": tensor("must specify 'name'", "output", name=None),
    "no type": tensor("'x' must specify 'data_type'", data_type=None),
    "no output type": tensor("'y' must specify 'data_type'", "output", data_type=None),
    "no dims": tensor("'x' must specify 'dims'", dims=None),
    "dim 0": tensor(f"'x' dimension {VARIABLE}", dims=[0]),
    "dim -2": tensor(f"'y' dimension {VARIABLE}", "output", dims=[-2]),
    "image": tensor("NHWC/NCHW require 3 dims", format="FORMAT_NHWC"),
    "empty reshape": tensor(
        "'y' cannot have empty reshape for non-batching model as scalar tensors are not supported",
        "output",
        size=0,
        dims=[1],
        reshape={"shape": []},
    ),
    "empty reshape of four": tensor(
        "'y' has different size for dims and reshape", "output", reshape={"shape": []}
    ),
    "reshape": tensor("'x' has different size for dims and reshape", reshape={"shape": [3]}),
    "reshape 0": tensor(f"'x' reshape dimensions {VARIABLE}", reshape={"shape": [0]}),
    "reshape count": tensor(
        "'x' has different number of variable-size dimensions for dims and reshape",
        dims=[-1],
        reshape={"shape": [-1, -1]},
    ),
    "reshape around -1": tensor(
        "'x' has different size for dims and reshape", dims=[-1, 2], reshape={"shape": [-1, 3]}
    ),
}
