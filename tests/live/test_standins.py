"""The stand-in backends on a real server: the verdicts and answers that the genuine backends gave."""

from collections.abc import Iterator

import numpy as np
import pytest
from tritonclient import http
from tritonclient.utils import InferenceServerException

from builder.server import Serving
from builder.server.embedded import running
from builder.server.endpoint import Endpoint
from builder.spec.releases import release
from tests.live import standin_onnx_cases as onnx_cases
from tests.live import standin_torch_cases as torch_cases
from tests.live.standin_case import WIRE, Arrays, Ask, Case
from tests.live.waiting import at_rest

CASES = {case.name: case for case in (*onnx_cases.CASES, *torch_cases.CASES)}
COUNTED = {"onnxruntime": onnx_cases.COUNTED, "pytorch": torch_cases.COUNTED}
ROWS = 64
TARGET = release("24.10")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One server over all cases; each test loads its own model and unloads it again."""
    repository = tmp_path_factory.mktemp("repository")
    for case in (*CASES.values(), *COUNTED.values()):
        case.lay_out(repository)
    logs = tmp_path_factory.mktemp("logs")
    with running(
        Serving(repository=repository, release=TARGET, log_dir=logs, models=(), control="explicit")
    ) as found:
        yield found


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[http.InferenceServerClient]:
    with http.InferenceServerClient(endpoint.http, concurrency=16, network_timeout=300) as found:
        yield found


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_is_the_genuine_backends(name: str, client: http.InferenceServerClient) -> None:
    """What the genuine backend loads is loaded and answered alike; what it refuses, in its words."""
    case = CASES[name]
    if case.refused:
        with pytest.raises(InferenceServerException) as refusal:
            client.load_model(name)
        assert case.refused in refusal.value.message()
        return
    client.load_model(name)
    config = client.get_model_config(name)
    assert {key: config[key] for key in case.completed} == dict(case.completed)
    for ask in case.asks:
        check(client, case, ask)
    client.unload_model(name)


def check(client: http.InferenceServerClient, case: Case, ask: Ask) -> None:
    if ask.status != "200":
        with pytest.raises(InferenceServerException) as refusal:
            infer(client, case.name, ask.sent, ask.requested)
        assert ask.says in refusal.value.message()
        assert refusal.value.status() == ask.status
        return
    answered = infer(client, case.name, ask.sent, ask.requested)
    assert answered.keys() == ask.answered.keys()
    for name, wanted in ask.answered.items():
        assert answered[name].dtype == wanted.dtype
        np.testing.assert_array_equal(answered[name], wanted, err_msg=name, strict=True)


def infer(
    client: http.InferenceServerClient,
    model: str,
    sent: dict[str, np.ndarray],
    requested: tuple[str, ...] = (),
) -> dict[str, np.ndarray]:
    outputs = [http.InferRequestedOutput(name) for name in requested] or None
    return arrays(client.infer(model, wired(sent), outputs=outputs))


def wired(sent: Arrays) -> list[http.InferInput]:
    inputs = []
    for name, array in sent.items():
        tensor = http.InferInput(name, list(array.shape), WIRE[array.dtype.name])
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    return inputs


def arrays(result: http.InferResult) -> dict[str, np.ndarray]:
    return {one["name"]: result.as_numpy(one["name"]) for one in result.get_response()["outputs"]}


@pytest.mark.parametrize("backend", COUNTED)
def test_requests_of_one_batch_are_one_run(backend: str, client: http.InferenceServerClient) -> None:
    """Rows that wait together are run together, as the model itself sees it, and each comes back its own."""
    name = COUNTED[backend].name
    client.load_model(name)
    rows = np.arange(ROWS, dtype=np.float32).reshape(ROWS, 1, 1)

    pending = [client.async_infer(name, wired({"x": row})) for row in rows]
    answers = [arrays(one.get_result()) for one in pending]

    assert [float(answer["y"].item()) for answer in answers] == list(range(ROWS))
    seen_by_model = {int(answer["rows"].item()) for answer in answers}
    (counted,) = at_rest(lambda: client.get_inference_statistics(name)["model_stats"])
    formed = counted["batch_stats"]
    assert seen_by_model == {row["batch_size"] for row in formed}
    assert max(seen_by_model) > 1
    client.unload_model(name)


@pytest.mark.parametrize("backend", COUNTED)
def test_the_version_that_runs_is_written_down(
    backend: str, endpoint: Endpoint, client: http.InferenceServerClient
) -> None:
    """The stand-in leaves the versions it runs on; ONNX Runtime is the target release's own."""
    client.load_model(COUNTED[backend].name)
    found = endpoint.runtime(backend)
    assert found["numpy"].startswith("1.")
    assert "torch" in found if backend == "pytorch" else found["onnxruntime"] == TARGET.onnxruntime
