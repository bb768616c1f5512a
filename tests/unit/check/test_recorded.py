import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from builder.check.recorded import departures
from builder.spec.artifact import BatchProof
from builder.spec.record import VersionRecord
from builder.spec.results import Hop


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "m" / "1"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"weights")
    (folder / "record.json").write_text("{}")
    (folder.parent / "config.pbtxt").write_text('name: "m"')
    return folder


@pytest.fixture
def record(version, loaded) -> VersionRecord:
    return VersionRecord(
        model="m",
        backend="onnxruntime",
        triton="24.10",
        exporter="torch.export",
        signature=loaded.signature,
        batch=BatchProof(max_batch_size=8, reason="", sizes=()),
        provenance=loaded.provenance,
        offline_parity=Hop(name="PyTorch -> model.onnx", comparisons=()),
        files={"model.onnx": sha256(version / "model.onnx")},
        config_sha256=sha256(version.parent / "config.pbtxt"),
    )


def test_an_untouched_version_is_what_its_record_says(version, record, loaded):
    """Nothing is told of a version that nobody touched."""
    assert departures(version, record, loaded) == ()


def test_a_changed_file_is_named(version, record, loaded):
    """One changed byte in a file of the version is told with the file's path."""
    (version / "model.onnx").write_bytes(b"weightz")

    (found,) = departures(version, record, loaded)

    assert str(version / "model.onnx") in found
    assert "changed after it was published" in found


def test_missing_and_added_files_are_named(version, record, loaded):
    """A file that is gone and one that came later are both told."""
    (version / "model.onnx").rename(version / "other.onnx")

    found = " ".join(departures(version, record, loaded))

    assert "model.onnx is missing" in found
    assert "other.onnx was added" in found


def test_a_changed_config_is_named(version, record, loaded):
    """An edit of config.pbtxt after the publish is told."""
    (version.parent / "config.pbtxt").write_text('name: "m" max_batch_size: 64')

    assert "config.pbtxt changed" in departures(version, record, loaded)[0]


def test_other_weights_than_those_built_are_told(version, record, loaded):
    """A source that has new weights since the build is told to be built first."""
    retrained = replace(loaded, provenance=replace(loaded.provenance, weights_sha256="other"))

    assert "run trb build first" in departures(version, record, retrained)[0]


def test_a_version_without_a_record_is_a_failure(version, loaded):
    """Without a record nothing says what was published."""
    assert "has no record.json" in departures(version, None, loaded)[0]
