"""Which changes of a signature break the clients of the old one."""

from dataclasses import replace

import pytest

from builder.repository.signature import breaks
from builder.spec.dtypes import DType
from builder.spec.tensors import Tensor
from tests.unit.repository.values import X, Y, record

MORE = Tensor(name="more", dtype=DType.FP32, shape=("batch", 4))
OPEN = replace(X, shape=("batch", "n"))

BREAKING = {
    "an input is gone": (record((X, MORE)), record((X,)), "input more fp32[batch, 4] is gone"),
    "an input is new": (record((X,)), record((X, MORE)), "input more fp32[batch, 4] is new"),
    "an input has another type": (
        record((X,)),
        record((replace(X, dtype=DType.FP16),)),
        "input x fp32[batch, 4] became x fp16[batch, 4]",
    ),
    "a fixed axis has another size": (
        record((X,)),
        record((replace(X, shape=("batch", 5)),)),
        "input x fp32[batch, 4] became x fp32[batch, 5]",
    ),
    "a dynamic axis of an input is fixed": (
        record((OPEN,)),
        record((X,)),
        "input x fp32[batch, n] became x fp32[batch, 4]",
    ),
    "an input has another rank": (
        record((X,)),
        record((replace(X, shape=("batch",)),)),
        "became x fp32[batch]",
    ),
    "an output is gone": (
        record(outputs=(Y, MORE)),
        record(outputs=(Y,)),
        "output more fp32[batch, 4] is gone",
    ),
    "an output has another type": (
        record(),
        record(outputs=(replace(Y, dtype=DType.INT64),)),
        "output y fp32[batch] became y int64[batch]",
    ),
    "a fixed axis of an output has another size": (
        record(outputs=(MORE,)),
        record(outputs=(replace(MORE, shape=("batch", 5)),)),
        "became more fp32[batch, 5]",
    ),
    "batches are no longer taken": (
        record(),
        record(max_batch_size=0),
        "no longer batches (max_batch_size was 8)",
    ),
    "the largest batch is smaller": (record(), record(max_batch_size=4), "went from 8 down to 4"),
}
HARMLESS = {
    "nothing changed": (record(), record()),
    "a fixed axis became dynamic": (record((X,)), record((OPEN,))),
    "an axis has another name": (record((OPEN,)), record((replace(X, shape=("rows", "length")),))),
    "an output is new": (record(), record(outputs=(Y, MORE))),
    "inputs come in another order": (record((X, MORE)), record((MORE, X))),
    "the largest batch is larger": (record(), record(max_batch_size=64)),
    "batches are taken now": (record(max_batch_size=0), record()),
}


@pytest.mark.parametrize("case", BREAKING)
def test_it_breaks_clients(case: str) -> None:
    """What a client sends or reads today would fail tomorrow, and one line says so."""
    old, new, says = BREAKING[case]
    found = breaks(old, new)
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize("case", HARMLESS)
def test_it_does_not_break_clients(case: str) -> None:
    """Every request and answer of today is still one tomorrow."""
    old, new = HARMLESS[case]
    assert breaks(old, new) == ()


def test_every_break_is_listed() -> None:
    """All differences come at once."""
    other = record((MORE,), (replace(Y, dtype=DType.INT8),), max_batch_size=1)
    assert len(breaks(record(), other)) == 4
