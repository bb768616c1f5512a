"""The first hop: the exported file against its reference, in this process."""

from math import inf
from typing import Any

import torch

from builder.blame import first_line
from builder.compare import compare, tolerances
from builder.feeds import answer, cases
from builder.runtimes import open_file
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded, Runner
from builder.spec.results import Comparison, Hop
from builder.spec.tensors import Signature


def offline_parity(loaded: Loaded, artifact: Artifact, *, threads: int) -> Hop:
    """Compare the file with the reference over all cases, up to one at which the file fails; the hop says it.

    Raises:
        ExportError: the file's own runtime refuses it.
        SourceError: the reference refuses a case.
    """
    run = open_file(artifact.backend, artifact.path, artifact.signature, threads=threads)
    return parity_of(loaded, run, artifact.signature, name=f"{_short(loaded)} -> {artifact.path.name}")


def parity_of(loaded: Loaded, run: Runner, signature: Signature, *, name: str) -> Hop:
    """Compare what `run` answers with the reference over all cases, up to one at which it fails; the hop says it.

    Args:
        loaded: the model and its reference.
        run: what stands for it: its file, or the files of a pipeline's steps.
        signature: of `run`.
        name: the hop's.

    Raises:
        SourceError: the reference refuses a case.
    """
    allowed = tolerances(loaded.model, signature)
    comparisons: list[Comparison] = []
    problem = ""
    for case in cases(loaded.model, loaded.signature, loaded.samples):
        want = answer(loaded.reference, case, loaded.model, loaded.samples)
        try:
            got = run(case.feed)
        except Exception as error:  # noqa: BLE001 - torch's and ONNX Runtime's share no class below Exception
            problem = f"{case.name}: the file fails where the model does not: {first_line(error)}"
            break
        comparisons.append(Comparison(case=case.name, outputs=compare(want, got, allowed)))
    return Hop(name=name, comparisons=tuple(comparisons), problem=problem)


def way_to_pass(loaded: Loaded, hop: Hop) -> str:
    """Return what could make a failed hop pass; empty: the file has to change."""
    failed = [gap for comparison in hop.comparisons for gap in comparison.outputs if not gap.passed]
    if _has_nested_tensors(loaded.original) and any(
        gap.worst_want == 0 or not gap.compared for gap in failed
    ):
        return (
            "eager nn.TransformerEncoder leaves padding out, and answers with zeros, which no exported file does: "
            "make it with enable_nested_tensor=False"
        )
    needed = max((gap.needed_rtol for gap in failed), default=inf)
    if needed != inf and not hop.problem:
        return f"rtol {needed:.2g} would have passed; see `parity` in trb.yaml"
    if hop.problem or any(gap.compared for gap in failed):
        return "if no client sends such inputs, say `values: samples` of them in trb.yaml"
    if hop.uncompared:
        return "give `samples` for which the model answers with something"
    return ""


def _has_nested_tensors(module: Any) -> bool:
    encoders = module.modules() if isinstance(module, torch.nn.Module) else ()
    return any(getattr(part, "use_nested_tensor", False) for part in encoders)


def _short(loaded: Loaded) -> str:
    return "PyTorch" if loaded.kind == "module" else loaded.reference_name
