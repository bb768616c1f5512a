import numpy as np
import pytest

from builder.errors import SourceError
from builder.feeds import cases
from builder.loading.samples import load_samples
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Batching, Input, Model, Parity
from tests.unit.loading.conftest import LINEAR

INPUTS = {
    "ids": Input(dtype=DType.INT64, shape=("batch", "seq"), range=(0, 9)),
    "state": Input(dtype=DType.FP32, shape=(2, "batch", 3), range=(-1, 1)),
}
GOOD = {"ids": np.zeros((4, 5), np.int64), "state": np.zeros((4, 2, 3), np.float32)}


def spec(**changes) -> Model:
    given = {"source": "m:load", "inputs": INPUTS, "dims": {"seq": Axis(min=2, max=8)}, "samples": "s.npz"}
    return Model(**{**given, **changes})


def loaded(folder, arrays, **changes):
    np.savez(folder / "s.npz", **arrays)
    return load_samples(spec(**changes), folder)


def test_samples_of_an_npz_are_read_as_they_are(tmp_path) -> None:
    """Good samples come back equal, by input name."""
    found = loaded(tmp_path, GOOD)

    assert all(np.array_equal(found[name], GOOD[name]) for name in INPUTS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"idz": GOOD["ids"]}, "no input `idz`"),
        ({"ids": GOOD["ids"].astype(np.int32)}, "is int32, trb.yaml says int64"),
        ({"ids": np.zeros((4, 5, 1), np.int64)}, "it must be (samples, seq)"),
        ({"state": np.zeros((4, 2, 4), np.float32)}, "axis 2 of `state` is 4, trb.yaml says 3"),
        ({"ids": np.zeros((4, 9), np.int64)}, "axis `seq` of `ids` is 9, outside 2 to 8"),
        ({"ids": np.full((4, 5), 10)}, "holds 10 at [0, 0], outside its range [0, 9]"),
        ({"state": np.full((4, 2, 3), np.nan, np.float32)}, "holds nan"),
        ({"ids": np.zeros((3, 5), np.int64)}, "3 samples of `ids` and 4 of `state`"),
        ({"ids": np.zeros((0, 5), np.int64)}, "`ids` is empty"),
    ],
)
def test_samples_that_do_not_fit_are_refused_by_what_differs(tmp_path, change, said) -> None:
    """Name, dtype, shape, size, range and number are each compared with trb.yaml."""
    with pytest.raises(SourceError) as caught:
        loaded(tmp_path, {**GOOD, **change})

    assert said in caught.value.what


def test_samples_that_are_all_alike_prove_nothing_where_values_come_from_them(tmp_path) -> None:
    """Rows that cannot differ could mix unseen; without batching, or in a batch of one, that does not matter."""
    ids = Input(dtype=DType.INT64, shape=("batch", "seq"), values="samples")
    changes = {"inputs": {**INPUTS, "ids": ids}}

    with pytest.raises(SourceError, match="all of `ids` are alike"):
        loaded(tmp_path, GOOD, **changes)
    assert loaded(tmp_path, GOOD, **changes, batching=Batching(enabled=False))
    assert loaded(tmp_path, GOOD, **changes, dims={"seq": Axis(max=8), "batch": Axis(max=1)})


def test_nan_samples_pass_where_the_spec_asks_for_special_values(tmp_path) -> None:
    """parity.special_values opens the range for NaN and infinity."""
    state = np.full((4, 2, 3), np.nan, np.float32)
    found = loaded(tmp_path, {**GOOD, "state": state}, parity=Parity(special_values=True))

    assert np.isnan(found["state"]).all()


def test_one_sample_may_leave_its_axis_out_where_there_is_no_batch(tmp_path) -> None:
    """An array of just the declared shape is one sample."""
    inputs = {"x": Input(dtype=DType.FP32, shape=(1, 3))}

    assert loaded(tmp_path, {"x": np.ones((1, 3), np.float32)}, inputs=inputs, dims={})["x"].shape == (
        1,
        1,
        3,
    )


def test_strings_come_as_bytes(tmp_path) -> None:
    """An .npz holds text; the samples are object arrays of bytes."""
    inputs = {"word": Input(dtype=DType.STRING, shape=("batch", 1))}
    found = loaded(tmp_path, {"word": np.array([["ab"], ["c"]])}, inputs=inputs, dims={})

    assert found["word"].tolist() == [[b"ab"], [b"c"]]


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_a_file_that_is_missing_or_broken_is_named(tmp_path, content) -> None:
    """No file and a wrong one each end in an error with its name."""
    if content is not None:
        (tmp_path / "s.npz").write_bytes(content)

    with pytest.raises(SourceError, match=r"s\.npz"):
        load_samples(spec(), tmp_path)


def test_a_pickled_array_is_not_read(tmp_path) -> None:
    """An .npz of objects would have to be unpickled, and is refused."""
    np.savez(tmp_path / "s.npz", ids=np.array([{}], dtype=object), allow_pickle=True)

    with pytest.raises(SourceError, match="allow_pickle"):
        load_samples(spec(), tmp_path)


def test_a_callable_may_give_tensors(project) -> None:
    """Samples of torch tensors are taken as arrays."""
    loaded_model = project(
        LINEAR + "\ndef samples():\n    return {'x': torch.ones(5, 3)}\n", samples="model:samples"
    )

    assert loaded_model.samples["x"].shape == (5, 3)


def test_integers_without_a_range_are_drawn_from_that_of_the_samples(project) -> None:
    """A model of integers loads with samples alone, says so, and is fed within them."""
    source = """
    import torch
    from torch import nn

    def load():
        torch.manual_seed(0)
        return nn.Embedding(8, 4)

    def samples():
        return {"input": torch.tensor([[2, 7], [5, 3]])}
    """
    inputs = {"input": Input(dtype=DType.INT64, shape=("batch", 2))}
    found = project(source, inputs=inputs, samples="model:samples")
    fed = np.concatenate(
        [case.feed["input"].ravel() for case in cases(found.model, found.signature, found.samples)]
    )

    assert (fed.min(), fed.max()) == (2, 7)
    assert any("2 to 7" in note for note in found.notes)


ENCODER = """
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 4)

    def forward(self, ids, padding):
        if padding.all(1).any():
            raise ValueError("a row is all padding")
        return self.words(ids).masked_fill(padding[..., None], 0.0)

def load():
    torch.manual_seed(0)
    return Net()

def samples():
    padding = np.arange(6)[None] >= np.array([[2], [6], [4]])
    return {"ids": np.ones((3, 6), np.int64), "padding": padding}
"""
IDS = Input(dtype=DType.INT64, shape=("batch", "seq"), range=(0, 8))
PADDED = {"ids": IDS, "padding": Input(dtype=DType.BOOL, shape=("batch", "seq"))}
SAMPLED = {"ids": IDS, "padding": Input(dtype=DType.BOOL, shape=("batch", "seq"), values="samples")}
DIMS = {"batch": Axis(max=4), "seq": Axis(max=9)}


def test_a_model_that_refuses_drawn_values_is_loaded_with_those_of_samples(project) -> None:
    """A padding mask that may not be all true is fed from the samples; without that, the refusal names the key."""
    with pytest.raises(SourceError) as caught:
        project(ENCODER, inputs=PADDED, dims=DIMS)
    found = project(ENCODER, inputs=SAMPLED, dims=DIMS, samples="model:samples")

    assert "it runs with other values of `padding`" in caught.value.what
    assert "`values: samples` of `padding`" in caught.value.fix
    assert not any(
        case.feed["padding"].all(1).any() for case in cases(found.model, found.signature, found.samples)
    )


def test_sizes_that_no_sample_has_are_not_proven_and_still_an_axis(project) -> None:
    """The one length of the samples is no fixed size of an output, and what was not run is told."""
    found = project(ENCODER, inputs=SAMPLED, dims=DIMS, samples="model:samples")

    assert found.signature.outputs[0].shape == ("batch", "seq", 4)
    assert found.not_proven == (
        "at other sizes of seq than 6: the values of padding come from the samples, which have that size alone",
    )


def test_a_size_that_is_the_only_one_is_proven(project) -> None:
    """Where trb.yaml allows no other length than the samples have, nothing is left out."""
    dims = {**DIMS, "seq": Axis(min=6, max=6)}

    assert project(ENCODER, inputs=SAMPLED, dims=dims, samples="model:samples").not_proven == ()
