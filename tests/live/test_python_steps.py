"""Plain functions, built, served and checked by a live Triton."""

import io
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton_http
from PIL import Image

from builder.errors import ServerError
from builder.server import Endpoint, Serving, open_server
from builder.server.client import connected
from builder.spec.releases import release
from tests.live.waiting import at_rest

pytestmark = pytest.mark.slow  # every build starts a server of its own
STEPS = """\
import io

import numpy as np
from inner.grey import grey
from PIL import Image


def decode(image):
    return grey(Image.open(io.BytesIO(image)))


def images():
    pictures = np.random.default_rng(0).integers(0, 256, (12, 9, 7), dtype=np.uint8)
    return {"image": np.array([png(one) for one in pictures], dtype=object)}


def png(picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


class Names:
    def __init__(self, files):
        self.names = (files / "data" / "names.txt").read_text().split()

    def __call__(self, scores):
        return self.names[int(scores.argmax())]


def scores(text: str):
    return [float(len(text)), 1.0, 0.5]


def pad(text: list[str]):
    ids = np.zeros((len(text), max(map(len, text))), np.int32)
    for row, one in zip(ids, text):
        row[: len(one)] = [ord(letter) for letter in one]
    return ids


def clip(text: list[str]):
    return np.array([[ord(letter) for letter in one.ljust(4)[:4]] for one in text])


def texts():
    return {"text": np.array([b"a", b"bcd", b"efghi", b"jk"], dtype=object)}
"""
GREY = """\
import numpy as np


def grey(picture):
    return np.asarray(picture.convert("L").resize((8, 8)))[None] / 255
"""
SPEC = """\
models:
  decode:
    source: steps:decode
    backend: python
    samples: steps:images
    inputs: {image: {dtype: string, shape: [batch], values: samples}}
    outputs: {pixels: {dtype: fp32, shape: [batch, 1, 8, 8]}}
    batching: {queue_delay_us: 300000, preferred_sizes: [8]}
    python: {requirements: [pillow]}
  names:
    source: steps:Names
    backend: python
    inputs: {scores: {dtype: fp32, shape: [batch, 3]}}
    outputs: {name: {dtype: string, shape: [batch]}}
    python: {files: [data], requirements: [pillow]}
  scores:
    source: steps:scores
    backend: python
    inputs: {text: {dtype: string, shape: [batch]}}
    outputs: {scores: {dtype: fp32, shape: [batch, 3], labels: data/names.txt}}
    python: {requirements: [pillow]}
  pad:
    source: steps:pad
    backend: python
    samples: steps:texts
    inputs: {text: {dtype: string, shape: [batch], values: samples}}
    outputs: {ids: {dtype: int32, shape: [batch, seq]}}
    python: {call: batch, requirements: [pillow]}
  clip:
    source: steps:clip
    backend: python
    samples: steps:texts
    inputs: {text: {dtype: string, shape: [batch], values: samples}}
    outputs: {ids: {dtype: int64, shape: [batch, 4]}}
    python: {call: batch, requirements: [pillow]}
"""


@pytest.fixture(scope="module")
def project(trb: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All five functions, built once; copy it before changing it."""
    folder = tmp_path_factory.mktemp("steps")
    (folder / "inner").mkdir()
    (folder / "inner" / "grey.py").write_text(GREY)
    (folder / "data").mkdir()
    (folder / "data" / "names.txt").write_text("cat\ndog\ncow\n")
    (folder / "steps.py").write_text(STEPS)
    (folder / "trb.yaml").write_text(SPEC)
    trb("build", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def served(project: Path) -> Iterator[Endpoint]:
    """The repository on the embedded server."""
    serving = Serving(repository=project / "model_repository", release=release("24.10"))
    with open_server("embedded", serving) as endpoint:
        yield endpoint


@pytest.fixture
def own(project: Path, tmp_path: Path) -> Path:
    """The project without what was built, to be changed."""
    made = shutil.ignore_patterns("model_repository", ".trb", "__pycache__")
    return Path(shutil.copytree(project, tmp_path / "own", ignore=made))


def picture(seed: int) -> tuple[bytes, Any]:
    """Return a PNG and what `decode` makes of it."""
    image = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 20), dtype=np.uint8))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue(), (np.asarray(image.resize((8, 8)))[None] / 255).astype(np.float32)


def test_functions_answer_the_same_from_end_to_end(trb: Any, project: Path) -> None:
    """Hop by hop, over both protocols, alone and in a crowd; that the image has another Python is said."""
    said = trb("check", cwd=project).stdout

    assert "PASS: 5 models" in said
    assert "the Python function -> model.py" in said
    assert "not proven: on python 3.10 of release 24.10" in said


def test_one_corrupt_image_of_eight_fails_its_own_request_alone(served: Endpoint) -> None:
    """Triton forms one batch of eight; seven clients get their pictures, the eighth the name of its input."""
    pictures = [picture(seed) for seed in range(8)]
    sent = [data for data, _ in pictures]
    sent[5] = b"\x89PNG but not for long"

    with connected(served) as client, ThreadPoolExecutor(8) as pool:

        def ask(data: bytes) -> Any:
            try:
                return client.infer_grpc("decode", 1, {"image": np.array([[data]], dtype=object)})["pixels"][
                    0
                ]
            except ServerError as error:
                return error.what

        for _ in range(20):  # on a busy machine not every eight requests meet in time
            answers = list(pool.map(ask, sent))
            largest = at_rest(lambda: client.statistics("decode", 1)).largest_batch
            if largest == 8:
                break

    assert largest == 8
    assert "decode fails at row 0 (image = 21 bytes): UnidentifiedImageError" in answers.pop(5)
    wanted = [pixels for n, (_, pixels) in enumerate(pictures) if n != 5]
    assert all(np.array_equal(got, want) for got, want in zip(answers, wanted, strict=True))


def test_the_error_comes_over_http_too(served: Endpoint) -> None:
    """The row of a request of three is named."""
    feed = np.array([[picture(0)[0]], [b"no image"], [picture(1)[0]]], dtype=object)

    with connected(served) as client, pytest.raises(ServerError, match=r"fails at row 1 \(image = 8 bytes\)"):
        client.infer_http("decode", 1, {"image": feed})


def test_labels_are_served_as_classes(served: Endpoint, project: Path) -> None:
    """A client that asks for the two best classes gets their names, read from beside config.pbtxt."""
    with triton_http.InferenceServerClient(served.http) as client:
        text = triton_http.InferInput("text", [1, 1], "BYTES")
        text.set_data_from_numpy(np.array([[b"ten letters"]], dtype=object))
        asked = triton_http.InferRequestedOutput("scores", class_count=2)
        answer = client.infer("scores", [text], outputs=[asked]).as_numpy("scores")

    assert [one.decode().split(":")[2] for one in answer.ravel()] == ["cat", "dog"]
    assert len(list((project / "model_repository" / "scores").glob("labels_scores-*.txt"))) == 1


def test_a_function_that_pads_to_its_longest_row_gets_each_request_alone(project: Path) -> None:
    """It keeps its batch size and has no dynamic batching, and its record says why; one of fixed length has both."""
    pad, clip = (project / "model_repository" / name for name in ("pad", "clip"))

    assert "max_batch_size: 8" in (pad / "config.pbtxt").read_text()
    assert "dynamic_batching" not in (pad / "config.pbtxt").read_text()
    assert "dynamic_batching" in (clip / "config.pbtxt").read_text()
    record = json.loads((pad / "1" / "record.json").read_text())
    assert any("every request is called alone: it mixes the rows" in note for note in record["notes"])


def test_packages_are_wheels_for_the_images_python(project: Path) -> None:
    """Compiled modules of pillow for Python 3.10 and no other, no bytecode, nothing about this machine, no numpy."""
    packages = project / "model_repository" / "decode" / "1" / "python3.10"
    names = [path.name for path in packages.rglob("*") if path.is_file()]

    compiled = [name for name in names if name.endswith(".so") and name.startswith("_imaging")]
    assert compiled
    assert all("cpython-310" in name for name in compiled)
    assert not [
        name for name in names if name.endswith(".pyc") or name in ("RECORD", "INSTALLER", "direct_url.json")
    ]
    assert not (packages / "numpy").exists()


def test_the_same_functions_elsewhere_are_the_same_bytes(trb: Any, own: Path, project: Path) -> None:
    """Another folder and another run lead to the same files, packages included."""
    trb("build", "decode", "scores", cwd=own)

    for name in ("decode", "scores"):
        made = [
            json.loads((at / "model_repository" / name / "1" / "record.json").read_text())
            for at in (own, project)
        ]
        assert made[0]["files"] == made[1]["files"]
        assert made[0]["config_sha256"] == made[1]["config_sha256"]


def test_new_labels_are_a_new_version_and_an_edit_is_noticed(trb: Any, own: Path) -> None:
    """A build follows the file of trb.yaml, a check the one that is served."""
    trb("build", "scores", cwd=own)
    (own / "data" / "names.txt").write_text("cat\ndog\nhen\n")
    trb("build", "scores", cwd=own)
    model = own / "model_repository" / "scores"
    assert (model / "2").is_dir()
    assert len(list(model.glob("labels_scores-*.txt"))) == 2

    for file in model.glob("labels_scores-*.txt"):
        file.write_text("one\ntwo\nthree\n")
    said = trb("check", "scores", cwd=own, expect=7).stdout
    assert "is not the one it was published with" in said


def test_what_the_server_cannot_import_is_not_published(trb: Any, own: Path) -> None:
    """A function that opens here and not in Triton's process fails its row in the server's words; others are built."""
    source = "import sys\nif 'triton_python_backend_utils' in sys.modules: raise ImportError('not in here')\n"
    (own / "steps.py").write_text(source + STEPS.replace("class Names", "class Named"))
    said = trb("build", "decode", cwd=own, expect=4)

    assert "Triton does not load it" in said.stdout
    assert "ImportError: not in here" in said.stdout
    assert not (own / "model_repository" / "decode").exists()


def test_a_package_that_is_not_named_is_told_before_anything_is_built(trb: Any, own: Path) -> None:
    """The error has the module, the import and the line for trb.yaml."""
    (own / "trb.yaml").write_text(SPEC.replace("    python: {requirements: [pillow]}\n", "", 1))
    said = trb("build", "decode", cwd=own, expect=3).stdout

    assert "steps.py imports `PIL`, which the server's image does not have" in said
    assert "requirements: [pillow]" in said


def test_a_package_without_a_wheel_for_the_image_is_told_with_both_versions(trb: Any, own: Path) -> None:
    """This pillow was never built for Python 3.8, which 23.04 has; the error names one that was."""
    (own / "trb.yaml").write_text(f'triton: "23.04"\n{SPEC}')
    said = trb("build", "decode", cwd=own, expect=4).stdout

    assert "has no wheel for Python 3.8, which Triton 23.04 has" in said
    assert "pip install pillow==" in said


def test_lint_has_nothing_to_say(trb: Any, project: Path) -> None:
    """The user's modules and the packages beside model.py are found, and are no strays."""
    assert "nothing to say" in trb("lint", cwd=project).stdout


def test_nothing_is_built_where_nothing_changed(trb: Any, project: Path) -> None:
    """Serving leaves bytecode beside model.py, which is no change."""
    assert "5 fresh" in trb("build", cwd=project).stdout
