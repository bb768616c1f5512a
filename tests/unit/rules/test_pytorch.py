"""Message in, message out: what the genuine pytorch backend was seen to say, and how it maps names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.rules import pytorch as rules
from builder.rules.pytorch import Argument, Naming
from builder.rules.refusal import Refusal

A = Argument("a", "TensorType", "Tensor")
B = Argument("b", "TensorType", "Tensor")


def io(name: str, dtype: str = "TYPE_FP32", dims: tuple[int, ...] = (4,)) -> dict[str, Any]:
    return {"name": name, "data_type": dtype, "dims": list(dims)}


def config(*inputs: str, outputs: tuple[str, ...] = ("OUTPUT__0",), **changes: Any) -> dict[str, Any]:
    whole = {
        "name": "M",
        "max_batch_size": 8,
        "input": [io(n) for n in inputs],
        "output": [io(n) for n in outputs],
    }
    return whole | changes


def said(whole: dict[str, Any], *arguments: Argument) -> list[str]:
    return [refusal.message for refusal in rules.check(whole, arguments)]


@pytest.mark.parametrize(
    ("names", "naming", "positions"),
    [
        (["a", "b"], Naming.ARGUMENT, [0, 1]),
        (["b", "a"], Naming.ARGUMENT, [1, 0]),
        (["INPUT__0", "INPUT__1"], Naming.INDEX, [0, 1]),
        (["INPUT__1", "INPUT__0"], Naming.INDEX, [1, 0]),
        (["left__1", "right__0"], Naming.INDEX, [1, 0]),
        (["INPUT__1", "a"], Naming.CONFIG_ORDER, [0, 1]),
        (["whatever", "else"], Naming.CONFIG_ORDER, [0, 1]),
        (["a__1__0", "b__0"], Naming.CONFIG_ORDER, [0, 1]),
        (["INPUT__", "INPUT__1"], Naming.INDEX, [0, 1]),
        (["INPUT__0", "INPUT__0x"], Naming.CONFIG_ORDER, [0, 1]),
    ],
)
def test_the_first_convention_that_fits_all_names_is_taken(
    names: list[str], naming: Naming, positions: list[int]
) -> None:
    """Argument names come before indices, indices before config order, and one stray name decides."""
    assert rules.input_naming(names, ["a", "b"]) is naming
    assert rules.input_positions(names, ["a", "b"]) == dict(zip(names, positions, strict=True))


def test_outputs_know_no_argument_names() -> None:
    """One arbitrary output name is the first output, whatever it is called."""
    assert rules.output_positions(["scores"]) == {"scores": 0}
    assert rules.output_positions(["OUTPUT__1"]) == {"OUTPUT__1": 1}


@given(st.permutations(range(6)), st.text(alphabet=st.characters(exclude_characters="_"), max_size=8))
def test_indexed_names_say_their_position_in_any_order(order: list[int], text: str) -> None:
    """<text>__<index> is the position, however the config orders its inputs."""
    names = [f"{text}__{index}" for index in order]
    assert rules.input_positions(names, ["unrelated"] * 6) == dict(zip(names, order, strict=True))


@given(st.lists(st.text(max_size=8), unique=True, min_size=1, max_size=6))
def test_every_name_gets_a_position(names: list[str]) -> None:
    """Whatever the names are, each is mapped, and only indices can point beyond the inputs."""
    positions = rules.input_positions(names, ["a", "b"])
    assert list(positions) == names
    if rules.input_naming(names, ["a", "b"]) is Naming.CONFIG_ORDER:
        assert list(positions.values()) == list(range(len(names)))


@given(st.text(max_size=12))
def test_an_index_is_read_only_from_digits_after_the_first_mark(name: str) -> None:
    """A name has an index exactly when ASCII digits, or nothing, follow its first double underscore."""
    text, mark, rest = name.partition("__")
    expected = bool(mark) and all(c in "0123456789" for c in rest)
    assert (rules.index_of(name) is not None) == expected, (text, rest)


def test_a_config_that_fits_is_not_refused() -> None:
    """Two tensors, two inputs, any of the conventions."""
    for names in (("a", "b"), ("INPUT__0", "INPUT__1"), ("this", "that"), ("INPUT__1", "a")):
        assert said(config(*names), A, B) == []


@pytest.mark.parametrize(
    ("whole", "arguments", "message"),
    [
        (config(), (A,), "unable to load model 'M', configuration expects 0 inputs, model provides 1"),
        (
            config("a", "b"),
            (A,),
            "unable to load model 'M', configuration expects 2 inputs, model provides 1",
        ),
        (
            config("a", outputs=()),
            (A,),
            "model configuration must contain at least one output, none were specified.",
        ),
        (
            config("a", input=[io("a", "TYPE_BF16")]),
            (A,),
            "unsupported datatype TYPE_BF16 for input 'a' for model 'M'",
        ),
        (
            config("a", input=[io("a", "TYPE_UINT16")]),
            (A,),
            "unsupported datatype TYPE_UINT16 for input 'a' for model 'M'",
        ),
        (
            config("a", output=[io("OUTPUT__0", "TYPE_BF16")]),
            (A,),
            "unsupported datatype TYPE_BF16 for output 'OUTPUT__0' for model 'M'",
        ),
        (
            config("a", "scale"),
            (A, Argument("scale", "FloatType", "float")),
            (
                "An input of type 'float' was detected in the model. Only a single input of type Dict(str, "
                "Tensor) or input(s) of type Tensor are supported."
            ),
        ),
        (
            config("a", "mask"),
            (A, Argument("mask", "OptionalType", "Tensor?")),
            "An input of type 'Tensor?' was detected in the model.",
        ),
        (
            config("a", "extra"),
            (A, Argument("extra", "DictType", "Dict(str, Tensor)")),
            "Multiple inputs of kind DictType were detected.",
        ),
        (
            config("a", input=[io("a", "TYPE_STRING", (1,))]),
            (Argument("a", "ListType", "str[]"),),
            "Triton only supports 1 dimensional List of String as input for 'a' for model 'M'",
        ),
        (
            config("a", parameters={"INFERENCE_MODE": {"string_value": "perhaps"}}),
            (A,),
            "failed to convert 'perhaps' to boolean",
        ),
    ],
)
def test_a_config_that_does_not_fit_is_refused_in_the_backends_words(
    whole: Any, arguments: tuple[Argument, ...], message: str
) -> None:
    """Each refusal is the sentence that the genuine backend was seen to use."""
    assert any(message in one for one in said(whole, *arguments)), said(whole, *arguments)


def test_a_dict_takes_inputs_of_any_name_and_number() -> None:
    """The config's names are the keys; nothing is counted and no index is out of range."""
    found = Argument("inputs", "DictType", "Dict(str, Tensor)")
    assert said(config("anything", "INPUT__9"), found) == []


@pytest.mark.parametrize("names", [("INPUT__1",), ("INPUT__1", "INPUT__2"), ("INPUT__0", "INPUT__2")])
def test_an_index_beyond_the_inputs_would_crash_the_genuine_server(names: tuple[str, ...]) -> None:
    """INPUT__1 alone, one-based numbering and a gap are refused as crashes."""
    found = rules.check(config(*names), [A, B][: len(names)])
    assert found[0].kind == "crash"
    assert "crashes the whole server" in found[0].message


def test_a_repeated_index_is_left_to_the_request() -> None:
    """Two inputs of one position load, as they do there, and then every request fails."""
    found = rules.check(config("INPUT__0", "OTHER__0"), [A, B])
    assert [refusal.kind for refusal in found] == ["request"]
    assert "for argument 'b' but instead found type 'NoneType'" in found[0].message


def test_sequence_controls_need_indices() -> None:
    """A control is fed by position, so its name must say one."""
    start = [{"kind": "CONTROL_SEQUENCE_START", "fp32_false_true": [0, 1]}]
    controls = {"control_input": [{"name": "START", "control": start}]}
    assert "input 'START' does not follow <name>__<index> naming convention." in said(
        config("INPUT__0", sequence_batching=controls), A, B
    )
    controls = {"control_input": [{"name": "START__1", "control": start}]}
    assert said(config("INPUT__0", sequence_batching=controls), A, B) == []


def test_a_sequence_id_has_a_type_that_torch_has() -> None:
    """The id of a sequence comes in a tensor too, and torch has none of UINT64."""
    for dtype, refused in (("TYPE_UINT64", True), ("TYPE_INT64", False)):
        id_ = [{"kind": "CONTROL_SEQUENCE_CORRID", "data_type": dtype}]
        controls = {"control_input": [{"name": "CORRID__1", "control": id_}]}
        words = [f"input 'CORRID__1' type '{dtype}' is not supported by PyTorch."] if refused else []
        assert said(config("INPUT__0", sequence_batching=controls), A, B) == words


def test_each_control_counts_as_an_input() -> None:
    """Two controls that are to share a tensor are counted as two, as the backend does."""
    both = [{"kind": f"CONTROL_SEQUENCE_{kind}", "fp32_false_true": [0, 1]} for kind in ("START", "END")]
    controls = {"control_input": [{"name": "BOTH__1", "control": both}]}
    assert said(config("INPUT__0", sequence_batching=controls), A, B) == [
        "unable to load model 'M', configuration expects 3 inputs, model provides 2"
    ]


def test_a_refusal_is_a_load_refusal_unless_it_says_otherwise() -> None:
    """Most of what is refused makes the model UNAVAILABLE."""
    assert Refusal("no").kind == "load"


@pytest.mark.parametrize(
    ("whole", "wrong"),
    [
        (config("a", "b", outputs=("x", "y")), []),
        (config("a", "b", outputs=("x__0", "y__1")), []),
        (config("a", "b", outputs=("x__1", "y__0")), ["x__1", "y__0"]),
        (config("a", "b", outputs=("x__1", "y")), []),
        (config("in__1", "in__0", outputs=("x", "y")), ["in__1", "in__0"]),
    ],
)
def test_names_that_move_a_tensor_are_found(whole, wrong) -> None:
    """A tensor whose name says another place than its own is named; argument names and plain names never are."""
    messages = [refusal.message for refusal in rules.misplaced(whole, (A, B))]

    assert [message.split("'")[1] for message in messages] == wrong
