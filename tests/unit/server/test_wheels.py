"""Which wheel is asked for, and which file is taken for it."""

import re
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace

import pytest

from builder.errors import CommandFailed, MissingTool
from builder.server.embedded import wheels
from builder.server.embedded.wheels import NoSuchWheel, Wheel, fetch_wheel, wheel_for_this_python
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


NOT_THERE = (
    "ERROR: Could not find a version that satisfies the requirement it==1.0 (from versions: 0.9)\n"
    "ERROR: No matching distribution found for it==1.0"
)


@pytest.mark.parametrize(("sha256", "there_is_none"), [(None, True), ("0" * 64, False)])
def test_an_index_that_lacks_a_pinned_wheel_is_no_proof_that_there_is_none(
    sha256: str | None, there_is_none: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mirror without a wheel that is known to exist ends in an error that nothing gets round."""
    monkeypatch.setenv("TRB_CACHE", str(tmp_path))
    monkeypatch.delenv("TRB_WHEELS", raising=False)
    said = CompletedProcess([], 1, stdout="", stderr=NOT_THERE)
    monkeypatch.setattr(wheels.shell, "run", lambda *_, **__: said)

    with pytest.raises(MissingTool) as caught:
        fetch_wheel(Wheel(project="it", version="1.0", sha256=sha256))

    assert isinstance(caught.value, NoSuchWheel) == there_is_none


def test_a_fetch_that_hangs_is_a_missing_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An index that never ends its answer is a wheel that could not be fetched, with the way out."""
    monkeypatch.setenv("TRB_CACHE", str(tmp_path))
    monkeypatch.delenv("TRB_WHEELS", raising=False)

    def hang(*_: object, **__: object) -> None:
        raise CommandFailed("no end after 1800 s: pip download")

    monkeypatch.setattr(wheels.shell, "run", hang)

    with pytest.raises(MissingTool, match="could not be fetched") as caught:
        fetch_wheel(Wheel(project="it", version="1.0"))

    assert "TRB_WHEELS" in caught.value.fix


def test_a_version_outside_the_table_is_left_to_the_index() -> None:
    """torch is not pinned: what the index has of that version is taken."""
    assert wheel_for_this_python("torch", "2.5.*").sha256 is None
