"""Repositories with ensembles, as somebody would write them by hand."""

from collections.abc import Mapping
from pathlib import Path

from tests.lint.pipelines import tensor, text

Tensors = Mapping[str, tuple[str, list[int]]]
"""Dtype and dims by name."""
Steps = list[tuple[str, Mapping[str, str], Mapping[str, str]]]
"""Model, input_map and output_map."""


def write(root: Path, name: str, config: str, *versions: int) -> Path:
    """Write a model's folder; return its config.pbtxt."""
    for version in versions or (1,):
        (root / name / str(version)).mkdir(parents=True, exist_ok=True)
    path = root / name / "config.pbtxt"
    path.write_text(config)
    return path


def model(
    root: Path, name: str, inputs: Tensors, outputs: Tensors, *, backend: str = "onnxruntime", batch: int = 8
) -> Path:
    config = {"backend": backend, "max_batch_size": batch, **_tensors(inputs, outputs)}
    return write(root, name, text(config))


def ensemble(
    root: Path, name: str, inputs: Tensors, outputs: Tensors, steps: Steps, *, batch: int = 8
) -> Path:
    listed = [
        {"model_name": step, "model_version": -1, "input_map": dict(reads), "output_map": dict(gives)}
        for step, reads, gives in steps
    ]
    config = {
        "platform": "ensemble",
        "max_batch_size": batch,
        **_tensors(inputs, outputs),
        "ensemble_scheduling": {"step": listed},
    }
    return write(root, name, text(config))


def _tensors(inputs: Tensors, outputs: Tensors) -> dict[str, object]:
    return {
        "input": [tensor(name, *kind) for name, kind in inputs.items()],
        "output": [tensor(name, *kind) for name, kind in outputs.items()],
    }


X, Y = ("FP32", [4]), ("FP32", [2])


def fan(root: Path) -> Path:
    """Write `fan`: `split` feeds `left` and `right`, which `join` puts together; return its config.pbtxt."""
    model(root, "split", {"x": X}, {"a": X, "b": X}, backend="python")
    model(root, "left", {"x": X}, {"y": Y})
    model(root, "right", {"x": X, "raw": X}, {"y": Y}, backend="pytorch", batch=4)
    model(root, "join", {"p": Y, "q": Y}, {"y": Y}, backend="tensorrt")
    return ensemble(
        root,
        "fan",
        {"image": X},
        {"label": Y},
        [  # out of order, as the server allows
            ("join", {"p": "from_left", "q": "from_right"}, {"y": "label"}),
            ("left", {"x": "a"}, {"y": "from_left"}),
            ("right", {"x": "b", "raw": "image"}, {"y": "from_right"}),
            ("split", {"x": "image"}, {"a": "a", "b": "b"}),
        ],
        batch=4,
    )
