"""How the next build knows that nothing changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from builder import repository
from builder.repository.layout import state_file
from builder.spec.loaded import Fingerprint
from tests.unit.repository.values import publish

FINGERPRINT = Fingerprint(entry_sha256="e", files={"model.py": "5e"}, packages={"torch": "2.13.0"})


def saved(root: Path) -> repository.State:
    published = publish(root, "w")
    repository.save_state(root, "digits", FINGERPRINT, (published,))
    state = repository.load_state(root, "digits")
    assert state is not None
    return state


def test_the_fingerprint_comes_back(root: Path) -> None:
    """What was saved is what is loaded."""
    assert saved(root).fingerprint == FINGERPRINT


def test_an_untouched_repository_is_intact(root: Path) -> None:
    """Nothing was edited, so nothing need be built."""
    assert repository.is_intact(root, saved(root))


EDITS: dict[str, Callable[[Path], object]] = {
    "the model is deleted": lambda model: model.rename(model.with_name("elsewhere")),
    "the version is deleted": lambda model: (model / "1").rename(model.parent.parent / "elsewhere"),
    "a file is deleted": lambda model: (model / "1" / "model.onnx").unlink(),
    "a file is edited": lambda model: (model / "1" / "model.onnx").write_text("edited"),
    "a file is touched": lambda model: os.utime(model / "1" / "data" / "weights", (1, 1)),
    "a file is added": lambda model: (model / "1" / "extra").write_text(""),
    "the config is edited": lambda model: (model / "config.pbtxt").write_text("edited"),
    "the config is deleted": lambda model: (model / "config.pbtxt").unlink(),
    "the warmup is deleted": lambda model: (model / "warmup" / "0_x").unlink(),
    "another version is newer": lambda model: (model / "2").mkdir(),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_touched_repository_is_not(root: Path, edit: str) -> None:
    """Any edit of what is served is noticed without reading the files."""
    state = saved(root)
    EDITS[edit](root / "m")
    assert not repository.is_intact(root, state)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"fingerprint": 1, "versions": []}', "\xff\x00"])
def test_a_damaged_state_is_no_state(root: Path, text: str) -> None:
    """The model is built again; nobody sees an error."""
    saved(root)
    state_file(root, "digits").write_bytes(text.encode("latin-1"))
    assert repository.load_state(root, "digits") is None


def test_a_model_never_built_has_no_state(root: Path) -> None:
    """No file is no state."""
    assert repository.load_state(root, "digits") is None


def test_a_state_without_versions_is_not_intact(root: Path) -> None:
    """A build that left nothing cannot be fresh."""
    repository.save_state(root, "digits", FINGERPRINT, ())
    state = repository.load_state(root, "digits")
    assert state is not None
    assert not repository.is_intact(root, state)
