"""`trb init`: what it writes can be read, and what it cannot do it says."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from builder import readspec
from builder.errors import UsageError
from builder.flow.init import WrittenSpec, init

ROOT = Path(__file__).resolve().parents[3]
KINDS = {
    "digits": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
                self.head = nn.Linear(4 * 4 * 4, 10)

            def forward(self, image):
                return self.head(self.features(image).flatten(1))
    """,
    "text_encoder": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.words = nn.Embedding(40, 8)
                layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
                self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

            def forward(self, input_ids, attention_mask):
                hidden = self.layers(self.words(input_ids), src_key_padding_mask=attention_mask == 0)
                return {"embedding": hidden.mean(dim=1), "tokens": hidden}
    """,
    "tagger": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.words = nn.Embedding(30, 8)
                self.lstm = nn.LSTM(8, 8, batch_first=True)
                self.head = nn.Linear(8, 5)

            def forward(self, tokens):
                return self.head(self.lstm(self.words(tokens))[0])
    """,
}
LINEAR = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x):
            return self.layer(x)
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes net.py and runs `trb init net:Net` beside it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "net_of_init", raising=False)

    def of(
        body: str = LINEAR, *, name: str | None = None, force: bool = False, file: str = "trb.yaml"
    ) -> WrittenSpec:
        (tmp_path / "net_of_init.py").write_text(f"import torch\nfrom torch import nn\n{dedent(body)}")
        return init("net_of_init:Net", tmp_path / file, name=name, force=force)

    yield of
    sys.modules.pop("net_of_init", None)


@pytest.mark.parametrize("kind", KINDS)
def test_the_spec_of_a_common_module_is_complete_and_without_mistake(written, kind) -> None:
    """An image classifier, a text encoder and a tagger need nothing filled in."""
    result = written(KINDS[kind], name=kind)
    model = readspec.read(result.path).project.models[kind]

    assert result.complete
    assert "next: trb build" in str(result)
    assert all("batch" in tensor.shape for tensor in model.inputs.values())


@pytest.mark.parametrize("example", ["digits", "text_encoder", "tagger"])
def test_the_spec_of_an_example_has_the_inputs_that_its_author_wrote(tmp_path, monkeypatch, example) -> None:
    """Names and dtypes of the inputs are those that stand in the example's own trb.yaml."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "model", raising=False)
    (tmp_path / "model.py").write_text((ROOT / "examples" / example / "model.py").read_text())
    own = readspec.read(ROOT / "examples" / example / "trb.yaml").project.models
    source = next(iter(own.values())).source

    init(source, tmp_path / "trb.yaml", name="net", force=False)
    sys.modules.pop("model", None)
    found = readspec.read(tmp_path / "trb.yaml").project.models["net"]

    want = next(iter(own.values()))
    assert {n: t.dtype for n, t in found.inputs.items()} == {n: t.dtype for n, t in want.inputs.items()}


def test_what_is_left_open_is_marked_with_the_word_that_is_printed(written) -> None:
    """The message says FILL IN, and so does the file; it reads without a mistake all the same."""
    result = written("class Net(nn.Module):\n    def forward(self, x): return x + 1\n")

    assert not result.complete
    assert "FILL IN" in str(result)
    assert "FILL IN" in result.path.read_text()
    assert readspec.read(result.path).project.models


@pytest.mark.parametrize("name", ["[", "a b", "a..b", "", "-x", "a" * 300])
def test_a_name_that_triton_would_refuse_is_refused_before_anything_is_loaded(
    written, tmp_path, name
) -> None:
    """No file is written under a name that `trb build` would refuse."""
    with pytest.raises(UsageError):
        written(name=name)

    assert not (tmp_path / "trb.yaml").exists()


@pytest.mark.parametrize("name", ["no", "1", "1.5", "null", "2024-01-01"])
def test_a_name_that_yaml_would_read_as_something_else_is_quoted(written, name) -> None:
    """Any legal name reads back as itself."""
    assert list(readspec.read(written(name=name).path).project.models) == [name]


def test_a_module_of_complex_numbers_is_left_open(written) -> None:
    """Complex weights, or an example of them, are nothing that Triton carries: no traceback."""
    body = LINEAR.replace("nn.Linear(3, 2)", "nn.Linear(3, 2, dtype=torch.complex64)")
    body = body.replace(
        "self.layer", "self.example_input_array = torch.zeros(1, 3, dtype=torch.complex64); self.layer", 1
    )

    assert not written(body).complete


def test_a_file_is_not_replaced_unless_asked(written) -> None:
    """A second run is refused, and with --force it is not."""
    first = written()
    with pytest.raises(UsageError, match="exists"):
        written()

    assert written(name="other", force=True).path == first.path


@pytest.mark.parametrize("file", ["missing/trb.yaml", "folder"])
def test_a_file_that_cannot_be_written_is_a_usage_error(written, tmp_path, file) -> None:
    """A missing folder, or a folder in the place of the file, is told in words."""
    (tmp_path / "folder").mkdir()
    sys.path.insert(0, str(tmp_path))

    with pytest.raises(UsageError, match="cannot be written"):
        written(file=file, force=True)
