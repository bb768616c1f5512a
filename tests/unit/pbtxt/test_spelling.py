"""What a misspelt name must be, and what it may be."""

import pytest

from builder.pbtxt import spelling

FIELDS = ("name", "platform", "version_policy", "max_batch_size", "input", "output", "parameters", "backend")
TYPES = (
    "TYPE_BOOL",
    "TYPE_INT8",
    "TYPE_INT16",
    "TYPE_INT32",
    "TYPE_INT64",
    "TYPE_FP16",
    "TYPE_FP32",
    "TYPE_STRING",
)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("inputs", "input"),
        ("maxBatchSize", "max_batch_size"),
        ("nmae", "name"),
        ("bakend", "backend"),
        ("platfrom", "platform"),
        ("outpud", "output"),
    ],
)
def test_a_slip_is_seen_through(given: str, meant: str) -> None:
    """A plural, other capitals or one slip of the hand leave no doubt about the field."""
    assert spelling.meant(given, FIELDS) == meant


@pytest.mark.parametrize("given", ["min_batch_size", "version", "max_batch", "label", "in"])
def test_a_likeness_is_no_certainty(given: str) -> None:
    """A name that is only like a field is not taken for it."""
    assert spelling.meant(given, FIELDS) == ""


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("TYPE_FLOAT32", "TYPE_FP32"),
        ("fp32", "TYPE_FP32"),
        ("FP32", "TYPE_FP32"),
        ("BYTES", "TYPE_STRING"),
        ("type_int8", "TYPE_INT8"),
        ("TYPE_STRNG", "TYPE_STRING"),
    ],
)
def test_other_names_of_a_dtype_are_known(given: str, meant: str) -> None:
    """A dtype as numpy, torch or the protocol calls it is the config's."""
    assert spelling.meant_value(given, TYPES) == meant


@pytest.mark.parametrize("given", ["TYPE_INT", "TYPE_FP", "TYPE_INT6", "TYPE_FLOAT"])
def test_a_number_of_bits_is_never_guessed(given: str) -> None:
    """A dtype without its bits, or with others, has no one right spelling."""
    assert spelling.meant_value(given, TYPES) == ""
