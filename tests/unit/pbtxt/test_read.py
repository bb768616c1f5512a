"""Text in, config or mistakes out."""

from typing import Any

import pytest
from google.protobuf import json_format, text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.pbtxt.read import read
from builder.pbtxt.schema import schema
from builder.spec.config_fields import unknown_to
from builder.spec.releases import release
from tests.unit.pbtxt.grammar_cases import NOT_READ, READ

DEEPEST = 4


@pytest.mark.parametrize("text", READ)
def test_what_the_server_reads_is_read(text: str) -> None:
    """No text that the server was seen to read has a mistake."""
    assert read(text).mistakes == ()
    assert read(text).value is not None


@pytest.mark.parametrize("text", NOT_READ)
def test_what_the_server_does_not_read_is_a_mistake(text: str) -> None:
    """Every text that the server was seen to refuse has a mistake, and no value."""
    assert read(text).mistakes
    assert read(text).value is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("max_batch_size: 017", {"max_batch_size": 15}),
        ("max_batch_size: -0x1F", {"max_batch_size": -31}),
        ("input { data_type: 013 }", {"input": [{"data_type": "TYPE_FP32"}]}),
        ("input { data_type: 99 }", {"input": [{"data_type": 99}]}),
        ("input { dims: 1 dims: [2, -1] }", {"input": [{"dims": [1, 2, -1]}]}),
        (r'name: "\1" "1\x4\777"', {"name": "\x011\x04\udcff"}),
        (r'name: "\ud83d\ude00é"', {"name": "😀é"}),
        ('name: "\udcff"', {"name": "\udcff"}),
        ("parameters { }", {"parameters": {"": {}}}),
        ('metric_tags { key: "a" }', {"metric_tags": {"a": ""}}),
        (
            'metric_tags { key: "a" value: "1" } metric_tags { value: "2" key: "a" }',
            {"metric_tags": {"a": "2"}},
        ),
        (
            "dynamic_batching { priority_queue_policy { key: 0x1 value {} } }",
            {"dynamic_batching": {"priority_queue_policy": {"1": {}}}},
        ),
    ],
)
def test_a_value_is_what_protobuf_makes_of_it(text: str, value: dict[str, Any]) -> None:
    """Numbers, texts, lists and maps have the value that the C++ parser gives them."""
    assert read(text).value == value


def messages(descriptor: Any, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Messages as protobuf's JSON, with some of their fields, and one of a oneof at most."""
    fields = {
        field.name: values(field, depth)
        for field in descriptor.fields
        if depth < DEEPEST or field.message_type is None
    }

    def one_of_each(found: dict[str, Any]) -> dict[str, Any]:
        chosen = {oneof.name: oneof for oneof in descriptor.oneofs}
        for oneof in chosen.values():
            given_here = [field.name for field in oneof.fields if field.name in found]
            for name in given_here[1:]:
                del found[name]
        return found

    return st.fixed_dictionaries({}, optional=fields).map(one_of_each)


def values(field: Any, depth: int) -> st.SearchStrategy[Any]:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        keys = (
            st.text("ab", max_size=2) if field.message_type.fields[0].cpp_type == 9 else st.sampled_from("12")
        )
        return st.dictionaries(keys, values(message.fields_by_name["value"], depth), max_size=2)
    one = messages(message, depth + 1) if message is not None else scalars(field)
    return st.lists(one, max_size=2) if field.is_repeated else one


def scalars(field: Any) -> st.SearchStrategy[Any]:
    return {
        field.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
        field.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
        field.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
        field.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
        field.CPPTYPE_BOOL: st.booleans(),
        field.CPPTYPE_FLOAT: st.floats(width=32, allow_nan=False, allow_infinity=False),
        field.CPPTYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
        field.CPPTYPE_STRING: st.text(max_size=5),
        field.CPPTYPE_ENUM: st.sampled_from(
            sorted(field.enum_type.values_by_name if field.enum_type else "-")
        ),
    }[field.cpp_type]


@settings(deadline=None)
@given(messages(schema().ModelConfig.DESCRIPTOR))
def test_a_config_survives_being_written_and_read(value: dict[str, Any]) -> None:
    """Whatever a config says, its text is read back as the same message."""
    message = json_format.ParseDict(value, schema().ModelConfig())

    found = read(text_format.MessageToString(message))

    assert found.mistakes == ()
    assert json_format.ParseDict(found.value, schema().ModelConfig()) == message


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("model_metrics { }", "24.11"),
        ("input { is_non_linear_format_io: true }", "24.08"),
        ("ensemble_scheduling { max_inflight_requests: 1 }", "25.11"),
        ("sequence_batching { oldest { preserve_ordering: true } }", "23.09"),
        ("input { data_type: TYPE_BF16 }", "22.05"),
    ],
)
def test_what_came_later_is_told_with_its_release(text: str, since: str) -> None:
    """A field or value that the release does not have is a mistake of its own, and none from its own release on."""
    before, after = (read(text, unknown=unknown_to(release(name))) for name in ("22.01", since))

    assert [(mistake.code, since in mistake.message) for mistake in before.mistakes] == [("C106", True)]
    assert after.mistakes == ()


def test_a_value_by_its_number_needs_no_release() -> None:
    """protobuf takes a number that it has no name for."""
    found = read("input { data_type: 14 }", unknown=unknown_to(release("22.01")))
    assert found.value == {"input": [{"data_type": 14}]}


def test_every_part_has_its_place() -> None:
    """Fields, positions in lists and keys of maps lead to their text."""
    text = 'input { dims: [1, 2] }\nmodel_warmup { inputs { key: "x" value { dims: 3 } } }'
    places = read(text).places

    def at(*path: str | int) -> str:
        return text[places[path].start : places[path].end]

    assert at("input", 0, "dims", 1) == "2"
    assert at("model_warmup", 0, "inputs", "x", "dims") == "dims: 3"
    assert at("model_warmup", 0, "inputs", "x").startswith("{ key")


def test_an_entry_of_a_map_has_the_places_of_its_key_and_value() -> None:
    """The fields of an entry are found below its key, wherever they stand."""
    text = 'metric_tags {\n  value: "b"\n  key: "a"\n}'
    found = read(text)

    parts = {path[-1]: text[span.start : span.end] for path, span in found.places.items() if len(path) > 2}
    assert parts == {"key": 'key: "a"', "value": 'value: "b"'}


def test_the_earlier_of_two_entries_is_overridden() -> None:
    """The last entry of a key counts, its place too, and the others are told of."""
    one, two = 'metric_tags { key: "a" value: "1" }', 'metric_tags { key: "a" value: "2" }'
    found = read(f"{one} {two}")

    assert found.value == {"metric_tags": {"a": "2"}}
    assert [path for path, _ in found.overridden] == [("metric_tags", "a")]
    assert found.overridden[0][1].start < len(one) < found.places["metric_tags", "a"].start
    assert found.places["metric_tags", "a", "value"].start > len(one)
