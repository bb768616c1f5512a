"""The examples go the whole way: built, served, checked, each in a folder of its own."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Trb = Callable[..., subprocess.CompletedProcess[str]]

EXPECTED = {
    "digits": ["digits_onnx", "digits_torchscript"],
    "tagger": ["tagger_onnx", "tagger_torchscript"],
    "text_encoder": ["text_encoder_onnx", "text_encoder_torchscript"],
}


@pytest.fixture
def served(trb: Trb, tmp_path: Path) -> Iterator[Callable[[Path], tuple[str, ...]]]:
    """Serve a built example in the background, to the end of the test; return the options that lead to it."""
    folders: list[Path] = []

    def serve(folder: Path) -> tuple[str, ...]:
        started = json.loads(trb("serve", "--detach", "--json", cwd=folder).stdout)
        folders.append(folder)
        return ("--server", f"http://{started['http']}", "--grpc-url", started["grpc"])

    yield serve
    for folder in folders:
        trb("serve", "--stop", cwd=folder)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_is_built_served_and_checked(
    name: str, example: Callable[[str], Path], served: Callable[[Path], tuple[str, ...]], trb: Trb
) -> None:
    """Every example builds for both backends, lints clean and passes the gate on a server, batching on."""
    folder = example(name)
    trb("build", cwd=folder)
    trb("lint", "--strict", cwd=folder)

    report = json.loads(trb("check", *served(folder), "--json", cwd=folder).stdout)

    assert sorted(model["model"] for model in report["models"]) == EXPECTED[name]
    assert report["passed"]
    for model in report["models"]:
        assert all(hop["comparisons"] for hop in model["hops"])
        assert model["largest_batch"] > 1, f"{model['model']} never formed a batch"
