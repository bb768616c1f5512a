"""The stub imports numpy 1 and the target's runtime before anything of the main environment."""

import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from builder.errors import MissingTool
from builder.server.embedded import stub_python as module
from builder.server.embedded.stub_python import path_lines, stub_python
from builder.server.embedded.wheels import Wheel
from builder.spec.releases import release


def test_what_is_ahead_comes_first() -> None:
    """The folders ahead are plain lines before every site folder, so their packages win."""
    lines = path_lines([Path("/cache/numpy"), Path("/cache/onnxruntime")])

    assert lines[:2] == ("/cache/numpy", "/cache/onnxruntime")


def test_the_main_environment_is_a_site_folder() -> None:
    """site.addsitedir runs the .pth files in there, so that an editable install of ours imports."""
    purelib = sysconfig.get_path("purelib")

    assert f"import site; site.addsitedir({purelib!r})" in path_lines([])


def test_a_wheel_that_does_not_exist_is_replaced_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no wheel of the target's ONNX Runtime was ever built for this Python, the environment's runs."""
    monkeypatch.setenv("TRB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "fetch_wheel", lambda wheel: tmp_path / wheel.folder_name)
    said: list[str] = []

    folder = stub_python(replace(release("24.10"), onnxruntime="1.10.0"), target_torch=False, say=said.append)

    assert len(said) == 1
    assert "onnxruntime 1.10.0 has no wheel for this Python" in said[0]
    assert "onnxruntime" not in next(folder.parent.rglob("trb.pth")).read_text().partition("\n")[0]


def test_a_wheel_that_cannot_be_had_is_not_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network, a damaged file, another file: each ends the start, and no other ONNX Runtime runs silently."""
    monkeypatch.setenv("TRB_CACHE", str(tmp_path / "cache"))

    def fetch(wheel: Wheel) -> Path:
        if wheel.project == "onnxruntime":
            raise MissingTool("not the file that trb was tested with")
        return tmp_path

    monkeypatch.setattr(module, "fetch_wheel", fetch)

    with pytest.raises(MissingTool, match="not the file"):
        stub_python(release("24.10"), target_torch=False, say=lambda _: None)
