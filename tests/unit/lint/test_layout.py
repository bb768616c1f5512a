"""Folder in, findings out, for what the names of files and folders alone tell."""

import os
from pathlib import Path

import pytest

from builder.lint import Target
from builder.lint.model import lint_model
from builder.spec.releases import release
from tests.unit.lint.layout_cases import CONFIG, DEADLY, LAYOUTS, Layout
from tests.unit.rules.core_cases import lay_out

TARGET = Target(release=release("24.10"))


def laid_out(layout: Layout, folder: Path) -> Path:
    """Write a model whose backend comes with it."""
    links = {path: to for path, to in layout.files.items() if isinstance(to, bytes)}
    lay_out(folder, {path: text for path, text in layout.files.items() if path not in links})
    for path, to in links.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).symlink_to(to.removeprefix(b"link:").decode())
    (folder / "libtriton_tiny.so").touch()
    return folder


def codes(folder: Path) -> str:
    found = {f"{one.severity[0].upper()}{one.code}" for one in lint_model(folder, TARGET).findings}
    return " ".join(sorted(found))


@pytest.mark.parametrize("layout", {**LAYOUTS, **DEADLY}.values(), ids={**LAYOUTS, **DEADLY})
def test_a_layout_is_taken_as_the_server_takes_it(layout: Layout, tmp_path: Path) -> None:
    """Lint has an error exactly for what the server was seen to refuse, and the warnings of the case."""
    assert codes(laid_out(layout, tmp_path / "M")) == layout.codes
    assert ("E" in layout.codes) == bool(layout.words) or layout in DEADLY.values()


@pytest.mark.parametrize(("name", "version"), [("5.tmp", "5"), ("-1", "18446744073709551615")])
def test_a_backend_looks_where_the_server_sends_it(name: str, version: str, tmp_path: Path) -> None:
    """A version folder with more than its number in its name is not where the files are looked for."""
    files = {"config.pbtxt": 'backend: "onnxruntime"', f"{name}/model.onnx": ""}
    found = lint_model(laid_out(Layout(files, ""), tmp_path / "M"), TARGET).findings

    assert [one.message for one in found if one.code == "R107"] == [
        f"failed to stat file {version}/model.onnx"
    ]


@pytest.mark.parametrize("secret", ["config.pbtxt", "1", "."])
def test_what_cannot_be_read_is_a_finding(secret: str, tmp_path: Path) -> None:
    """Another user's file or folder ends in R106, never in a traceback."""
    model = laid_out(
        Layout({"config.pbtxt": CONFIG.replace("tiny", "onnxruntime"), "1/model.onnx": ""}, ""),
        tmp_path / "M",
    )
    (model / secret).chmod(0)
    try:
        found = as_nobody(model)
    finally:
        (model / secret).chmod(0o755)
    assert "R106" in found or (secret == "1" and found)


def as_nobody(model: Path) -> list[str]:
    """Return the codes that another user gets; root may read everything."""
    if os.geteuid() != 0:
        return [one.code for one in lint_model(model, TARGET).findings]
    for folder in (model, *model.parents[:3]):
        if folder.stat().st_mode & 0o700:
            folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        return [one.code for one in lint_model(model, TARGET).findings]
    finally:
        os.seteuid(0)
