"""Ensembles that random wired together: lint says of each what the live server does with it."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import pytest
from tritonclient import http
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from builder.lint import Target
from builder.lint.ensembles import with_parts
from builder.lint.model import ModelLint, lint_model
from builder.server import Serving
from builder.server.embedded import running
from builder.spec.findings import Finding, Severity
from builder.spec.releases import release
from tests.lint.case import write_onnx
from tests.lint.pipelines import MODELS, pipeline, text

pytestmark = pytest.mark.timeout(1800)  # hundreds of loads, all in one test
PIPELINES: Final = int(os.environ.get("TRB_PIPELINES", "800"))
TARGET: Final = Target(release=release("24.10"))
AT_A_REQUEST: Final = ("E107", "E108", "E120", "E122")
"""The errors with which a server loads the ensemble."""
FREE: Final = (2, 1, 3, 4)
"""The sizes that are tried for a free axis that is not the last."""
ROWS: Final = ("batch-size must be <=", "batch size does not match", "Expected [3,4]", "got [3,4]")
"""What the server says where a model is not given the rows that it takes. Lint follows the rows of a request through
models that batch, and knows nothing of rows that come from elsewhere."""
OF_ITS_OWN: Final = ("rows", "three")
"""The models whose rows are an axis of their own, of which lint does not know how many come out."""
FREE: Final = (2, 1, 3, 4)
"""The sizes that are tried for a free axis that is not the last."""
ROWS: Final = ("batch-size must be <=", "batch size does not match", "Expected [3,4]", "got [3,4]")
"""What the server says where the rows that one model passes on are not those that the next one takes. Lint follows
them from the ensemble's inputs into the first model alone."""
ENDLESS: Final = "E108"
"""The one of them with which a request may never be answered."""


@dataclass(frozen=True)
class Bench:
    """A repository of models, a server that has loaded them, and what lint says of them."""

    repository: Path
    client: http.InferenceServerClient
    parts: Mapping[Path, ModelLint]

    def lint(self, folder: Path) -> list[Finding]:
        found = with_parts({**self.parts, folder: lint_model(folder, TARGET)})
        return [one for one in found[folder].findings if one.severity is Severity.ERROR]

    def load(self, name: str) -> str:
        try:
            self.client.load_model(name)
        except InferenceServerException as error:
            return str(error.message())
        return ""

    def ask(self, name: str, config: dict[str, Any]) -> str:
        """Return why requests fail whatever sizes their free axes have; empty where they do not."""
        said = ""
        for rows in FREE:
            try:
                for batch in (1, 2) if config["max_batch_size"] > 1 else (1,):
                    self.client.infer(name, [filled(one, batch, rows, config) for one in config["input"]])
            except InferenceServerException as error:
                said = str(error.message())
            else:
                return ""
        return said


def filled(tensor: dict[str, Any], batch: int, rows: int, config: dict[str, Any]) -> http.InferInput:
    """Zeros for an input; a free last axis is 4, which is what all models here want."""
    dims = [int(dim) for dim in tensor["dims"]]
    free = [*[rows] * (len(dims) - 1), 4]
    shape = [chosen if dim < 0 else dim for dim, chosen in zip(dims, free, strict=True)]
    wire = tensor["data_type"].removeprefix("TYPE_")
    sent = http.InferInput(tensor["name"], [batch, *shape] if config["max_batch_size"] else shape, wire)
    sent.set_data_from_numpy(np.zeros(sent.shape(), triton_to_np_dtype(wire)))
    return sent


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    repository = tmp_path_factory.mktemp("repository")
    for name, model in MODELS.items():
        for version in model.versions:
            (repository / name / str(version)).mkdir(parents=True)
            write_onnx(
                repository / name / str(version) / "model.onnx",
                f'<ir_version: 8, opset_import: ["": 18]> {model.graph}',
            )
        (repository / name / "config.pbtxt").write_text(text(model.config))
    serving = Serving(
        repository=repository,
        release=TARGET.release,
        log_dir=tmp_path_factory.mktemp("logs"),
        models=tuple(MODELS),
        control="explicit",
    )
    with running(serving) as endpoint, http.InferenceServerClient(endpoint.http) as client:
        parts = {repository / name: lint_model(repository / name, TARGET) for name in MODELS}
        assert not [finding for one in parts.values() for finding in one.findings]
        yield Bench(repository, client, parts)


def is_chain(config: dict[str, Any]) -> bool:
    """Return whether each step waits for the one before.

    Where a step fails while others run, the server of 24.10 reads memory that it has given back, and sometimes dies.
    """
    steps = config["ensemble_scheduling"]["step"]
    return all(
        set(before["output_map"].values()) & set(after["input_map"].values())
        for before, after in pairwise(steps)
    )


def is_of_rows(failed: str, config: dict[str, Any]) -> bool:
    """Return whether a request failed because of rows that are not those of the request."""
    earlier = [step["model_name"] for step in config["ensemble_scheduling"]["step"][:-1]]
    handed_on = any(name in OF_ITS_OWN for name in earlier) and "unexpected shape" in failed
    return handed_on or any(one in failed for one in ROWS)


def disagreement(bench: Bench, seed: int, seen: Counter[str]) -> str:
    """Return how lint and the server part over one ensemble; empty where they do not."""
    config = pipeline(Random(seed))
    folder = bench.repository / f"pipeline{seed}"
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(text(config))
    findings = bench.lint(folder)
    codes = {one.code for one in findings}
    seen.update(codes or {"clean"})
    refused, failed = bench.load(folder.name), ""
    is_asked = ENDLESS not in codes and is_chain(config)
    if not refused:
        failed = bench.ask(folder.name, config) if is_asked else ""
        bench.client.unload_model(folder.name)
    shutil.rmtree(folder)
    if bool(codes.difference(AT_A_REQUEST)) == bool(refused):
        at_request = bool(codes.intersection(AT_A_REQUEST))
        if refused or not is_asked or at_request == bool(failed) or is_of_rows(failed, config):
            return ""
    said = "\n".join(f"  {one.code} {one.line} {one.message}" for one in findings) or "  nothing"
    return f"seed {seed}: lint says\n{said}\nthe server {refused or failed or 'is ready'}\n{text(config)}"


def test_lint_and_the_server_agree_on_random_ensembles(bench: Bench) -> None:
    """An ensemble has an error exactly when the server refuses it, or a request to it."""
    seen: Counter[str] = Counter()

    parted = [said for seed in range(PIPELINES) if (said := disagreement(bench, seed, seen))]

    assert not parted, f"{len(parted)} of {PIPELINES}\n\n" + "\n\n".join(parted[:5])
    assert seen["clean"] > PIPELINES / 5, seen
