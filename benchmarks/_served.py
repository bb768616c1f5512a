"""Two networks in both formats, served by the stand-ins with one thread each."""

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _paired import ROOT

from builder.server import Serving
from builder.server.client import Client, connected
from builder.server.embedded import running
from builder.server.endpoint import Endpoint
from builder.spec.releases import release

TARGET = release("24.10")
IMAGES = np.random.default_rng(0).uniform(0, 16, (8, 1, 8, 8)).astype(np.float32)
WIDE = np.random.default_rng(0).normal(size=(8, 1024)).astype(np.float32)
FILES = {"onnxruntime": "model.onnx", "pytorch": "model.pt"}
_THREADS = {"onnxruntime": "intra_op_thread_count", "pytorch": "INTRA_OP_THREAD_COUNT"}
_CONFIG = """
name: "{name}" backend: "{backend}" max_batch_size: 8
input {{ name: "x" data_type: TYPE_FP32 dims: {dims} }}
output {{ name: "y" data_type: TYPE_FP32 dims: [10] }}
instance_group {{ count: 1 kind: KIND_CPU }}
dynamic_batching {{ }}
parameters {{ key: "{threads}" value: {{ string_value: "1" }} }}
"""


def digits() -> Any:
    """The network of the digits example, its scores alone; so small that calls cost as much as arithmetic."""
    import torch

    sys.path.insert(0, str(ROOT / "examples" / "digits"))
    from model import DigitNet

    class Scores(DigitNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.features(x / 16.0))

    return Scores()


def perceptron() -> Any:
    """5.3 million weights, read once for a batch or once for each of its rows."""
    from torch import nn

    wide, hidden = WIDE.shape[1], 1536
    layers = (nn.Linear(wide, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
    return nn.Sequential(*layers, nn.Linear(hidden, wide), nn.ReLU(), nn.Linear(wide, 10))


def lay_out(repository: Path, name: str, network: Any, rows: np.ndarray) -> dict[str, str]:
    """Write `network` into `repository` once for each backend; return the model's name by backend."""
    import torch

    torch.manual_seed(0)
    example = torch.from_numpy(rows)
    found = {backend: f"{name}_{backend}" for backend in FILES}
    for backend, model in found.items():
        (repository / model / "1").mkdir(parents=True)
        text = _CONFIG.format(
            name=model, backend=backend, threads=_THREADS[backend], dims=list(rows.shape[1:])
        )
        (repository / model / "config.pbtxt").write_text(text)
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            network.eval(),
            (example,),
            repository / found["onnxruntime"] / "1" / "model.onnx",
            input_names=["x"],
            output_names=["y"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=8)},),
            opset_version=18,
            external_data=False,
            verbose=False,
        )
    torch.jit.freeze(torch.jit.trace(network, example)).save(
        str(repository / found["pytorch"] / "1" / "model.pt")
    )
    return found


@contextlib.contextmanager
def served(repository: Path, logs: Path) -> Iterator[tuple[Endpoint, Client]]:
    """Serve `repository` on the embedded Triton."""
    with (
        running(Serving(repository=repository, release=TARGET, log_dir=logs)) as endpoint,
        connected(endpoint) as client,
    ):
        yield endpoint, client
