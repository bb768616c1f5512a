from dataclasses import replace

import pytest

from builder.check.recorded import outdated
from builder.spec.artifact import BatchProof
from builder.spec.record import VersionRecord
from builder.spec.results import Hop


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
