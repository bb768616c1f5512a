"""The batch axis, proven by running the file."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from builder.errors import BatchingRefused
from builder.export import export, prove_batch
from builder.spec.project import Axis, Backend, Batching
from tests.unit.export.zoo import ROWS, STEPS, Embedded, Mixes, Tagger, cnn, given, loaded

VECTOR = {"x": given("fp32", "batch", 4)}


class SoftmaxOverBatch(nn.Module):
    def forward(self, x):
        return torch.softmax(x, 0)


class Sorts(nn.Module):
    def forward(self, x):
        return x.sort(0).values


class PoisonedByNan(nn.Module):
    """Rows only meet where one of them is NaN."""

    def forward(self, x):
        return torch.where(torch.isnan(x).any(), torch.zeros_like(x), x)


class MasksTogether(nn.Module):
    """Where one row is padded, all are."""

    def forward(self, x, mask):
        return x * mask.all(0)


class DividesByBatch(nn.Module):
    def forward(self, x):
        return x / x.shape[0]


class Total(nn.Module):
    def forward(self, x):
        return x.sum(0)


class LooksUp(nn.Module):
    """Cannot take NaN: it becomes an index."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(8, 3)

    def forward(self, x):
        return self.table(x.clamp(0, 7).nan_to_num(99.0).long())


class Attends(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x):
        return self.layer(x)


def proof(model, target, out):
    artifact = export(model, Backend.TORCHSCRIPT, into=out, release=target)
    return prove_batch(model, artifact, threads=1)


@pytest.mark.parametrize("backend", [Backend.ONNX, Backend.TORCHSCRIPT])
def test_an_honest_model_may_be_batched(backend, target, out) -> None:
    """A CNN gives every row back bit-equal, at the batch sizes 1, 2, odd and largest."""
    model = cnn()
    found = prove_batch(model, export(model, backend, into=out, release=target), threads=1)

    assert found.max_batch_size == 8
    assert found.row_gap == 0.0
    assert {here["batch"] for here in found.sizes} == {1, 2, 3, 8}


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (Attends(), {"x": given("fp32", "batch", "time", 8)}),
        (Attends().half(), {"x": given("fp16", "batch", "time", 8)}),
        (LooksUp(), {"x": given("fp32", "batch", "time", within=(0, 7))}),
        (
            Embedded(),
            {
                "ids": given("int64", "batch", "time", within=(0, 19)),
                "mask": given("int64", "batch", "time", within=(0, 1)),
            },
        ),
    ],
)
def test_other_honest_models_may_be_batched(module, inputs, target, out) -> None:
    """Attention, half precision, lookups that cannot take NaN, and outputs of the batch alone pass."""
    found = proof(loaded(module, inputs, dims=STEPS), target, out)

    assert (found.max_batch_size, found.row_gap) == (8, 0.0)


@pytest.mark.parametrize("module", [Mixes(1e-4), Mixes(1.0), SoftmaxOverBatch(), Sorts(), PoisonedByNan()])
def test_a_model_that_mixes_rows_must_not_be_batched(module, target, out) -> None:
    """Mixing by 1e-4 of the batch's mean shows, as does mixing that only a NaN shows."""
    found = proof(loaded(module, VECTOR, dims=ROWS), target, out)

    assert found.max_batch_size == 0
    assert found.row_gap > 0
    assert found.reason.startswith("it mixes the rows of a batch: output `output`, row ")


def test_rows_that_mix_by_values_of_samples_are_found(target, out) -> None:
    """Neighbours become other samples, so that a mask shared by all rows shows, though most samples are alike."""
    mask = np.ones((20, 4), bool)
    mask[11, 2] = False
    inputs = {**VECTOR, "mask": replace(given("bool", "batch", 4), values="samples")}
    samples = {"x": np.zeros((20, 4), np.float32), "mask": mask}
    found = proof(loaded(MasksTogether(), inputs, samples, dims=ROWS), target, out)

    assert found.max_batch_size == 0
    assert "it mixes the rows of a batch" in found.reason


@pytest.mark.parametrize("backend", [Backend.ONNX, Backend.TORCHSCRIPT])
def test_small_mixing_shows_in_either_file(backend, target, out) -> None:
    """The gap of a model that subtracts 1e-4 of the mean is measured, and about that large."""
    model = loaded(Mixes(1e-4), VECTOR, dims=ROWS)
    found = prove_batch(model, export(model, backend, into=out, release=target), threads=1)

    assert 1e-6 < found.row_gap < 1e-3


def test_an_answer_that_depends_on_the_batch_size_must_not_be_batched(target, out) -> None:
    """Rows that do not mix but change with the number of rows are found by concatenation."""
    found = proof(loaded(DividesByBatch(), VECTOR, dims=ROWS), target, out)

    assert found.max_batch_size == 0
    assert found.row_gap == 0.0
    assert "not answered as its parts" in found.reason


def test_batching_that_was_asked_for_is_refused_to_a_mixing_model(target, out) -> None:
    """`batching: {enabled: true}` makes mixing an error that offers row_tolerance."""
    model = loaded(Mixes(1e-4), VECTOR, dims=ROWS, batching=Batching(enabled=True))

    with pytest.raises(BatchingRefused, match="mixes the rows") as caught:
        proof(model, target, out)

    assert "row_tolerance" in caught.value.fix


def test_mixing_can_be_accepted_knowingly(target, out) -> None:
    """With a row_tolerance above the gap the model is batched, and the reason says by how much rows mix."""
    model = loaded(Mixes(1e-2), VECTOR, dims=ROWS, batching=Batching(row_tolerance=1e-1))
    found = proof(model, target, out)

    assert found.max_batch_size == 8
    assert "accepted by row_tolerance 0.1" in found.reason
    assert found.row_gap > 0


def test_mixing_above_what_is_accepted_is_not(target, out) -> None:
    """A row_tolerance below the gap changes nothing."""
    model = loaded(Mixes(1.0), VECTOR, dims=ROWS, batching=Batching(row_tolerance=1e-3))

    assert proof(model, target, out).max_batch_size == 0


def test_states_that_are_not_batch_first_name_the_wrapper(target, out) -> None:
    """LSTM states keep Triton from batching; the reason holds the call that mends it."""
    model = loaded(
        Tagger(),
        {
            "x": given("fp32", "batch", "time", 3),
            "h0": given("fp32", 1, "batch", 4),
            "c0": given("fp32", 1, "batch", 4),
        },
        dims=STEPS,
    )
    found = proof(model, target, out)

    assert found.max_batch_size == 0
    assert "h0 fp32[1, batch, 4] (axis 1)" in found.reason
    assert "BatchFirst(module, inputs={'h0': 1, 'c0': 1}, outputs={1: 1, 2: 1})" in found.reason


def test_an_output_without_the_batch_axis_keeps_triton_from_batching(target, out) -> None:
    """A sum over the batch cannot be split again."""
    found = proof(loaded(Total(), VECTOR, dims=ROWS), target, out)

    assert found.max_batch_size == 0
    assert "output output fp32[4] does not have batch" in found.reason


def test_a_model_without_the_axis_is_served_one_by_one(target, out) -> None:
    """Fixed shapes are not batched, and asking for batching is an error."""
    inputs = {"x": given("fp32", 1, 4)}

    assert proof(loaded(Mixes(), inputs), target, out).reason == "no input has an axis called batch"
    with pytest.raises(BatchingRefused, match="no input has an axis called batch"):
        proof(loaded(Mixes(), inputs, batching=Batching(enabled=True)), target, out)


def test_batching_can_be_off(target, out) -> None:
    """`batching: {enabled: false}` is honoured for a model that could be batched."""
    found = proof(cnn(batching=Batching(enabled=False)), target, out)

    assert (found.max_batch_size, found.reason) == (0, "batching is off in the spec")


def test_a_least_batch_above_one_is_not_batched(target, out) -> None:
    """Triton may send one row, which such a spec rules out."""
    model = cnn()
    spec = replace(model.model, dims={"batch": Axis(min=2, max=8)})

    assert "may send one row" in proof(replace(model, model=spec), target, out).reason
