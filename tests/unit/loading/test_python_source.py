"""A plain function as a source: what it takes, what it needs, and what it answers."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from builder.errors import SourceError
from builder.loading.fingerprint import still_holds
from builder.loading.python_packages import delivered
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Backend, Input, Model, Output, PythonOptions
from builder.spec.releases import release
from builder.spec.tensors import Tensor

TEXT = {"text": Input(dtype=DType.STRING, shape=("batch",))}
N = {"n": Output(dtype=DType.INT64, shape=("batch",))}
LENGTH = "def length(text): return len(text)\n"


def spec(source: str = "model:length", **given):
    return {"source": source, "inputs": TEXT, "outputs": N, "backend": (Backend.PYTHON,), **given}


def refused(project, text: str, **given) -> str:
    with pytest.raises(SourceError) as caught:
        project(text, **spec(**given))
    return f"{caught.value.what}\n{caught.value.fix}"


def test_the_reference_is_the_function_itself(project) -> None:
    """It answers as the function does, under the declared names and types."""
    loaded = project(LENGTH, **spec())

    answer = loaded.reference({"text": np.array([b"a", b"bcd"], dtype=object)})
    assert loaded.kind == "python"
    assert loaded.reference_name == "the Python function"
    assert answer["n"].dtype == np.int64
    assert answer["n"].tolist() == [1, 3]


def test_the_outputs_are_those_of_the_spec(project) -> None:
    """An axis that no input has stays the output's own."""
    outputs = {"ids": Output(dtype=DType.INT64, shape=("batch", "seq"))}
    text = "import numpy as np\ndef ids(text): return np.zeros(3, np.int64)\n"
    loaded = project(text, **spec("model:ids", outputs=outputs))

    assert loaded.signature.outputs == (Tensor(name="ids", dtype=DType.INT64, shape=("batch", "seq")),)


def test_the_function_cannot_change_what_it_was_given(project) -> None:
    """One that writes into its input leaves the caller's array as it was."""
    text = "def clear(x):\n    x[:] = 0\n    return x\n"
    given = {"x": Input(dtype=DType.FP32, shape=("batch", 2))}
    outputs = {"y": Output(dtype=DType.FP32, shape=("batch", 2))}
    loaded = project(text, **spec("model:clear", inputs=given, outputs=outputs))
    x = np.ones((1, 2), np.float32)
    loaded.reference({"x": x})

    assert x.tolist() == [[1, 1]]


def test_a_class_is_made_once_with_the_folder_of_its_files(project, tmp_path) -> None:
    """Its data are where trb.yaml says, and count among what the build read."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "words.txt").write_text("a\nbcd\n")
    text = """
    class Index:
        made = 0
        def __init__(self, files):
            Index.made += 1
            self.words = (files / "data" / "words.txt").read_bytes().split()
        def __call__(self, text):
            return self.words.index(text) if text in self.words else Index.made
    """
    loaded = project(text, **spec("model:Index", python=PythonOptions(files=("data",))))

    assert loaded.reference({"text": np.array([b"bcd", b"x"], dtype=object)})["n"].tolist() == [1, 1]
    assert list(loaded.python.files) == ["data/words.txt"]
    assert "data/words.txt" in loaded.fingerprint.files


def test_a_class_without_a_constructor_of_its_own_is_made_with_nothing(project) -> None:
    """No folder is pressed on it, and on no argument with a value of its own but `files`."""
    plain = "class Length:\n    def __call__(self, text): return len(text)\n"
    sized = """
    class Length:
        def __init__(self, most=3, files=None):
            self.most = most if files else 0
        def __call__(self, text):
            return self.most
    """

    assert project(plain, **spec("model:Length")).kind == "python"
    assert project(sized, **spec("model:Length")).reference({"text": np.array([b"a"], object)})[
        "n"
    ].tolist() == [3]


def test_the_modules_that_it_imports_are_found(project, tmp_path) -> None:
    """Relative ones, those in functions, and packages with their __init__.py; not installed ones."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("")
    (tmp_path / "inner" / "one.py").write_text("import json\nfrom . import two\n")
    (tmp_path / "inner" / "two.py").write_text("import numpy\n")
    (tmp_path / "late.py").write_text("")
    (tmp_path / "other.py").write_text("")
    text = "from inner.one import two\ndef length(text):\n    import late\n    return len(text)\n"
    loaded = project(text, **spec())

    assert list(loaded.python.modules) == [
        "inner/__init__.py",
        "inner/one.py",
        "inner/two.py",
        "late.py",
        "model.py",
    ]


def test_an_input_that_is_no_parameter_names_the_near_one(project) -> None:
    """A misspelt input is met with the parameter that was meant."""
    assert "rename `texts` to `text`" in refused(project, "def length(texts): return 1\n")


def test_a_parameter_without_an_input_is_told(project) -> None:
    """What trb.yaml does not name the function could never be given."""
    assert "needs `most`" in refused(project, "def length(text, most): return 1\n")


def test_a_parameter_with_a_default_may_stay_away(project) -> None:
    """A default is an answer."""
    assert project("def length(text, most=3): return most\n", **spec()).kind == "python"


def test_a_file_that_is_not_there_is_told(project) -> None:
    """The error names the whole path."""
    assert "python.files: there is no" in refused(project, LENGTH, python=PythonOptions(files=("words.txt",)))


def test_a_class_whose_instances_cannot_be_called_is_refused(project) -> None:
    """The error names the method that it lacks."""
    assert "define `__call__`" in refused(project, "class Length: pass\n", source="model:Length")


def test_a_class_that_cannot_be_made_shows_why(project) -> None:
    """The exception and the user's line are told."""
    text = "class Length:\n    def __init__(self, files): open(files / 'gone')\n"

    told = refused(project, text, source="model:Length")
    assert "FileNotFoundError" in told
    assert "model.py:2" in told


def test_answers_that_change_are_refused(project) -> None:
    """A function that counts its calls is no reference."""
    text = "calls = []\ndef length(text):\n    calls.append(1)\n    return len(calls)\n"

    assert "differs when the same inputs are given twice" in refused(project, text)


def test_an_answer_of_another_type_names_the_output_and_the_row(project) -> None:
    """The declared type and what came are both told, and the case that it came from."""
    told = refused(project, "def length(text): return 'three'\n")

    assert "output `n` of row 0 is declared int64, and is a str" in told


def test_a_package_that_nobody_asked_for_is_told_by_its_name(project) -> None:
    """The image has no yaml, and the package that brings it is called pyyaml."""
    told = refused(project, "import yaml\n" + LENGTH)

    assert "model.py imports `yaml`" in told
    assert "requirements: [pyyaml]" in told


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import yaml\nexcept ImportError:\n    yaml = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml\n",
        "import numpy\n",
    ],
)
def test_a_package_that_it_can_do_without_is_not_asked_for(project, text) -> None:
    """Imports that may fail, that are for types alone, and numpy, which every image has."""
    assert project(text + LENGTH, **spec()).python.packages == {}


def test_an_environment_of_its_own_brings_its_packages(project) -> None:
    """Where EXECUTION_ENV_PATH names one, nothing is asked for."""
    given = spec(parameters={"EXECUTION_ENV_PATH": "$$TRITON_MODEL_DIRECTORY/env.tar.gz"})

    assert project("import yaml\n" + LENGTH, **given).kind == "python"


def test_a_source_in_a_package_needs_that_package(project) -> None:
    """A function of an installed package is delivered with it, or not at all."""
    told = refused(project, "", source="yaml:safe_load", inputs={"stream": TEXT["text"]})

    assert "python.requirements: `source` imports `yaml`" in told


def test_a_new_file_in_a_folder_of_files_makes_the_build_stale(project, tmp_path) -> None:
    """The names in the folder count, as the files that were there do."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("a")
    loaded = project(LENGTH, **spec(python=PythonOptions(files=("data",))))
    same = {
        "name": "net",
        "model": Model(**spec(python=PythonOptions(files=("data",)), dims={"batch": Axis(max=4)})),
    }
    assert still_holds(loaded.fingerprint, **same, triton="24.10", folder=tmp_path)

    (tmp_path / "data" / "b.txt").write_text("b")
    assert not still_holds(loaded.fingerprint, **same, triton="24.10", folder=tmp_path)


def packages(*requirements: str, triton: str = "24.10") -> dict[str, str]:
    given = spec(python=PythonOptions(requirements=requirements), dims={"batch": Axis(max=4)})
    return delivered(Model(**given), release(triton))


def test_a_requirement_comes_with_all_that_it_needs() -> None:
    """jinja2 needs markupsafe, and both have the versions that are installed."""
    assert packages("Jinja2>=3") == {"jinja2": version("jinja2"), "markupsafe": version("markupsafe")}


def test_numpy_is_never_delivered() -> None:
    """Neither by itself nor through a package that needs it: the image's own must not be hidden."""
    assert packages("numpy") == {}
    assert packages("ml_dtypes").keys() == {"ml-dtypes"}


def test_what_only_another_python_needs_is_left_out() -> None:
    """Markers are read for the image's Python and not for this one."""
    assert "typing-extensions" in packages("pydantic")
    assert "tomli" not in packages("pytest", triton="25.05")


def test_what_the_other_python_alone_needs_is_left_to_pip() -> None:
    """On 3.10 pytest needs tomli, which nobody has to install here: any version will do."""
    assert packages("pytest").get("tomli") == ("" if find_spec("tomli") is None else version("tomli"))


@pytest.mark.parametrize(
    ("asked", "told"),
    [("no-such-package-here", "is not installed here"), ("jinja2>=99", "is asked for, and")],
)
def test_what_is_not_installed_here_is_told_with_the_command(asked, told) -> None:
    """The version that was tried is the one that is delivered, so it must be here."""
    with pytest.raises(SourceError, match=told) as caught:
        packages(asked)

    assert caught.value.fix == f"pip install '{asked}'"


def labelled(project, tmp_path: Path, content: bytes):
    (tmp_path / "classes.txt").write_bytes(content)
    outputs = {"scores": Output(dtype=DType.FP32, shape=("batch", 2), labels="classes.txt")}
    return {**spec("model:scores", outputs=outputs)}


SCORES = "def scores(text): return [0.5, 0.5]\n"


def test_labels_are_read_with_the_model(project, tmp_path) -> None:
    """One name a line, whatever ends the lines."""
    loaded = project(SCORES, **labelled(project, tmp_path, b"\xef\xbb\xbfcat\r\ndog\r\n"))

    assert loaded.labels == {"scores": ("cat", "dog")}
    assert "classes.txt" in loaded.fingerprint.files


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"cat\n", "has 1 lines, and the last axis of `scores` has 2 places"),
        (b"cat\ndog\ncow\n", "has 3 lines"),
        (b"cat\n\n", "line 2 of classes.txt is empty"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_labels_that_do_not_fit_are_told_in_numbers(project, tmp_path, content, told) -> None:
    """Too few, too many, empty lines and no text are each an error of the build."""
    with pytest.raises(SourceError, match=told):
        project(SCORES, **labelled(project, tmp_path, content))
