"""The first hop: the exported file against its reference, in this process."""

from builder.compare import compare, tolerances
from builder.feeds import cases
from builder.runtimes import open_file
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded
from builder.spec.results import Comparison, Hop


def offline_parity(loaded: Loaded, artifact: Artifact, *, threads: int) -> Hop:
    """Compare the file with the reference over all cases; the hop says whether they agree.

    Raises:
        ExportError: the file's own runtime refuses it.
    """
    run = open_file(artifact.backend, artifact.path, artifact.signature, threads=threads)
    allowed = tolerances(loaded.model, artifact.signature)
    comparisons = tuple(
        Comparison(case=case.name, outputs=compare(loaded.reference(case.feed), run(case.feed), allowed))
        for case in cases(loaded.model, loaded.signature, loaded.samples)
    )
    return Hop(name=f"{_short(loaded)} -> {artifact.path.name}", comparisons=comparisons)


def _short(loaded: Loaded) -> str:
    return "PyTorch" if loaded.kind == "module" else loaded.reference_name
