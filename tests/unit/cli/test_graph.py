"""`trb graph` on repositories that somebody wrote by hand."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from builder.cli import main
from tests.unit.lint.ensemble_files import X, fan, model


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fan(tmp_path / "repository")
    return tmp_path / "repository"


def trb(*words: object) -> Result:
    return CliRunner().invoke(main, ["graph", *map(str, words)])


def test_a_tree_is_what_is_printed(root: Path) -> None:
    """Without a format the pipeline is a tree on stdout, and nothing is on stderr."""
    done = trb("--repository", root)

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("fan version 1: 4 steps, max batch 4\n├── clients send\n")


def test_json_is_the_whole_report(root: Path) -> None:
    """A program gets every step and edge, and the report's kind."""
    document = json.loads(trb("--repository", root, "--json").stdout)

    assert document["kind"] == "graph"
    (one,) = document["pipelines"]
    assert one["edges"][0] == {
        "tensor": {"name": "image", "dtype": "fp32", "shape": ["batch", 4]},
        "giver": None,
        "reader": "split",
    }
    assert one["steps"][0]["time"] is None


@pytest.mark.parametrize("form", ["tree", "mermaid", "svg", "json"])
def test_a_file_has_what_stdout_would_have(form: str, root: Path, tmp_path: Path) -> None:
    """--output moves the drawing into a file, its folder made, and leaves nothing beside it."""
    path = tmp_path / "new" / "drawing"
    done = trb("--repository", root, "--format", form, "-o", path)

    assert (done.exit_code, done.output) == (0, "")
    assert path.read_text() == trb("--repository", root, "--format", form).stdout
    assert list(path.parent.iterdir()) == [path]


def test_a_picture_on_stdout_is_xml(root: Path) -> None:
    """SVG without --output is the file on stdout."""
    assert ET.fromstring(trb("--repository", root, "--format", "svg").stdout).tag.endswith("svg")


def test_a_failure_leaves_the_file_of_before(root: Path, tmp_path: Path) -> None:
    """A drawing that cannot be made does not touch what an earlier one wrote."""
    path = tmp_path / "drawing"
    path.write_text("before")
    done = trb("--repository", root, "fann", "-o", path)

    assert (done.exit_code, done.stdout, path.read_text()) == (5, "", "before")
    assert "fix: did you mean `fan`?" in done.stderr


def test_a_link_stays_one(root: Path, tmp_path: Path) -> None:
    """What the link leads to is written, not the link."""
    (tmp_path / "target").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    trb("--repository", root, "-o", tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text().startswith("fan version 1")


def test_a_device_is_written_and_not_replaced(root: Path) -> None:
    """--output /dev/null does what it does everywhere."""
    assert trb("--repository", root, "-o", "/dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_a_file_that_cannot_be_written_is_a_usage_mistake(root: Path, tmp_path: Path) -> None:
    """The path and the reason are named."""
    (tmp_path / "file").write_text("")
    done = trb("--repository", root, "-o", tmp_path / "file" / "drawing")

    assert done.exit_code == 2
    assert f"{tmp_path / 'file' / 'drawing'} cannot be written: " in done.stderr


def test_a_repository_without_ensembles_ends_with_its_code(tmp_path: Path) -> None:
    """Nothing to draw is a failure of the repository, with a fix."""
    model(tmp_path, "m", {"x": X}, {"y": X})
    done = trb("--repository", tmp_path)

    assert done.exit_code == 5
    assert "has no ensemble" in done.stderr
    assert "fix: " in done.stderr


def test_without_a_spec_the_spec_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a spec nor a repository is a mistake of the spec."""
    monkeypatch.chdir(tmp_path)

    assert trb().exit_code == 3
