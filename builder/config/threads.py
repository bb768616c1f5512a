"""Threads for each instance, so that two of them do not fight over the cores."""

import os
from collections.abc import Mapping
from typing import Final

from builder.spec.project import Backend, Instances

_INTRA_OP: Final[Mapping[Backend, str]] = {
    Backend.ONNX: "intra_op_thread_count",
    Backend.TORCHSCRIPT: "INTRA_OP_THREAD_COUNT",
}


def thread_parameters(backend: Backend, instances: Instances, cores: int | None = None) -> Mapping[str, str]:
    """Return the backend parameters that give every instance its share of the cores; none where nothing is shared.

    One instance may take all cores, which is what both runtimes do when they are told nothing; so nothing is written,
    and the file suits every machine. Several get cores / instances each, at least one. A number that suits the serving
    machine cannot be had from any other: `instances.cores` names it, and the machine that builds stands in for it
    where the spec does not. On GPUs the model's own threads do not matter.

    torch's optimised execution stays on: its slow first runs are what the warmup is for.
    """
    if backend not in _INTRA_OP or instances.count == 1 or instances.kind == "gpu":
        return {}
    shared = cores or instances.cores or len(os.sched_getaffinity(0))
    return {_INTRA_OP[backend]: str(max(1, shared // instances.count))}
