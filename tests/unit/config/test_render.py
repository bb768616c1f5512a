"""Text of config.pbtxt, read back with Triton's own schema."""

import sys
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from builder.config.render import pb_string, render
from builder.pbtxt.schema import parse
from builder.spec.dtypes import DType
from builder.spec.model_config import (
    ConfigTensor,
    DynamicBatching,
    InstanceGroup,
    ModelConfig,
    Warmup,
    WarmupInput,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
dims = st.lists(st.integers(-1, 2**40).filter(bool), min_size=1, max_size=4).map(tuple)
counts = st.integers(0, 2**31 - 1)
tensors = st.builds(
    ConfigTensor,
    name=texts,
    dtype=st.sampled_from(DType),
    dims=dims,
    reshape=st.none() | st.just(()) | dims,
)
warmup_inputs = st.builds(WarmupInput, dtype=st.sampled_from(DType), dims=dims, data_file=st.none() | texts)
configs = st.builds(
    ModelConfig,
    name=texts,
    backend=texts,
    platform=texts,
    max_batch_size=counts,
    inputs=st.lists(tensors, max_size=3).map(tuple),
    outputs=st.lists(tensors, max_size=3).map(tuple),
    instance_group=st.lists(
        st.builds(
            InstanceGroup,
            kind=st.sampled_from(["KIND_AUTO", "KIND_CPU", "KIND_GPU"]),
            count=counts,
            gpus=st.lists(st.integers(0, 99), max_size=3).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    dynamic_batching=st.none()
    | st.builds(
        DynamicBatching,
        preferred_batch_size=st.lists(counts, max_size=3).map(tuple),
        max_queue_delay_microseconds=st.integers(0, 2**64 - 1),
    ),
    num_versions=st.integers(0, 2**32 - 1),
    parameters=st.dictionaries(texts, texts, max_size=3),
    warmups=st.lists(
        st.builds(
            Warmup,
            name=texts,
            batch_size=counts,
            count=counts,
            inputs=st.dictionaries(texts, warmup_inputs, max_size=2),
        ),
        max_size=2,
    ).map(tuple),
)


def as_said(text: str) -> dict[str, Any]:
    """The config as Triton's JSON, in which 64-bit numbers are text and what was not said is absent."""
    return dict(json_format.MessageToDict(parse(text), preserving_proto_field_name=True))


@given(configs)
def test_what_is_rendered_reads_back_as_it_was_meant(config: ModelConfig) -> None:
    """Any names, quotes, newlines and numbers come out of Triton's parser as they went in."""
    said = as_said(render(config))

    assert said.get("name", "") == config.name
    assert {k: v.get("string_value", "") for k, v in said.get("parameters", {}).items()} == config.parameters
    assert [one.get("name", "") for one in said.get("input", [])] == [one.name for one in config.inputs]
    assert [tuple(map(int, one["dims"])) for one in said.get("output", [])] == [
        one.dims for one in config.outputs
    ]
    assert ["reshape" in one for one in said.get("output", [])] == [
        one.reshape is not None for one in config.outputs
    ]
    assert ("dynamic_batching" in said) == (config.dynamic_batching is not None)
    assert [one.get("batch_size", 0) for one in said.get("model_warmup", [])] == [
        one.batch_size for one in config.warmups
    ]


@given(texts)
def test_a_quoted_string_is_one_line(text: str) -> None:
    """No newline of a value can begin a new field."""
    assert "\n" not in pb_string(text)


def test_text_outside_ascii_stays_readable() -> None:
    """A name is written as it is, not as escapes."""
    assert pb_string("größe") == '"größe"'


def test_text_that_says_something_else_is_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that drops a field cannot get past the comparison."""
    config = ModelConfig(name="m", backend="onnxruntime", max_batch_size=1, inputs=(), outputs=())
    monkeypatch.setattr(
        sys.modules["builder.config.render"],
        "parse",
        lambda text: parse(text.replace("max_batch_size: 1", "")),
    )
    with pytest.raises(AssertionError, match="max_batch_size"):
        render(config)
