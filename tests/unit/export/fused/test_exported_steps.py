"""Steps from the project's own exporters."""

import pytest
from torch import nn

from builder.export import export
from builder.export.fused import groups, merge
from builder.runtimes import open_file
from builder.spec.project import Axis, Backend
from tests.unit.export.fused.zoo import assert_same, composed, pipeline, rows, step
from tests.unit.export.zoo import given, loaded


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        return self.norm(self.layer(x))


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 3)

    def forward(self, states, weights):
        logits = self.layer((states * weights.unsqueeze(-1)).mean(1))
        return {"logits": logits, "best": logits.argmax(-1, keepdim=True)}


@pytest.mark.parametrize("backend", [Backend.ONNX, Backend.TORCHSCRIPT])
def test_exported_models_answer_the_same_when_merged(backend, target, tmp_path, out) -> None:
    """An encoder and a head, whose axes have other names, at a batch and a length of their own."""
    dims = {"time": Axis(max=6), "length": Axis(max=6)}
    encoder = loaded(Encoder(), {"x": given("fp32", "batch", "time", 8)}, dims={"time": dims["time"]})
    head = loaded(
        Head(),
        {"states": given("fp32", "n", "length", 8), "weights": given("fp32", "n", "length")},
        dims={"length": dims["length"], "n": Axis(max=4)},
    )
    made = {
        name: export(model, backend, into=tmp_path / name, release=target)
        for name, model in (("encoder", encoder), ("head", head))
    }
    (encoded,) = made["encoder"].signature.outputs
    steps = [
        step(
            name,
            artifact.signature.inputs,
            artifact.signature.outputs,
            backend=backend.triton,
            reads={"states": "encoded"},
            gives={encoded.name: "encoded"},
        )
        for name, artifact in made.items()
    ]
    wired = pipeline("x weights", steps, "logits best encoded")
    files = {name: artifact.path for name, artifact in made.items()}

    artifact = merge(groups(wired)[0], wired, files, out, target)

    run = open_file(backend, artifact.path, artifact.signature, threads=1)
    for batch, time in ((1, 1), (3, 5)):
        feed = {"x": rows(batch, time, 8), "weights": rows(batch, time, seed=1)}
        answer = run(feed)
        assert_same({name: answer[name] for name in wired.outputs}, composed(wired, files, feed))
    assert {str(one) for one in artifact.signature.inputs} == {
        "x fp32[batch, time, 8]",
        "weights fp32[batch, time]",
    }
