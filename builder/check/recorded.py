"""Whether the source is still the one that the served version was built from."""

from builder.spec.loaded import Loaded
from builder.spec.record import VersionRecord


def outdated(record: VersionRecord, loaded: Loaded) -> tuple[str, ...]:
    """Return a sentence if the source's weights changed since the build: its answers are then other ones."""
    if record.provenance.weights_sha256 == loaded.provenance.weights_sha256:
        return ()
    return (f"the weights of {loaded.name} are not those this version was built from: run trb build first",)
