"""Which wheel is asked for, and which file is taken for it."""

import re
from types import SimpleNamespace

import pytest

from builder.server.embedded import wheels
from builder.server.embedded.wheels import NoSuchWheel, wheel_for_this_python
from builder.spec.releases import releases

PYTHONS = {"cp311": (3, 11), "cp312": (3, 12)}
VERSIONS = sorted({one.onnxruntime for one in releases()})


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    major, minor = PYTHONS[request.param]
    monkeypatch.setattr(
        wheels, "sys", SimpleNamespace(version_info=SimpleNamespace(major=major, minor=minor))
    )
    return str(request.param)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_releases_onnx_runtime_is_pinned_or_does_not_exist(version: str, python: str) -> None:
    """No ONNX Runtime of any release in the table is taken by its version alone."""
    known = wheels._pinned()["onnxruntime"][version]
    if python in known:
        assert re.fullmatch("[0-9a-f]{64}", wheel_for_this_python("onnxruntime", version).sha256 or "")
    else:
        with pytest.raises(NoSuchWheel, match=f"onnxruntime {version} has no wheel for this Python"):
            wheel_for_this_python("onnxruntime", version)


def test_numpy_is_pinned(python: str) -> None:
    """The numpy that the stub takes is one file for each Python."""
    assert wheel_for_this_python("numpy", "1.26.4").sha256


def test_no_two_wheels_have_one_hash() -> None:
    """A hash that was pasted twice would pin the wrong file."""
    hashes = [
        one for versions in wheels._pinned().values() for tags in versions.values() for one in tags.values()
    ]

    assert hashes
    assert len(set(hashes)) == len(hashes)


def test_a_version_outside_the_table_is_left_to_the_index() -> None:
    """torch is not pinned: what the index has of that version is taken."""
    assert wheel_for_this_python("torch", "2.5.*").sha256 is None
