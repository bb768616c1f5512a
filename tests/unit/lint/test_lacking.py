"""What Python models import and an image does not have."""

from pathlib import Path

import pytest

from builder.lint import Target, asking, lacking
from builder.spec.releases import release

CONFIG = """\
backend: "python"
input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }
"""
MODEL = """\
import json

import numpy
import scipy.linalg
from tokenizers import Tokenizer

try:
    import orjson
except ImportError:
    orjson = json


class TritonPythonModel:
    def execute(self, requests):
        return []

    def unused(self):
        import pandas
"""
EMPTY = "class TritonPythonModel:\n    def execute(self, requests): return []\n"
NOTHING = Target(release=release("24.10"), packages={})


def write(repository: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One model that somebody wrote by hand."""
    write(tmp_path, {"m/config.pbtxt": CONFIG, "m/1/model.py": MODEL})
    return tmp_path


def told(
    repository: Path, target: Target = NOTHING, models: tuple[str, ...] = ("m",)
) -> list[tuple[str, int, bool]]:
    return [(one.package, one.line, one.is_certain) for one in lacking(repository, models, target)]


def test_what_is_sure_to_be_imported_is_told_apart(repository: Path) -> None:
    """By line; an import in a function that nobody may call is not certain, one in a try is done without."""
    assert told(repository) == [("scipy", 4, True), ("tokenizers", 5, True), ("pandas", 18, False)]


def test_what_the_image_has_is_not_lacking(repository: Path) -> None:
    """The packages that it was found to have count, one that was not asked for does not."""
    has = Target(release=release("24.10"), packages={"scipy": True, "pandas": True, "tokenizers": False})

    assert told(repository, has) == [("tokenizers", 5, True)]


def test_the_place_of_an_import_is_the_source_that_has_it(repository: Path) -> None:
    """A module beside model.py is read too, and named."""
    write(
        repository,
        {"m/1/model.py": MODEL.replace("scipy.linalg", "beside"), "m/1/beside.py": "\nimport scipy\n"},
    )

    found = {one.package: one for one in lacking(repository, ["m"], NOTHING)}

    assert (found["scipy"].path, found["scipy"].line) == (repository / "m" / "1" / "beside.py", 2)


def test_an_environment_of_its_own_has_whatever_it_has(repository: Path) -> None:
    """A model with EXECUTION_ENV_PATH does not ask the image for anything."""
    parameter = 'parameters { key: "EXECUTION_ENV_PATH" value { string_value: "/env.tar.gz" } }\n'
    write(repository, {"m/config.pbtxt": CONFIG + parameter})

    assert told(repository) == []
    assert list(asking(repository, ["m"], NOTHING)) == []


def test_only_python_models_ask_an_image(repository: Path) -> None:
    """A source beside a model of another backend is nothing that the server imports."""
    write(
        repository, {"onnx/config.pbtxt": CONFIG.replace("python", "onnxruntime"), "onnx/1/model.py": MODEL}
    )

    assert told(repository, models=("onnx", "absent")) == []
    assert list(asking(repository, ["m", "onnx", "absent"], NOTHING)) == [repository / "m"]


def test_only_the_versions_that_are_served_are_read(repository: Path) -> None:
    """Triton serves the newest version alone, unless the configuration says otherwise."""
    write(
        repository,
        {"m/2/model.py": "import json\nclass TritonPythonModel:\n    def execute(self, r): return []\n"},
    )

    assert told(repository) == []


def test_packages_beside_a_model_for_another_python_are_told(repository: Path) -> None:
    """They are lacking, and it is said for which Python they lie there."""
    write(
        repository,
        {
            "m/1/trb_step.py": "import numpy\n",
            "m/1/code/steps.py": "import PIL\n",
            "m/1/model.py": f"from trb_step import Step\n{EMPTY}",
            "m/1/python3.12/PIL/__init__.py": "",
        },
    )

    (found,) = lacking(repository, ["m"], NOTHING)

    assert (found.package, found.beside) == ("PIL", "3.12")
    assert told(repository, Target(release=release("25.01"), packages={})) == []


def test_a_source_that_cannot_be_read_needs_nothing(repository: Path) -> None:
    """What is wrong with it the server says, in its own words."""
    write(repository, {"m/1/model.py": "import scipy\ndef (\n"})

    assert told(repository) == []
