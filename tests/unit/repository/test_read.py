"""What the repository says it holds."""

import shutil
from pathlib import Path

import pytest

from builder import repository
from builder.errors import RepositoryError
from tests.unit.repository.values import fill, publish, record


def test_the_newest_version_is_the_highest_number(root: Path) -> None:
    """Ten comes after nine."""
    publish(root, "w")
    (root / "m" / "1").rename(root / "m" / "9")
    publish(root, "w2")
    assert repository.latest(root, "m").version == 10


@pytest.mark.parametrize("name", ["5.tmp", "01", "0", "v1", "warmup", "-1", "1²"])
def test_only_plain_numbers_are_versions(root: Path, name: str) -> None:
    """A folder that only looks like a version is none."""
    publish(root, "w")
    (root / "m" / name).mkdir(exist_ok=True)
    assert [one.version for one in repository.versions(root, "m")] == [1]


def test_a_model_that_was_never_built_says_how_to_build_it(root: Path) -> None:
    """The fix is the command."""
    with pytest.raises(RepositoryError, match="no version of m") as refusal:
        repository.latest(root, "m")
    assert "trb build" in refusal.value.fix


def test_a_version_that_is_not_there_names_those_that_are(root: Path) -> None:
    """Asking for 3 where there are 1 and 2 lists them."""
    publish(root, "w")
    publish(root, "w2")
    with pytest.raises(RepositoryError, match="it has: 1, 2"):
        repository.version_folder(root, "m", 3)


def test_models_are_the_folders_with_a_version(root: Path) -> None:
    """Files and folders without a version are no models."""
    assert repository.models(root) == ()
    publish(root, "w")
    repository.publish(root, "another", fill(repository.stage(root, "another"), "w"), record())
    (root / "README.md").write_text("")
    (root / "empty").mkdir()
    assert repository.models(root) == ("another", "m")


@pytest.mark.parametrize("path", [None, "a.txt", "Documents/letter.txt", "m.onnx/model.onnx", "1/model.onnx"])
def test_a_folder_without_a_model_is_named_with_what_was_looked_for(root: Path, path: str | None) -> None:
    """An empty folder, a home directory and a single model's folder are no repositories."""
    root.mkdir(parents=True)
    if path is not None:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("")

    with pytest.raises(RepositoryError, match=r"holds no model: .* config\.pbtxt or a numbered version"):
        repository.require_a_model(root)


def test_a_repository_that_is_no_folder_is_named(root: Path) -> None:
    """A path that does not exist is told apart from a folder without a model."""
    with pytest.raises(RepositoryError, match="there is no folder"):
        repository.require_a_model(root)


@pytest.mark.parametrize("path", ["m/config.pbtxt", "m/1/model.onnx", "m/0/model.onnx"])
def test_a_repository_written_by_hand_is_one(root: Path, path: str) -> None:
    """A config without a version, or a version without a config or record, is a model to a server."""
    (root / path).parent.mkdir(parents=True)
    (root / path).write_text("")
    (root / "README.md").write_text("")

    repository.require_a_model(root)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("1/model.onnx", "model.onnx was changed"),
        ("1/extra", "extra was added"),
        ("config.pbtxt", "config.pbtxt is not the one"),
    ],
)
def test_verify_names_what_was_touched(root: Path, path: str, says: str) -> None:
    """One sentence, with the path, for each departure from the record."""
    published = publish(root, "w")
    (root / "m" / path).write_text("edited")
    found = repository.verify(published)
    assert len(found) == 1
    assert says in found[0]


def test_verify_names_a_version_under_another_number(root: Path) -> None:
    """A copy of version 1 as version 7 has every byte of it, and is not what trb published."""
    published = publish(root, "w")
    shutil.copytree(published.folder, root / "m" / "7")

    assert repository.verify(repository.versions(root, "m")[0]) == ()
    (found,) = repository.verify(repository.latest(root, "m"))
    assert "m/7 holds the record of version 1" in found
    assert "`trb build`" in found


def test_a_newest_version_that_is_not_ours_is_told(root: Path) -> None:
    """A model of ours and one written by hand have nothing to tell; a copy, and a folder without a record, do."""
    (root / "by_hand" / "1").mkdir(parents=True)
    assert repository.strangeness(root, "by_hand") == ""
    published = publish(root, "w")
    assert repository.strangeness(root, "m") == ""

    shutil.copytree(published.folder, root / "m" / "7")
    assert "record of version 1" in repository.strangeness(root, "m")
    (root / "m" / "7" / "record.json").write_text("{}")
    assert "cannot be read" in repository.strangeness(root, "m")
    (root / "m" / "7" / "record.json").unlink()
    assert "m/7 has no record.json" in repository.strangeness(root, "m")


def test_verify_names_what_is_missing(root: Path) -> None:
    """A file that was deleted is named."""
    published = publish(root, "w")
    (published.folder / "data" / "weights").unlink()
    assert [line.endswith("data/weights is missing") for line in repository.verify(published)] == [True]


def test_recover_empties_staging_and_nothing_else(root: Path) -> None:
    """What killed builds left behind is gone; what was published and measured stays."""
    published = publish(root, "w")
    repository.append_live(root, published, "check", {"passed": True})
    fill(repository.stage(root, "half-made"), "w")
    repository.recover(root)

    assert not (repository.home(root) / "staging").exists()
    assert repository.latest(root, "m") == repository.versions(root, "m")[0]
    assert len(repository.read_live(root, "m")) == 1


def test_a_stage_is_empty_even_when_an_old_one_was_left(root: Path) -> None:
    """The same model is staged at the same path, without what was there."""
    fill(repository.stage(root, "m"), "w")
    assert list(repository.stage(root, "m").iterdir()) == []
