"""The stub imports numpy 1 and the target's runtime before anything of the main environment."""

import sysconfig
from pathlib import Path

from builder.server.embedded.stub_python import path_lines


def test_what_is_ahead_comes_first() -> None:
    """The folders ahead are plain lines before every site folder, so their packages win."""
    lines = path_lines([Path("/cache/numpy"), Path("/cache/onnxruntime")])

    assert lines[:2] == ("/cache/numpy", "/cache/onnxruntime")


def test_the_main_environment_is_a_site_folder() -> None:
    """site.addsitedir runs the .pth files in there, so that an editable install of ours imports."""
    purelib = sysconfig.get_path("purelib")

    assert f"import site; site.addsitedir({purelib!r})" in path_lines([])
