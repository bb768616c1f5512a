"""Values as JSON and back."""

import json
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.spec.artifact import BatchProof
from builder.spec.dtypes import DType
from builder.spec.loaded import Fingerprint
from builder.spec.plain import dump, from_plain, to_plain
from builder.spec.record import VersionRecord
from builder.spec.results import OutputGap
from builder.spec.tensors import Tensor
from tests.unit.repository.values import record

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.builds(
        Tensor,
        name=texts,
        dtype=st.sampled_from(DType),
        shape=st.lists(st.integers() | texts, max_size=4).map(tuple),
    )
    | st.builds(
        OutputGap,
        name=texts,
        passed=st.booleans(),
        compared=st.integers(),
        max_abs=st.floats(allow_nan=False),
        needed_rtol=st.floats(allow_nan=False),
        worst_index=st.lists(st.integers()).map(tuple),
        worst_want=st.none() | st.floats(allow_nan=False),
    )
    | st.builds(
        Fingerprint,
        entry_sha256=texts,
        files=st.dictionaries(texts, texts),
        packages=st.dictionaries(texts, texts),
    )
    | st.builds(
        BatchProof,
        max_batch_size=st.integers(),
        reason=texts,
        sizes=st.lists(st.dictionaries(texts, st.integers())).map(tuple),
        row_gap=st.none() | st.floats(allow_nan=False),
    )
)
def test_a_value_comes_back_as_it_was(value: Tensor | OutputGap | Fingerprint | BatchProof) -> None:
    """Text is equal exactly when values are: dump, read and compare."""
    assert from_plain(type(value), json.loads(dump(value))) == value


def test_a_whole_record_comes_back_as_it_was() -> None:
    """Infinity, nested tuples and text outside ASCII included."""
    assert from_plain(VersionRecord, json.loads(dump(record()))) == record()


def test_what_a_later_trb_adds_is_left_out() -> None:
    """An unknown field is no error: an older trb reads a newer record."""
    plain = to_plain(record()) | {"moon_phase": "full"}
    assert from_plain(VersionRecord, json.loads(json.dumps(plain, default=str))) == record()


@pytest.mark.parametrize(
    "plain",
    [
        {},
        [],
        None,
        {"name": 1, "dtype": "fp32", "shape": []},
        {"name": "x", "dtype": "fp99", "shape": []},
        {"name": "x", "dtype": "fp32", "shape": 4},
        {"name": "x", "dtype": "fp32", "shape": [1.5]},
        {"name": "x", "dtype": "fp32", "shape": [True]},
    ],
)
def test_what_is_no_such_value_is_refused(plain: object) -> None:
    """A wrong type is never passed on as the right one."""
    with pytest.raises((TypeError, ValueError)):
        from_plain(Tensor, plain)


def test_paths_enums_and_sets_have_a_plain_form() -> None:
    """A path and an enum are their text, and a set is a list in order, so that equal values give equal text."""
    assert to_plain({"where": PurePath("a/b"), DType.FP32: {3, 1, 2}}) == {"where": "a/b", "fp32": [1, 2, 3]}


@pytest.mark.parametrize("odd", [1j, b"x", object()])
def test_what_has_no_plain_form_is_an_error(odd: object) -> None:
    """What JSON cannot carry is refused, not turned into its repr."""
    with pytest.raises(TypeError, match="has no form in JSON"):
        to_plain({"thing": [odd]})
