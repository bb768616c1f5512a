"""The offline hop, and what could make it pass."""

from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from builder.export import export, offline_parity, way_to_pass
from builder.spec.project import Axis, Backend
from tests.unit.export.zoo import ROWS, given, loaded

IDS = {"ids": given("int64", "batch", 3, within=(0, 9))}


class Table(nn.Module):
    """Ten rows of a table."""

    def __init__(self, rows: int = 10) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, 2)

    def forward(self, ids):
        return self.table(ids)


class Encoder(nn.Module):
    """An encoder that eager PyTorch runs without the padding, and an exported file with it."""

    def __init__(self, *, nested: bool) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=nested)

    def forward(self, x, padding):
        return self.layers(x, src_key_padding_mask=padding)


def test_a_file_that_fails_at_an_edge_fails_the_hop_there(target, out) -> None:
    """The case is named, and that inputs which nobody sends may be left out."""
    good = loaded(Table(), IDS, dims=ROWS)
    short = loaded(Table(9), {"ids": given("int64", "batch", 3, within=(0, 8))}, dims=ROWS)
    artifact = export(short, Backend.ONNX, into=out, release=target)

    hop = offline_parity(
        replace(good, model=replace(good.model, dims={"batch": Axis(max=1)})), artifact, threads=1
    )

    assert not hop.passed
    assert "batch=1: the file fails where the model does not: " in hop.problem
    assert "`values: samples`" in way_to_pass(good, hop)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage")
def test_nested_tensors_are_named_where_padding_is_answered_otherwise(target, out) -> None:
    """A TransformerEncoder in its default setting gives zeros for padding; the way out is its own argument."""
    padding = np.arange(4)[None] >= np.array([[2], [4], [3]])
    samples = {"x": np.ones((3, 4, 8), np.float32), "padding": padding}
    inputs = {
        "x": given("fp32", "batch", 4, 8),
        "padding": replace(given("bool", "batch", 4), values="samples"),
    }
    hops = {}
    for nested in (True, False):
        model = loaded(Encoder(nested=nested), inputs, samples, dims=ROWS)
        hops[nested] = offline_parity(model, export(model, Backend.ONNX, into=out, release=target), threads=1)
        assert hops[nested].passed is not nested
        assert ("enable_nested_tensor=False" in way_to_pass(model, hops[nested])) is nested
