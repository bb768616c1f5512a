"""Between Triton's requests and responses and plain arrays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from builder.server.standins import batching
from builder.server.standins.batching import Feeds, Run
from builder.server.standins.refused import RequestRefused


def model_path() -> Path:
    """Return the model file that this stub was started for; auto-complete is not told it in any other way."""
    return Path(Path("/proc/self/cmdline").read_bytes().split(b"\0")[1].decode())


def respond(requests: Sequence[Any], run: Run, *, batched: bool) -> list[Any]:
    """Return one response per request, each with the outputs that its client asked for."""
    feeds = [{tensor.name(): tensor.as_numpy() for tensor in request.inputs()} for request in requests]
    answers = batching.answer(feeds, run, batched=batched)
    return [_response(request, answer) for request, answer in zip(requests, answers, strict=True)]


def _response(request: Any, answer: Feeds | RequestRefused) -> Any:
    if isinstance(answer, RequestRefused):
        code = getattr(pb_utils.TritonError, answer.code)
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(answer), code))
    wanted = request.requested_output_names()
    return pb_utils.InferenceResponse(
        [pb_utils.Tensor(name, np.ascontiguousarray(answer[name])) for name in wanted]
    )
