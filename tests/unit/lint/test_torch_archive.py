"""Files that are no TorchScript, damaged, or meant to do harm: the linter's verdict against torch's own."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from builder.lint import torch_archive, torch_pickle
from builder.lint.torch_pickle import NotPickle, outline
from builder.lint.torchscript_view import TorchScriptView, view
from builder.rules.refusal import Refusal
from tests.unit.lint.torch_models import Outer, Two

Change = Callable[[str, bytes], tuple[str, bytes] | None]


class Harmful:
    """Its unpickling writes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def saved(path: Path) -> Path:
    torch.jit.save(torch.jit.script(Outer()), str(path))
    return path


def changed(path: Path, change: Change) -> Path:
    """Rewrite the archive at `path`, each record as `change` says; None leaves it out."""
    old = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(old)) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            record = change(name, before.read(name))
            if record is not None:
                after.writestr(*record)
    return path


def write(path: Path, *names: str) -> None:
    """Write an archive of torch's with these records."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"model/{name}", b"3\n")


def without(end: str) -> Change:
    return lambda name, data: None if name.endswith(end) else (name, data)


def instead(end: str, new: bytes) -> Change:
    return lambda name, data: (name, new if name.endswith(end) else data)


DAMAGED: dict[str, Change] = {
    "no code": without("code/__torch__/tests/unit/lint/torch_models.py"),
    "no data": without("data.pkl"),
    "no weight": without("/data/0"),
    "no constants": without("constants.pkl"),
    "no version": without("version"),
    "nothing": lambda *_: None,
    "too old": instead("version", b"0\n"),
    "too new": instead("version", b"99\n"),
    "no number": instead("version", b"one\n"),
    "not in a folder": lambda name, data: (name.split("/", 1)[1], data),
    "a pickle of another protocol": instead("data.pkl", b"cos\nsystem\n(S'true'\ntR."),
    "an empty pickle": instead("data.pkl", b""),
    "a head that does not end": lambda name, data: (name, data.replace(b") -> Tuple", b" -> Tuple")),
    "a head of another language": lambda name, data: (name, data.replace(b"x: Tensor)", b"Tensor x)")),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_torch_does_not_load_is_refused(case: str, tmp_path: Path) -> None:
    """A damaged archive is refused here as it is there."""
    path = changed(saved(tmp_path / "model.pt"), DAMAGED[case])

    assert isinstance(view(path), Refusal)
    with pytest.raises(RuntimeError):
        torch.jit.load(path)


def test_an_untouched_archive_is_taken(tmp_path: Path) -> None:
    """Writing the records anew does not damage them."""
    path = changed(saved(tmp_path / "model.pt"), lambda name, data: (name, data))
    assert isinstance(view(path), TorchScriptView)
    torch.jit.load(path)


@pytest.mark.parametrize(
    ("save", "hint"),
    [
        (lambda path: torch.save(Two().state_dict() | {"a": torch.zeros(1)}, path), "state dict"),
        (lambda path: torch.save(Outer(), path), "pickled tests.unit.lint.torch_models.Outer"),
        (lambda path: write(path, "version", "byteorder", "models/model.json"), "torch.export"),
        (lambda path: write(path, "version", "data/aotinductor/model/wrapper.so"), "AOTInductor"),
    ],
    ids=["state dict", "module", "exported program", "compiled program"],
)
def test_another_archive_of_torch_is_named(save: Callable[[Path], None], hint: str, tmp_path: Path) -> None:
    """What torch saves otherwise is refused in libtorch's words, and the fix says what it is."""
    path = tmp_path / "model.pt2"
    save(path)

    found = view(path)

    assert isinstance(found, Refusal)
    assert (found.code, hint in found.fix) == ("T102", True), found
    assert "failed locating file constants.pkl: file not found" in found.message


@pytest.mark.parametrize("record", ["data.pkl", "constants.pkl"])
def test_a_harmful_pickle_is_read_and_does_nothing(record: str, tmp_path: Path) -> None:
    """What unpickling would run is not run, and not reported as a model either."""
    marker = tmp_path / "marker"
    path = changed(saved(tmp_path / "model.pt"), instead(record, pickle.dumps(Harmful(marker), protocol=2)))

    found = view(path)

    assert not marker.exists()
    assert isinstance(found, Refusal) == (record == "data.pkl")
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        pickle.loads(archive.read(f"model/{record}"))
    assert marker.exists()


def test_a_bomb_is_not_blown_up(tmp_path: Path) -> None:
    """A record that would unpack to more than code can be is refused after that much."""
    path = saved(tmp_path / "model.pt")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/code/__torch__/bomb.py", b"\0" * (torch_archive.LARGEST_RECORD + 1))

    found = view(path)

    assert isinstance(found, Refusal)
    assert "more than 64 MB" in found.message


def test_a_pickle_that_never_ends_is_read_to_a_bound() -> None:
    """Of a pickle with more opcodes than any module has only the start is read."""
    endless = b"\x80\x02c__torch__\nM\n" + b"N0" * torch_pickle.MOST
    assert outline(endless).first == "__torch__.M"


@pytest.mark.parametrize("data", [b"", b"\x80", b"junk", b"\x80\x02h\x05.", b"\x80\x02t.", b"\x80\x02s."])
def test_bytes_that_are_no_pickle_are_no_pickle(data: bytes) -> None:
    """Whatever is wrong with a pickle, it is one error."""
    with pytest.raises(NotPickle):
        outline(data)
