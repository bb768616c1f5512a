"""The folders beside a model.py that trb wrote are looked into as its server would."""

from pathlib import Path

import pytest

from builder.lint import Target, lint_model
from builder.spec.releases import release

CONFIG = """\
backend: "python"
input { name: "x" data_type: TYPE_FP32 dims: [1] }
output { name: "y" data_type: TYPE_FP32 dims: [1] }
"""
MODEL = "from trb_step import Step\nclass TritonPythonModel:\n    def execute(self, requests): return []\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of trb's, whose function imports a package and a module of the user."""
    version = tmp_path / "m" / "1"
    for name, text in {
        "../config.pbtxt": CONFIG,
        "model.py": MODEL,
        "trb_step.py": "import numpy\n",
        "code/steps.py": "import PIL\nfrom inner import clean\n",
        "code/inner/clean.py": "",
        "python3.10/PIL/__init__.py": "import olefile\n",
    }.items():
        (version / name).parent.mkdir(parents=True, exist_ok=True)
        (version / name).write_text(text)
    return tmp_path / "m"


def told(model: Path, triton: str = "24.10") -> list[tuple[str, str]]:
    found = lint_model(model, Target(release=release(triton))).findings
    return [(one.code, Path(one.path).name) for one in found]


def test_packages_for_the_releases_python_are_found(model: Path) -> None:
    """What they import themselves is their own affair, and no folder is a stray."""
    assert told(model) == []


def test_packages_for_another_python_do_not_count(model: Path) -> None:
    """25.01 has Python 3.12, for which there is no folder."""
    assert told(model, "25.01") == [("P105", "steps.py")]


def test_the_users_modules_are_read_although_only_a_text_names_them(model: Path) -> None:
    """One that the release's Python does not read is an error with its file."""
    (model / "1" / "code" / "steps.py").write_text("def (:\n")

    assert told(model) == [("P101", "steps.py")]


def test_beside_any_other_model_the_folders_mean_nothing(model: Path) -> None:
    """Without trb's own file nobody puts them on sys.path."""
    (model / "1" / "trb_step.py").unlink()
    (model / "1" / "model.py").write_text("import PIL\n" + MODEL.partition("\n")[2])

    assert told(model) == [("P105", "model.py")]


@pytest.mark.parametrize(
    ("source", "code"),
    [("try: pass\nexcept* ValueError: pass\n", "P101"), ("import tomllib\n", "P107")],
)
def test_the_users_modules_are_held_to_the_images_python(model: Path, source: str, code: str) -> None:
    """Syntax and modules of Python 3.11 are errors for 24.10, which has 3.10, and none for 25.01."""
    (model / "1" / "code" / "steps.py").write_text(source)

    assert told(model) == [(code, "steps.py")]
    assert told(model, "25.01") == []
