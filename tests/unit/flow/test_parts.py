"""What the repository has of a pipeline's steps."""

from pathlib import Path

import pytest

from builder.errors import RepositoryError
from builder.flow.parts import part_of
from builder.spec.dtypes import DType
from builder.spec.tensors import Tensor

TENSORS = 'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } output { name: "y" data_type: TYPE_INT64 dims: [ -1 ] }'


def theirs(root: Path, config: str) -> Path:
    """Write a model that trb did not make."""
    (root / "theirs" / "1").mkdir(parents=True)
    (root / "theirs" / "1" / "model.onnx").touch()
    (root / "theirs" / "config.pbtxt").write_text(config)
    return root


def test_a_model_that_trb_did_not_make_is_what_its_config_says(tmp_path: Path) -> None:
    """Its tensors have the batch axis that config.pbtxt leaves out."""
    part = part_of(theirs(tmp_path, f'backend: "onnxruntime" max_batch_size: 8 {TENSORS}'), "theirs", None)

    assert part.signature.inputs == (Tensor(name="x", dtype=DType.FP32, shape=("batch", 4)),)
    assert part.signature.outputs == (Tensor(name="y", dtype=DType.INT64, shape=("batch", "y_dim0")),)


@pytest.mark.parametrize(
    "config",
    ['backend: "onnxruntime"', TENSORS.partition("output")[0], TENSORS.replace("data_type: TYPE_FP32", "")],
    ids=["nothing", "no outputs", "no data type"],
)
def test_a_config_that_leaves_tensors_to_the_server_is_no_step(config: str, tmp_path: Path) -> None:
    """What a server would complete nobody can join to: the error says what to write where."""
    with pytest.raises(RepositoryError, match="does not name all inputs and outputs of theirs") as caught:
        part_of(theirs(tmp_path, config), "theirs", None)

    assert "config.pbtxt" in caught.value.what
    assert "`data_type`" in caught.value.fix


def test_a_config_that_cannot_be_read_is_no_step(tmp_path: Path) -> None:
    """What is no config.pbtxt is an error with its path, and the way to its place."""
    with pytest.raises(RepositoryError, match="cannot be read") as caught:
        part_of(theirs(tmp_path, "inputs {"), "theirs", None)

    assert caught.value.fix.startswith("`trb lint")
