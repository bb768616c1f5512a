"""What the live server does with every case of lint, against what is written there; `make golden` writes it anew."""

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from tritonclient import http
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from builder.server import Serving
from builder.server.embedded import running
from builder.server.settled import reasons_in
from builder.spec.releases import release
from tests.lint.case import Case, cases

# The fixture's hundreds of loads all count for the test that comes first.
pytestmark = pytest.mark.timeout(3600)

CASES: Final = cases()
AROUND: Final = re.compile(
    r"load failed for model '[^']+': (version \d+ is at UNAVAILABLE state: )?(Internal: TritonModelException: )?"
)
MANGLED: Final = re.compile(r"___torch_mangle_\d+\.")
TRACED: Final = re.compile(r"Traceback of TorchScript, .*(?=RuntimeError: )")
PARSER: Final = re.compile(r"(?<=/config\.pbtxt): Error parsing .*")
FREE: Final = 3
"""The size that a request gives to an axis that is free."""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the server did with each case, by its id; all in one repository, each loaded by itself."""
    repository = tmp_path_factory.mktemp("repository")
    for case in CASES:
        case.lay_out(repository)
    logs = tmp_path_factory.mktemp("logs")
    serving = Serving(
        repository=repository, release=release("24.10"), log_dir=logs, models=(), control="explicit"
    )
    with running(serving) as endpoint, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda case: verdict(endpoint.http, case), CASES))
        assert endpoint.log is not None
        logged = reasons_in(endpoint.log)
    return {case.id: told(case, said, logged, repository) for case, said in zip(CASES, found, strict=True)}


def verdict(address: str, case: Case) -> str:
    """Load the case's last model, which loads those that it is made of, and ask it."""
    with http.InferenceServerClient(address, network_timeout=300) as client:
        name = case.models[-1]
        try:
            client.load_model(name)
        except InferenceServerException as error:
            return f"refused: {error.message()}"
        try:
            for batch in (1, 2):
                ask(client, name, batch)
        except InferenceServerException as error:
            return f"request refused: {error.message()}"
        finally:
            client.unload_model(name, unload_dependents=True)
    return "ready"


def ask(client: http.InferenceServerClient, name: str, batch: int) -> None:
    """Send zeros of the shapes that the server says, with `batch` rows where it takes that many."""
    config = client.get_model_config(name)
    # A model of sequences takes a row at a time, and no request that is of none.
    is_of_sequences = "sequence_batching" in config
    most = config["max_batch_size"]
    if batch > 1 and (batch > most or is_of_sequences):
        return
    inputs = []
    for tensor in config["input"]:
        dims = [int(dim) if int(dim) > 0 else FREE for dim in tensor["dims"]]
        inputs.append(zeros(tensor, [batch, *dims] if most > 0 else dims))
    sequence = {"sequence_id": 1, "sequence_start": True, "sequence_end": True} if is_of_sequences else {}
    client.infer(name, inputs, **sequence)


def zeros(tensor: dict[str, Any], shape: list[int]) -> http.InferInput:
    wire = tensor["data_type"].removeprefix("TYPE_").replace("STRING", "BYTES")
    array = np.full(shape, b"0", np.object_) if wire == "BYTES" else np.zeros(shape, triton_to_np_dtype(wire))
    sent = http.InferInput(tensor["name"], shape, wire)
    sent.set_data_from_numpy(array)
    return sent


def told(case: Case, said: str, logged: Mapping[str, str], repository: Path) -> str:
    """Return the verdict in one line, the same wherever the repository lies."""
    reason = logged.get(case.models[-1], "")
    if said.startswith("refused: failed to load") and reason:
        said = f"refused: {reason}"
    line = " ".join(said.split()).replace(str(repository), "REPOSITORY").split(" At: ")[0]
    # The parser's own words come on another stream, and may be another model's where two load at once.
    for noise in (AROUND, MANGLED, TRACED, PARSER):
        line = noise.sub("", line)
    return line.strip()


@pytest.fixture(scope="module")
def recorded(verdicts: dict[str, str]) -> dict[str, str]:
    """What the cases say that the server did, written anew first where that is asked for."""
    if os.environ.get("TRB_GOLDEN") == "write":
        for case in CASES:
            case.record(verdicts[case.id])
        return verdicts
    return {case.id: case.header["server"] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_server_does_what_the_case_says_golden(
    case: Case, verdicts: dict[str, str], recorded: dict[str, str]
) -> None:
    """The verdict beside the case is the live server's."""
    assert verdicts[case.id] == recorded[case.id]
