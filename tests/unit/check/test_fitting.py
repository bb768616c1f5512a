import numpy as np
import pytest

from builder.check.fitting import fit
from builder.feeds import cases
from builder.spec.dtypes import DType
from builder.spec.tensors import Signature, Tensor
from tests.unit.check.conftest import SIGNATURE

FROZEN = Signature(inputs=(Tensor(name="x", dtype=DType.FP32, shape=(2, 4)),), outputs=SIGNATURE.outputs)


def test_a_case_above_the_servers_batch_is_cut_and_nothing_is_lost(loaded):
    """Eight rows for a server that takes three become three pieces that hold the same rows in order."""
    (whole,) = [case for case in cases(loaded.model, loaded.signature) if case.name == "random batch=8"]

    pieces = fit([whole], loaded.model, SIGNATURE, 3)

    assert [len(piece.feed["x"]) for piece in pieces] == [3, 3, 2]
    assert np.array_equal(np.concatenate([piece.feed["x"] for piece in pieces]), whole.feed["x"])
    assert pieces[1].name == "random batch=8 rows 3-5"


def test_a_model_that_triton_does_not_batch_gets_whole_cases(loaded):
    """With max_batch_size 0 and a dynamic axis in the file, no case is cut: cutting would hide mixed rows."""
    whole = cases(loaded.model, loaded.signature)

    fitted = fit(whole, loaded.model, SIGNATURE, 0)

    assert [case.name for case in fitted] == [case.name for case in whole]
    assert max(len(case.feed["x"]) for case in fitted) == 8


@pytest.mark.parametrize("max_batch_size", [0, 8])
def test_a_frozen_batch_is_always_full(loaded, max_batch_size):
    """A file whose batch is frozen at 2 is fed 2 rows, also from a case of 1 or 3."""
    fitted = fit(cases(loaded.model, loaded.signature), loaded.model, FROZEN, max_batch_size)

    assert {len(case.feed["x"]) for case in fitted} == {2}
