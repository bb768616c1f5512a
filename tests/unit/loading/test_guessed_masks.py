"""Masks in the spec that `trb init` writes: no ids of a table, and what is a guess is marked as one."""

import sys
from pathlib import Path
from textwrap import indent

import pytest

from builder import readspec
from builder.loading.guessed import GuessedModel
from builder.loading.signature_guess import guess, write_spec
from builder.spec.dtypes import DType

HEAD = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 16)
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=NESTED)

"""


@pytest.fixture
def guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that guesses the inputs of an encoder with this `forward`."""

    def of(forward: str, *, nested: bool = False) -> GuessedModel:
        text = HEAD.replace("NESTED", str(nested)) + indent(forward, "    ")
        (tmp_path / "masked_net.py").write_text(f"{text}\n")
        monkeypatch.delitem(sys.modules, "masked_net", raising=False)
        monkeypatch.setattr(sys, "path", list(sys.path))
        return guess("masked_net:Net", tmp_path)

    return of


PADDED = "return self.layers(self.words(ids), src_key_padding_mask="
SHARED = "return self.words(ids) * {}.unsqueeze(-1)"


@pytest.mark.parametrize("name", ["padding", "src_key_padding_mask", "mask"])
def test_a_mask_that_must_be_bool_is_bool(guessed, name) -> None:
    """By its name it is a mask, by trial a bool one: the encoder refuses whole numbers."""
    found = guessed(f"def forward(self, ids, {name}):\n    {PADDED}{name})")

    assert found.complete
    assert (found.inputs[name].dtype, found.inputs[name].shape) == (DType.BOOL, ("batch", "seq"))
    assert found.inputs["ids"].range == (0, 49)


def test_a_mask_that_is_laid_over_ids_is_no_ids(guessed) -> None:
    """It flows into the embedding too, but no table ends where it does."""
    found = guessed("def forward(self, ids, mask):\n    return self.words(ids * mask).sum(1)")

    assert found.inputs["mask"].range == (0, 1)
    assert found.inputs["ids"].range == (0, 49)


def test_an_argument_that_only_looks_like_ids_is_marked_as_a_guess(guessed) -> None:
    """Whole numbers up to the last row run, and so do larger ones: that is no index of the table."""
    found = guessed("def forward(self, ids, valid):\n    " + SHARED.format("valid"))

    assert found.inputs["valid"].range == (0, 1)
    assert found.inputs["valid"].why.startswith("a guess:")
    assert any("`valid` is a guess" in note for note in found.notes)


@pytest.mark.parametrize("annotation", ["torch.BoolTensor", "'torch.BoolTensor'", "torch.BoolTensor | None"])
def test_an_annotation_decides_the_dtype(guessed, annotation) -> None:
    """What is annotated as bool is bool, though numbers run as well and the name tells nothing."""
    found = guessed(f"def forward(self, ids, valid: {annotation}):\n    " + SHARED.format("valid"))

    assert found.inputs["valid"].dtype is DType.BOOL
    assert found.inputs["valid"].why == "a mask by its annotation"


def test_a_dtype_that_trials_leave_open_is_marked(guessed) -> None:
    """Numbers are written for an attention_mask; that others ran as well stands beside it."""
    found = guessed(f"def forward(self, ids, attention_mask):\n    {PADDED}attention_mask == 0)")

    assert found.inputs["attention_mask"].dtype is DType.INT64
    assert "its dtype is a guess: bool and fp32 ran too" in write_spec("net", found)


def test_a_mask_that_changes_nothing_is_said_to(guessed) -> None:
    """An argument that `forward` ignores shows in the comment."""
    found = guessed("def forward(self, ids, mask):\n    return self.layers(self.words(ids))")

    assert "no value that was tried changes the outputs" in found.inputs["mask"].why


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage")
def test_a_mask_of_which_not_all_values_run_is_left_to_samples(guessed, tmp_path) -> None:
    """Nothing but padding is refused, so the input is found, and the samples that it needs are to fill in."""
    found = guessed(f"def forward(self, ids, padding):\n    {PADDED}padding)", nested=True)
    (tmp_path / "trb.yaml").write_text(write_spec("net", found))

    assert found.inputs["padding"].dtype is DType.BOOL
    assert not found.complete
    assert "# FILL IN: `values: samples`" in write_spec("net", found)
    assert readspec.read(tmp_path / "trb.yaml").project.models["net"].inputs["padding"].dtype is DType.BOOL
