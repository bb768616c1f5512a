"""Which modules of ours the image has."""

import ast
from pathlib import Path

import pytest

import builder
from builder.server.image.needs import stand_in_needs

PACKAGE = Path(builder.__file__).parent
WANTED = (
    "__init__.py",
    "server/__init__.py",
    "server/endpoint.py",
    "server/standins/ort_model.py",
    "rules/onnxruntime.py",
    "spec/releases.py",
    "spec/data/releases.json",
)


@pytest.mark.parametrize("path", WANTED)
def test_what_the_stand_ins_import_is_there(path: str) -> None:
    """Modules, the packages above them, and the data that they read."""
    assert path in stand_in_needs()


def test_what_they_never_import_is_not() -> None:
    """A change of the command line, an exporter or a door is no change of the image."""
    tops = {path.split("/")[0] for path in stand_in_needs()}

    assert tops == {"__init__.py", "errors.py", "rules", "server", "spec"}
    assert not [path for path in stand_in_needs() if path.startswith(("server/embedded", "server/docker"))]


@pytest.mark.parametrize("path", [one for one in stand_in_needs() if one.endswith(".py")])
def test_every_import_of_ours_leads_into_the_image(path: str) -> None:
    """A module that the image has imports nothing of ours as it is imported that the image lacks."""
    there = set(stand_in_needs())
    for node in ast.parse((PACKAGE / path).read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "builder":
            module = "/".join((node.module or "").split(".")[1:])
            assert {f"{module}.py", f"{module}/__init__.py".lstrip("/")} & there
