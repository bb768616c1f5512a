"""The rules of the server core against the server core itself."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.http import InferenceServerClient
from tritonclient.utils import InferenceServerException

from builder.server import Serving
from builder.server.embedded import running
from builder.server.embedded.ready import reasons_in
from builder.spec.releases import release
from tests.unit.rules.core_cases import CASES


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the server says of each case; the folder is M0, M1, ... and named M in the words."""
    repository = tmp_path_factory.mktemp("repository")
    for number, (config, _) in enumerate(CASES.values()):
        lay_out(repository / f"M{number}", config)
    logs = tmp_path_factory.mktemp("logs")
    with running(
        Serving(repository=repository, release=release("24.10"), log_dir=logs, models=(), control="explicit")
    ) as endpoint:
        with InferenceServerClient(endpoint.http) as client:
            found = {case: refusal(client, f"M{number}") for number, case in enumerate(CASES)}
        assert endpoint.log is not None
        logged = reasons_in(endpoint.log)
    return {
        case: (found[case] + logged.get(f"M{number}", "")).replace(f"M{number}", "M")
        for number, case in enumerate(CASES)
    }


def lay_out(folder: Path, config: Mapping[str, object]) -> None:
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.onnx").touch()
    named = {**config, "name": folder.name if config["name"] == "M" else config["name"]}
    message = json_format.ParseDict(named, model_config_pb2.ModelConfig())
    (folder / "config.pbtxt").write_text(text_format.MessageToString(message))


def refusal(client: InferenceServerClient, model: str) -> str:
    try:
        client.load_model(model)
    except InferenceServerException as error:
        return str(error.message())
    return ""


@pytest.mark.parametrize("case", CASES)
def test_the_words_are_the_servers_own(case: str, said: Mapping[str, str]) -> None:
    """The server refuses the same config with the same sentence."""
    assert CASES[case][1] in said[case]
