"""Whether the source is still the one that the served version was built from."""

from collections.abc import Mapping, Sequence

from builder.spec.loaded import Loaded
from builder.spec.record import VersionRecord
from builder.spec.results import Hop


def outdated(record: VersionRecord, loaded: Loaded) -> tuple[str, ...]:
    """Return a sentence if the source's weights changed since the build: its answers are then other ones."""
    if record.provenance.weights_sha256 == loaded.provenance.weights_sha256:
        return ()
    return (f"the weights of {loaded.name} are not those this version was built from: run trb build first",)


def edited(
    built_from: Mapping[str, str], loaded: Loaded, hops: Sequence[Hop], *, version: int
) -> tuple[str, ...]:
    """Return a sentence if files of the source changed since the build and a hop failed.

    Other files whose numbers agree are no failure: a comment changes no answer.

    Args:
        built_from: sha256 by path of what the build read; empty where that is not known.
        loaded: the source as it is now.
        hops: what was found.
        version: the version that was built.
    """
    now = loaded.fingerprint.files
    changed = [path for path, digest in built_from.items() if now.get(path, digest) != digest]
    if not changed or all(hop.passed for hop in hops):
        return ()
    return (f"{', '.join(changed)} changed since version {version} was built: run trb build",)
