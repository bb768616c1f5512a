"""The examples go the whole way: built, served, checked, each in a folder of its own."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput

Trb = Callable[..., subprocess.CompletedProcess[str]]

EXPECTED = {
    "digits": ["digits_onnx", "digits_torchscript"],
    "tagger": ["tagger_onnx", "tagger_torchscript"],
    "text_encoder": ["text_encoder_onnx", "text_encoder_torchscript"],
}
PIPELINES = {
    "digits_png": {"decode", "normalise", "network", "likeliest", "name", "digits_png_fused"},
    "sentence_embedding": {"tokenise", "encode", "pool", "normalise", "sentence_embedding_fused"},
    "sounds": {"read", "features", "kind", "oddness", "sounds_fused"},
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


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_example_lints_clean_and_is_checked_step_by_step(
    name: str, walked: Callable[[str], Path], live_example: Any, trb: Trb, tmp_path: Path
) -> None:
    """It passes over both protocols, and each of its steps, merged or not, is asked alone."""
    folder = shutil.copytree(walked(name), tmp_path / name)
    trb("lint", "--strict", cwd=folder)

    report = json.loads(trb("check", name, *live_example(name).options, "--json", cwd=folder).stdout)

    (pipeline,) = report["models"]
    assert report["passed"]
    assert pipeline["model"] == name
    hops = {hop["name"] for hop in pipeline["hops"]}
    assert {f"step {step}: alone on the server" for step in PIPELINES[name]} <= hops
    assert {"reference -> gRPC", "reference -> HTTP", "alone -> concurrent"} <= hops


@pytest.mark.slow
def test_a_text_has_one_embedding_whatever_it_is_sent_with(live_example: Any) -> None:
    """Padding to the longest text of a request does not change what the shorter ones get."""
    alone = ask(live_example("sentence_embedding"), "sentence_embedding", "text", [b"ferry"])
    beside = ask(
        live_example("sentence_embedding"), "sentence_embedding", "text", [b"ferry", b"a long one " * 9, b""]
    )

    np.testing.assert_allclose(beside["embedding"][:1], alone["embedding"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(beside["embedding"], axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_sounds_are_classed_by_name(walked: Callable[[str], Path], live_example: Any) -> None:
    """The classification of a pipeline's output names the classes, although its step is merged with others."""
    kinds = (walked("sounds") / "kinds.txt").read_text().split()
    files = [walked("sounds") / "sounds" / f"{kind}_0.wav" for kind in kinds]

    answer = ask(live_example("sounds"), "sounds", "sound", [file.read_bytes() for file in files], kind=1)

    assert [kind.decode().split(":")[2] for kind in answer["kind"][:, 0]] == kinds


@pytest.mark.slow
def test_a_sound_gets_the_same_answer_beside_a_longer_one(
    walked: Callable[[str], Path], live_example: Any
) -> None:
    """Silence put behind a sound does not change what is said of it."""
    files = [path.read_bytes() for path in sorted((walked("sounds") / "sounds").iterdir())[:6]]
    assert len({*map(len, files)}) == len(files)

    together = ask(live_example("sounds"), "sounds", "sound", files)

    for n, file in enumerate(files):
        alone = ask(live_example("sounds"), "sounds", "sound", [file])
        np.testing.assert_allclose(together["oddness"][n], alone["oddness"][0], rtol=1e-3)


def ask(live: Any, pipeline: str, name: str, rows: list[bytes], **classes: int) -> dict[str, np.ndarray]:
    """Return the answer of a pipeline to `rows`; of an output in `classes` the likeliest ones."""
    sent = InferInput(name, [len(rows), 1], "BYTES")
    sent.set_data_from_numpy(np.array([[row] for row in rows], dtype=object))
    outputs = [InferRequestedOutput(output, class_count=count) for output, count in classes.items()]
    with InferenceServerClient(live.grpc) as client:
        answer = client.infer(pipeline, [sent], outputs=outputs or None)
    return {output.name: answer.as_numpy(output.name) for output in answer.get_response().outputs}
