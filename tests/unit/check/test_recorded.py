from dataclasses import replace

import pytest

from builder.check.recorded import edited, outdated
from builder.spec.artifact import BatchProof
from builder.spec.loaded import Fingerprint
from builder.spec.record import VersionRecord
from builder.spec.results import Comparison, Hop, OutputGap


@pytest.fixture
def record(loaded) -> VersionRecord:
    return VersionRecord(
        model="m",
        backend="onnxruntime",
        triton="24.10",
        exporter="torch.export",
        signature=loaded.signature,
        batch=BatchProof(max_batch_size=8, reason="", sizes=()),
        provenance=loaded.provenance,
        offline_parity=Hop(name="PyTorch -> model.onnx", comparisons=()),
    )


def test_the_source_that_was_built_is_not_outdated(record, loaded):
    """Nothing is told of a source whose weights are the recorded ones."""
    assert outdated(record, loaded) == ()


def test_other_weights_than_those_built_are_told(record, loaded):
    """A source that has new weights since the build is told to be built first."""
    retrained = replace(loaded, provenance=replace(loaded.provenance, weights_sha256="other"))

    assert "run trb build first" in outdated(record, retrained)[0]


def hop(*, passed: bool) -> Hop:
    gap = OutputGap(name="y", passed=passed, compared=3)
    return Hop(name="PyTorch -> model.onnx", comparisons=(Comparison(case="random", outputs=(gap,)),))


def test_an_edited_source_is_told_beside_a_hop_that_fails_and_only_there(loaded):
    """A changed file is named where numbers differ; where they agree it is no failure."""
    now = replace(
        loaded, fingerprint=Fingerprint(entry_sha256="e", files={"m.py": "2", "b": "1"}, packages={})
    )
    built = {"m.py": "1", "b": "1", "gone.json": "1"}

    assert edited(built, now, (hop(passed=True), hop(passed=False)), version=3) == (
        "m.py changed since version 3 was built: run trb build",
    )
    assert edited(built, now, (hop(passed=True),), version=3) == ()
    assert edited({"m.py": "2"}, now, (hop(passed=False),), version=3) == ()
    assert edited({}, now, (hop(passed=False),), version=3) == ()
