"""The digits network in both formats, served by the stand-ins with one thread each."""

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _paired import ROOT

from builder.server.client import Client, connected
from builder.server.embedded import running
from builder.server.endpoint import Endpoint
from builder.spec.releases import release

TARGET = release("24.10")
IMAGES = np.random.default_rng(0).uniform(0, 16, (8, 1, 8, 8)).astype(np.float32)
FILES = {"onnxruntime": "model.onnx", "pytorch": "model.pt"}
NAMES = {"onnxruntime": "digits_onnx", "pytorch": "digits_torchscript"}
_THREADS = {"onnxruntime": "intra_op_thread_count", "pytorch": "INTRA_OP_THREAD_COUNT"}
_CONFIG = """
name: "{name}" backend: "{backend}" max_batch_size: 8
input {{ name: "image" data_type: TYPE_FP32 dims: [1, 8, 8] }}
output {{ name: "scores" data_type: TYPE_FP32 dims: [10] }}
instance_group {{ count: 1 kind: KIND_CPU }}
dynamic_batching {{ }}
parameters {{ key: "{threads}" value: {{ string_value: "1" }} }}
"""


def lay_out(repository: Path) -> None:
    """Write the network into `repository`, once for each backend."""
    import torch

    sys.path.insert(0, str(ROOT / "examples" / "digits"))
    from model import DigitNet

    class Scores(DigitNet):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.head(self.features(image / 16.0))

    torch.manual_seed(0)
    network = Scores().eval()
    for backend, name in NAMES.items():
        (repository / name / "1").mkdir(parents=True)
        text = _CONFIG.format(name=name, backend=backend, threads=_THREADS[backend])
        (repository / name / "config.pbtxt").write_text(text)
    batch = torch.export.Dim("batch", min=1, max=8)
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            network,
            (torch.from_numpy(IMAGES),),
            repository / "digits_onnx/1/model.onnx",
            input_names=["image"],
            output_names=["scores"],
            dynamic_shapes=({0: batch},),
            opset_version=18,
            external_data=False,
            verbose=False,
        )
    torch.jit.freeze(torch.jit.trace(network, torch.from_numpy(IMAGES))).save(
        str(repository / "digits_torchscript/1/model.pt")
    )


@contextlib.contextmanager
def served(repository: Path, logs: Path) -> Iterator[tuple[Endpoint, Client]]:
    """Serve `repository` on the embedded Triton."""
    with running(repository, release=TARGET, log_dir=logs) as endpoint, connected(endpoint) as client:
        yield endpoint, client
