"""What the server fills into a config before any backend sees it, against what ours fills in."""

import json
from collections.abc import Iterator

import pytest

from tests.live.core_server import CoreServer, core_server, needs_backend
from tests.unit.rules.fill_cases import FILLS, Fill

BACKENDS = ("onnxruntime", "pytorch", "tensorrt", "tensorflow", "openvino", "python", "libtorch", "x.y")
"""The tiny backend stands in for all of them."""
KEYS = ("backend", "platform", "default_model_filename")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreServer]:
    with core_server(tmp_path_factory.mktemp("fill")) as server:
        needs_backend(server)
        yield server


@pytest.mark.parametrize("case", FILLS, ids=str)
def test_the_server_fills_in_what_we_do(case: Fill, server: CoreServer) -> None:
    """The served config has the backend, the platform and the file name of the case, or the words are in the log."""
    assert server.library is not None
    library = server.library.read_bytes()
    name = f"M{FILLS.index(case)}{case.name[1:]}"
    files = {f"1/{file}": "" for file in case.files} | {f"1/{folder}/": "" for folder in case.folders}
    libraries = {f"libtriton_{backend}.so": library for backend in BACKENDS}
    server.add({"1/": "", "config.pbtxt": case.text, **files, **libraries}, name=name)

    answer = server.load(name, keep=True)

    assert answer.is_ready == (not case.words), answer.words
    if case.words:
        assert case.words.replace(case.name, "M") if case.name != "M" else case.words in answer.words
    else:
        found = json.loads(server.get(f"/v2/models/{name}/config"))
        assert tuple(found[key] for key in KEYS) == case.filled
