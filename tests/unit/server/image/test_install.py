"""What of the installed packages an image does without."""

from pathlib import Path

import pytest

from builder.server.image.inside.install import dropped

KEPT = (
    "torch/bin/torch_shm_manager",
    "torch/lib/libtorch_cpu.so",
    "torch/testing/__init__.py",
    "numpy/testing/__init__.py",
    "numpy/core/multiarray.py",
    "latest/__init__.py",
    "one.py",
    "theirs/tests/data/x.bin",
    "theirs/include/theirs.h",
)
DROPPED = (
    "torch/bin/test_api",
    "torch/include/torch.h",
    "torch/test/a.py",
    "numpy/core/tests/test_a.py",
    "sympy/deep/down/tests/data/x.bin",
    "torch/one.pyi",
    "numpy/random/_a.pyx",
)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    for name in (*KEPT, *DROPPED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("name", DROPPED)
def test_what_nothing_runs_goes(name: str, packages: Path) -> None:
    """Tests, headers, sources and editors' stubs are dropped, or lie in a folder that is."""
    gone = set(dropped(packages))

    assert {packages / name, *(packages / name).parents} & gone


@pytest.mark.parametrize("name", KEPT)
def test_what_runs_stays(name: str, packages: Path) -> None:
    """A program, a library or a module that something imports is not dropped, nor a folder above it."""
    gone = set(dropped(packages))

    assert not {packages / name, *(packages / name).parents} & gone
