import sys
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from builder.errors import SourceError
from builder.loading import fingerprint
from builder.spec.project import Model
from tests.unit.loading.conftest import LINEAR, X

READS = LINEAR.replace(
    "torch.manual_seed(0)",
    "import layers, pathlib\n    pathlib.Path(__file__).with_name('c.txt').read_text()\n    torch.manual_seed(0)",
)


@pytest.fixture
def built(project, tmp_path):
    """Return a loaded model whose source imports layers.py and reads c.txt."""
    (tmp_path / "layers.py").write_text("WIDTH = 3\n")
    (tmp_path / "c.txt").write_text("1")
    return project(READS)


def holds(loaded, folder, **changes) -> bool:
    now = {"name": "net", "model": loaded.model, "triton": "24.10", "folder": folder, **changes}
    return fingerprint.still_holds(loaded.fingerprint, **now)


def test_imports_and_opened_files_are_in_it(built) -> None:
    """Every module and file of the user is there by its relative path, and nothing of ours or installed."""
    files = built.fingerprint.files

    assert {"model.py", "layers.py", "c.txt"} <= set(files)
    assert not [
        path for path in files if "site-packages" in path or "/builder/" in path or "__pycache__" in path
    ]


def test_it_holds_while_nothing_changes(built, tmp_path) -> None:
    """The same spec and files need no build."""
    assert holds(built, tmp_path)


@pytest.mark.parametrize("name", ["model.py", "layers.py", "c.txt"])
def test_a_changed_or_missing_file_ends_it(built, tmp_path, name) -> None:
    """One byte in any file that was read, or its absence, asks for a build."""
    (tmp_path / name).write_text((tmp_path / name).read_text() + " ")
    assert not holds(built, tmp_path)
    (tmp_path / name).unlink()
    assert not holds(built, tmp_path)


@pytest.mark.parametrize("changes", [{"name": "other"}, {"triton": "24.09"}])
def test_another_name_or_release_ends_it(built, tmp_path, changes) -> None:
    """What trb.yaml says of the model includes its name and release."""
    assert not holds(built, tmp_path, **changes)


def test_a_changed_entry_ends_it(built, tmp_path) -> None:
    """Any value of the entry counts."""
    assert not holds(built, tmp_path, model=replace(built.model, keep_versions=2))


def test_another_version_of_a_package_ends_it(built, tmp_path) -> None:
    """The exported bytes may depend on torch, so its version counts."""
    older = replace(built.fingerprint, packages={**built.fingerprint.packages, "torch": "1.0"})

    assert not holds(replace(built, fingerprint=older), tmp_path)


def test_an_entry_has_one_hash_in_every_spelling_of_its_defaults() -> None:
    """Defaults written out and left out are the same entry."""
    assert fingerprint.entry_sha256("a", Model(source="m:l", inputs=X), "24.10") == fingerprint.entry_sha256(
        "a", Model(source="m:l", inputs=X, keep_versions=1), "24.10"
    )


def test_provenance_does_not_depend_on_the_folder(project, tmp_path) -> None:
    """Source and weights hash to the same wherever the project lies; a changed source to another."""
    first = project().provenance

    assert project().provenance == first
    assert project(LINEAR + "\n").provenance.source_sha256 != first.source_sha256
    assert project(LINEAR + "\n").provenance.weights_sha256 == first.weights_sha256
    assert str(tmp_path) not in repr(first)


def test_a_module_outside_the_folder_counts_by_its_name(project, tmp_path_factory, monkeypatch) -> None:
    """A shared module changes the hash of the source, wherever it lies, and its path is nowhere in the record."""
    text = LINEAR.replace("import torch", "import torch, shared_layers", 1)

    def source_sha256(content: str) -> str:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (elsewhere / "shared_layers.py").write_text(content)
        monkeypatch.syspath_prepend(str(elsewhere))
        monkeypatch.delitem(sys.modules, "shared_layers", raising=False)
        found = project(text).provenance
        sys.modules.pop("shared_layers")
        assert str(elsewhere) not in repr(found)
        return found.source_sha256

    assert source_sha256("WIDTH = 3\n") == source_sha256("WIDTH = 3\n") != source_sha256("WIDTH = 4\n")


def test_native_readers_are_put_back(project) -> None:
    """What torch and safetensors were before a source loaded, they are after it, whether it loads or not."""
    before = (torch.jit.load, safetensors.safe_open, safetensors.torch.safe_open)
    project()
    with pytest.raises(SourceError):
        project("raise RuntimeError\n")

    assert (torch.jit.load, safetensors.safe_open, safetensors.torch.safe_open) == before


def test_fingerprint_is_light() -> None:
    """What a no-op build imports of this stage holds neither torch nor numpy by itself."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(fingerprint.__file__).read_text())
    imported = {
        getattr(node, "module", None) or node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert not {name for name in imported if name.split(".")[0] in ("torch", "numpy", "onnx")}
    assert {name for name in imported if name.startswith("builder")} <= {
        "builder",
        "builder.spec.hashing",
        "builder.spec.loaded",
        "builder.spec.project",
    }
