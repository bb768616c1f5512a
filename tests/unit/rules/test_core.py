"""Message in, message out: what the server core was seen to say of a config."""

from typing import Any

import pytest

from builder.rules import core
from tests.unit.rules.core_cases import CASES, X, Y


@pytest.mark.parametrize(("config", "message"), CASES.values(), ids=CASES)
def test_one_mistake_gets_the_cores_sentence(config: dict[str, Any], message: str) -> None:
    """Each mistake alone is refused once, in the words of the server core."""
    assert [refusal.message for refusal in core.check(config, folder="M")] == [message]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"name": ""},
        {"platform": "onnxruntime_onnx"},
        {"dynamic_batching": {"preferred_batch_size": [2, 4]}},
        {"output": [Y | {"dims": [1], "reshape": {"shape": []}}]},
        {"input": [X | {"dims": [-1, 4], "reshape": {"shape": [-1, 2, 2]}}]},
        {"instance_group": [{"kind": "KIND_CPU", "count": 2}]},
    ],
)
def test_what_the_core_takes_is_not_refused(more: dict[str, Any]) -> None:
    """A sound config, with or without the optional parts, gets no refusal."""
    config = {"name": "M", "backend": "onnxruntime", "max_batch_size": 4, "input": [X], "output": [Y]}
    assert core.check(config | more, folder="M") == []


def test_a_gpu_group_is_fine_where_there_is_a_gpu() -> None:
    """The refusal is the host's, not the config's."""
    config, _ = CASES["gpu"]
    assert core.check(config, folder="M", has_gpu=True) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "x" * 256])
def test_a_name_that_no_folder_can_have_is_refused(name: str) -> None:
    """A model's name is its folder's."""
    assert core.name_refusal(name) is not None
    assert core.name_refusal("digits-v2.onnx") is None
