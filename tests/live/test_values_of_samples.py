"""A model that only real inputs may be given, built and checked."""

from pathlib import Path
from typing import Any

MODEL = """\
import numpy as np
import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, ids, padding):
        torch._assert_async((~padding.all(1)).all())
        return self.layers(self.words(ids), src_key_padding_mask=padding)


def load():
    torch.manual_seed(0)
    return Encoder()


def samples():
    padding = np.arange(12)[None] >= np.random.default_rng(0).integers(3, 13, (20, 1))
    return {"ids": np.where(padding, 0, 7), "padding": padding}
"""
SPEC = """\
models:
  encoder:
    source: model:load
    backend: torchscript
    samples: model:samples
    inputs:
      ids: {dtype: int64, shape: [batch, seq], range: [0, 49]}
      padding: {dtype: bool, shape: [batch, seq], values: samples}
    dims: {batch: 8, seq: 32}
"""
NOT_PROVEN = "at other sizes of seq than 12: the values of padding come from the samples"


def test_a_mask_that_may_not_be_all_padding_is_fed_from_samples(trb: Any, tmp_path: Path) -> None:
    """Build and check pass without one invented mask, and both say, once, which sizes they left out."""
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "trb.yaml").write_text(SPEC)

    built = trb("build", cwd=tmp_path).stdout
    checked = trb("check", cwd=tmp_path).stdout

    assert built.count(NOT_PROVEN) == 1
    assert checked.count(NOT_PROVEN) == 1
    assert "largest batch formed" in checked
