import sys
from pathlib import Path
from textwrap import indent

import pytest

from builder import readspec
from builder.errors import SourceError
from builder.loading.guessed import GuessedModel
from builder.loading.signature_guess import guess, write_spec
from builder.spec.dtypes import DType

HEAD = "import torch\nfrom torch import nn\n\nclass Net(nn.Module):\n"


@pytest.fixture
def guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that guesses the inputs of a `Net` with this body."""

    def of(body: str, load: str = "Net") -> GuessedModel:
        (tmp_path / "net_to_guess.py").write_text(f"{HEAD}{indent(body, '    ')}\n")
        monkeypatch.delitem(sys.modules, "net_to_guess", raising=False)
        monkeypatch.setattr(sys, "path", list(sys.path))
        return guess(f"net_to_guess:{load}", tmp_path)

    return of


def init(lines: str) -> str:
    return "def __init__(self):\n    super().__init__()\n" + indent(lines, "    ") + "\n"


def test_a_linear_layer_tells_its_features(guessed) -> None:
    """The first layer's in_features is the width of the input."""
    found = guessed(init("self.a = nn.Linear(7, 3)") + "def forward(self, x): return self.a(x * 2)")

    assert found.complete
    assert found.inputs["x"].shape == ("batch", 7)
    assert found.inputs["x"].dtype is DType.FP32


def test_the_dtype_is_that_of_the_weights(guessed) -> None:
    """A model of doubles takes doubles."""
    found = guessed(init("self.a = nn.Linear(7, 3).double()") + "def forward(self, x): return self.a(x)")

    assert found.inputs["x"].dtype is DType.FP64


def test_a_convolutional_net_with_a_fixed_head_has_a_fixed_image(guessed) -> None:
    """The size that the linear head demands is found by trying."""
    body = init("self.c = nn.Conv2d(3, 4, 3, padding=1)\nself.h = nn.Linear(4 * 8 * 8, 2)")
    found = guessed(body + "def forward(self, image): return self.h(self.c(image).flatten(1))")

    assert found.inputs["image"].shape == ("batch", 3, 8, 8)


def test_a_fully_convolutional_net_has_dynamic_height_and_width(guessed) -> None:
    """Where any size runs, height and width are axes with the limits that ran."""
    found = guessed(init("self.c = nn.Conv2d(3, 4, 3)") + "def forward(self, image): return self.c(image)")

    assert found.inputs["image"].shape == ("batch", 3, "height", "width")
    assert found.dims["height"].min == 4


def test_an_embedding_gives_whole_numbers_below_its_rows(guessed) -> None:
    """Ids go from 0 to the last row."""
    body = init("self.e = nn.Embedding(11, 4)")
    found = guessed(body + "def forward(self, words): return self.e(words).sum(1)")

    assert found.inputs["words"].dtype is DType.INT64
    assert found.inputs["words"].range == (0, 10)


def test_two_tables_do_not_lend_each_other_their_rows(guessed) -> None:
    """Each of two id inputs has the range of the embedding that it reaches."""
    body = init("self.a = nn.Embedding(50, 4)\nself.b = nn.Embedding(3, 4)")
    found = guessed(body + "def forward(self, text, kind): return self.a(text) + self.b(kind)")

    assert (found.inputs["text"].range, found.inputs["kind"].range) == ((0, 49), (0, 2))


def test_positions_bound_the_sequence(guessed) -> None:
    """The largest sequence that runs is the number of position embeddings, whatever torch.fx can see."""
    body = init("self.t = nn.Embedding(99, 4)\nself.p = nn.Embedding(24, 4)")
    forward = (
        "def forward(self, input_ids):\n"
        "    if input_ids.shape[1] > 24: raise ValueError('too long')\n"
        "    return self.t(input_ids) + self.p(torch.arange(input_ids.shape[1]))"
    )
    found = guessed(body + forward)

    assert found.inputs["input_ids"].range == (0, 98)
    assert found.dims["seq"].max == 24


def test_a_recurrent_net_that_is_not_batch_first_is_said_to_be(guessed) -> None:
    """The batch axis is found second, and a note says what that means."""
    body = init("self.r = nn.LSTM(5, 6)")
    found = guessed(body + "def forward(self, x): return self.r(x)[0]")

    assert found.inputs["x"].shape == ("seq", "batch", 5)
    assert any("batch axis first" in note for note in found.notes)


def test_an_example_input_is_believed(guessed) -> None:
    """example_input_array gives dtype and shape where no layer tells."""
    body = init("self.example_input_array = torch.zeros(1, 5, 2)")
    found = guessed(body + "def forward(self, x): return x.flatten(1)")

    assert found.inputs["x"].shape == ("batch", 5, 2)


def test_an_input_without_evidence_is_left_open(guessed) -> None:
    """An argument that reaches no layer is not made up."""
    found = guessed("def forward(self, x): return x + 1")

    assert not found.complete
    assert any("`x`" in note for note in found.notes)


def test_a_forward_that_never_runs_is_left_open(guessed) -> None:
    """A guess that does not run is not reported as found."""
    body = init("self.a = nn.Linear(7, 3)")
    found = guessed(body + "def forward(self, x): raise RuntimeError('never')")

    assert not found.complete


def test_defaulted_arguments_are_named_but_not_fed(guessed) -> None:
    """What has a default is no input, and a note names it."""
    body = init("self.a = nn.Linear(7, 3)")
    found = guessed(body + "def forward(self, x, scale=1.0): return self.a(x) * scale")

    assert set(found.inputs) == {"x"}
    assert any("`scale`" in note for note in found.notes)


def test_a_callable_that_gives_no_module_is_refused(guessed) -> None:
    """Something else than an nn.Module has no forward to look at."""
    with pytest.raises(SourceError, match="not a torch"):
        guessed("def forward(self, x): return x\nload = staticmethod(lambda: 3)", "Net.load")


@pytest.mark.parametrize(
    "forward", ["def forward(self, x): return self.a(x)", "def forward(self, no, x): return no + x"]
)
def test_the_written_spec_reads_without_a_mistake(guessed, tmp_path: Path, forward: str) -> None:
    """Complete or not, the text is a valid trb.yaml with these inputs, even one that YAML would read as false."""
    found = guessed(init("self.a = nn.Linear(7, 3)") + forward)
    (tmp_path / "trb.yaml").write_text(write_spec("yes", found))
    project = readspec.read(tmp_path / "trb.yaml").project

    assert list(project.models["yes"].inputs) == list(found.inputs)
    assert ("FILL IN" in write_spec("yes", found)) is not found.complete


def test_what_was_found_survives_writing_and_reading(guessed, tmp_path: Path) -> None:
    """Dtype, shape, range and limits of an axis read back as they were guessed."""
    body = init("self.e = nn.Embedding(11, 4)")
    found = guessed(body + "def forward(self, words): return self.e(words)")
    (tmp_path / "trb.yaml").write_text(write_spec("net", found))
    model = readspec.read(tmp_path / "trb.yaml").project.models["net"]

    want = found.inputs["words"]
    assert (model.inputs["words"].dtype, model.inputs["words"].shape) == (want.dtype, want.shape)
    assert model.inputs["words"].range == want.range
    assert model.dims["seq"] == found.dims["seq"]
