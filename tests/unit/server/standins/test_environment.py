"""The stub's process: its numpy, its release, the versions it leaves behind."""

import json
from pathlib import Path

import numpy as np
import pytest

from builder.server.endpoint import RUNTIME_VERSIONS_VARIABLE, TARGET_RELEASE_VARIABLE
from builder.server.standins import environment
from builder.server.standins.refused import LoadRefused


def test_numpy_2_is_refused_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """On numpy 2 the stub would return empty tensors, so the model is not loaded at all."""
    monkeypatch.setattr(np, "__version__", "2.4.6")
    with pytest.raises(LoadRefused, match=r"numpy 2\.4\.6.*empty tensors"):
        environment.require_numpy_1()
    monkeypatch.setattr(np, "__version__", "1.26.4")
    environment.require_numpy_1()


def test_the_release_is_the_one_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name, no limits."""
    monkeypatch.delenv(TARGET_RELEASE_VARIABLE, raising=False)
    assert environment.target_release() is None
    monkeypatch.setenv(TARGET_RELEASE_VARIABLE, "24.10")
    found = environment.target_release()
    assert found is not None
    assert (found.onnxruntime, found.max_opset, found.max_ir) == ("1.19.2", 21, 10)


def test_the_versions_are_written_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One file per backend, and nothing else stays behind; nobody asking means no file."""
    monkeypatch.delenv(RUNTIME_VERSIONS_VARIABLE, raising=False)
    environment.write_versions("onnxruntime", {"onnxruntime": "1.19.2"})
    assert list(tmp_path.iterdir()) == []

    monkeypatch.setenv(RUNTIME_VERSIONS_VARIABLE, str(tmp_path))
    environment.write_versions("onnxruntime", {"onnxruntime": "1.19.2"})
    assert [path.name for path in tmp_path.iterdir()] == ["onnxruntime.json"]
    found = json.loads((tmp_path / "onnxruntime.json").read_text())
    assert found["onnxruntime"] == "1.19.2"
    assert found["numpy"] == np.__version__
