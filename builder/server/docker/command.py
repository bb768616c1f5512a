"""The command of the server in a container, the same in the official image and in ours."""

from typing import Final

from builder.server.serving import Serving
from builder.server.wanted import configs_are_complete

HTTP, GRPC, METRICS = 8000, 8001, 8002
MODELS: Final = "/models"
EXIT_TIMEOUT_S: Final = 8
_POLL_S: Final = 1


def command(serving: Serving, *, on_gpu: bool, in_stubs: bool) -> list[str]:
    """Return the command line.

    Args:
        serving: what is served, and how.
        on_gpu: whether the container is given a GPU.
        in_stubs: whether each model's config is completed by one more stub, which costs seconds; not where it has
            nothing to complete.
    """
    is_explicit = serving.control == "explicit" or (serving.control == "none" and serving.models is not None)
    mode = "explicit" if is_explicit else serving.control
    loaded = ("*",) if serving.models is None else tuple(serving.models)
    complete = in_stubs and configs_are_complete(serving.repository, serving.models)
    return [
        "tritonserver",
        f"--model-repository={MODELS}",
        f"--http-port={HTTP}",
        f"--grpc-port={GRPC}",
        f"--metrics-port={METRICS}",
        f"--model-control-mode={mode}",
        # Why a model failed is read from the repository index; an exit would leave only a log.
        "--exit-on-error=false",
        f"--exit-timeout-secs={EXIT_TIMEOUT_S}",
        *([f"--repository-poll-secs={_POLL_S}"] if mode == "poll" else []),
        *([f"--load-model={name}" for name in loaded] if mode == "explicit" else []),
        # No GPU: without these the log opens with warnings about one.
        *([] if on_gpu else ["--allow-gpu-metrics=false", "--pinned-memory-pool-byte-size=0"]),
        *(["--disable-auto-complete-config"] if complete else []),
    ]
