"""How a version gets into the repository."""

import errno
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from builder import repository
from builder.errors import RepositoryError, SignatureChanged
from builder.repository.layout import staging
from builder.spec.dtypes import DType
from builder.spec.tensors import Tensor
from tests.unit.repository.values import X, fill, publish, record, tree


def test_the_first_version_is_one(root: Path) -> None:
    """A model that was never published gets version 1, whole: config, warmup, files and record."""
    published = publish(root, "w")

    assert (published.triton_name, published.version, published.changed) == ("m", 1, True)
    assert sorted(tree(root)) == [
        "m/1/data/weights",
        "m/1/model.onnx",
        "m/1/record.json",
        "m/config.pbtxt",
        "m/warmup/0_x",
    ]


def test_nothing_of_ours_lies_in_the_root(root: Path) -> None:
    """The root holds model folders alone; Triton would take anything else for one."""
    with repository.lock(root):
        publish(root, "w")
        publish(root, "w2")
        assert [path.name for path in root.iterdir()] == ["m"]


def test_a_new_version_stands_beside_the_old_ones(root: Path) -> None:
    """The next number is one above the highest; older versions keep their files, their very inodes and their times."""
    first = publish(root, "w")
    before = {path: path.stat() for path in (first.folder, first.folder / "model.onnx")}
    second = publish(root, "w2", config="new", warmup="other")

    assert second.version == 2
    assert tree(root / "m")["1/data/weights"] == "w"
    assert tree(root / "m")["2/data/weights"] == "w2"
    assert tree(root / "m")["config.pbtxt"] == "new"
    assert tree(root / "m")["warmup/0_x"] == "other"
    assert (first.folder / "model.onnx").stat().st_ino == before[first.folder / "model.onnx"].st_ino
    assert first.folder.stat().st_mtime_ns == before[first.folder].st_mtime_ns


def test_the_warmup_data_of_the_last_version_stays(root: Path) -> None:
    """A server that has read the old config still finds the data it names; new data of the same name wins."""
    publish(root, "w")
    (root / "m" / "warmup" / "0_old").write_text("old")
    publish(root, "w2", warmup="new")
    publish(root, "w3", warmup=None)
    assert {path: text for path, text in tree(root / "m").items() if path.startswith("warmup")} == {
        "warmup/0_old": "old",
        "warmup/0_x": "new",
    }


def test_a_number_is_never_given_twice(root: Path) -> None:
    """After a gap the next number is still one above the highest."""
    publish(root, "w")
    (root / "m" / "1").rename(root / "m" / "7")
    assert publish(root, "w2").version == 8


def copied(root: Path, *, to: str) -> Path:
    """Copy version 1 as somebody would by hand."""
    return Path(shutil.copytree(root / "m" / "1", root / "m" / to))


def test_a_version_that_was_copied_in_is_not_taken_for_the_new_one(root: Path) -> None:
    """The same bytes under a number that trb did not give are published above it, and the copy stays as it is."""
    publish(root, "w")
    before = tree(copied(root, to="7"))
    again = publish(root, "w")

    assert (again.version, again.changed) == (8, True)
    assert tree(root / "m" / "7") == before
    assert repository.verify(again) == ()


def test_a_record_from_before_it_held_a_number_is_ours(root: Path) -> None:
    """A version that an earlier trb published stands, and nothing is said against it."""
    published = publish(root, "w")
    path = published.folder / "record.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "version"}))

    assert publish(root, "w").version == 1
    assert repository.verify(published) == ()


def test_a_version_without_a_record_is_published_above(root: Path) -> None:
    """A folder that trb did not write stands in no way: the next number is above it, whatever it holds."""
    publish(root, "w")
    stranger = copied(root, to="7")
    (stranger / "record.json").unlink()
    (stranger / "model.onnx").write_text("by hand")
    before = tree(stranger)

    assert publish(root, "w").version == 8
    assert tree(stranger) == before


def test_clients_of_a_version_below_a_strange_one_are_not_broken(root: Path) -> None:
    """The newest version with a record is what a new signature is compared with."""
    publish(root, "w")
    (copied(root, to="7") / "record.json").unlink()

    with pytest.raises(SignatureChanged):
        publish(root, "w2", record((Tensor(name="z", dtype=DType.FP32, shape=("batch", 4)),)))


def test_the_same_bytes_make_no_new_version(root: Path) -> None:
    """Files, config and warmup as they were: the version stands, also when the commit is another."""
    publish(root, "w")
    again = publish(root, "w", record(git_commit="c0ffee"))

    assert (again.version, again.changed) == (1, False)
    assert not list(staging(root).iterdir())


@pytest.mark.parametrize("files", [{"weights": "w2"}, {"config": "other"}, {"warmup": "other"}])
def test_any_other_byte_makes_one(root: Path, files: dict[str, str]) -> None:
    """A new version for a change in the files, the config or the warmup."""
    publish(root, "w")
    again = publish(root, **{"weights": "w", **files})
    assert (again.version, again.changed) == (2, True)


@pytest.mark.parametrize("path", ["1/model.onnx", "1/data/weights", "config.pbtxt", "warmup/0_x"])
def test_a_damaged_version_is_not_taken_for_the_same(root: Path, path: str) -> None:
    """What was edited after publication is published anew."""
    publish(root, "w")
    (root / "m" / path).write_text("edited")
    assert publish(root, "w").version == 2


def test_the_record_holds_the_hash_of_every_file(root: Path) -> None:
    """record.json names each file of the version but itself, and the config."""
    published = publish(root, "w")
    facts = json.loads((published.folder / "record.json").read_text())

    assert sorted(facts["files"]) == ["data/weights", "model.onnx"]
    assert len(facts["config_sha256"]) == 64
    assert repository.verify(published) == ()


def test_the_same_build_in_two_places_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the place, the time or the host gets into what is published."""
    one, other = tmp_path / "here" / "models", tmp_path / "somewhere" / "else"
    publish(one, "w")
    publish(other, "w")
    assert tree(one) == tree(other)


def test_files_that_an_exporter_kept_to_itself_can_be_read_by_the_server(root: Path) -> None:
    """A file made through mkstemp is readable for everyone once it is published."""
    stage = fill(repository.stage(root, "m"), "w")
    (stage / "version" / "model.onnx").chmod(0o600)
    published = repository.publish(root, "m", stage, record())
    assert stat.S_IMODE((published.folder / "model.onnx").stat().st_mode) == 0o644


def test_what_somebody_put_beside_the_versions_stays(root: Path) -> None:
    """Labels and named configs of the user are not lost by the exchange."""
    publish(root, "w")
    (root / "m" / "labels.txt").write_text("zero")
    (root / "m" / "configs").mkdir()
    (root / "m" / "configs" / "gpu.pbtxt").write_text("gpu")
    publish(root, "w2")

    assert tree(root / "m")["labels.txt"] == "zero"
    assert tree(root / "m")["configs/gpu.pbtxt"] == "gpu"


@pytest.mark.parametrize("path", ["1/model.onnx", "config.pbtxt"])
def test_a_model_folder_that_is_not_ours_is_left_alone(root: Path, path: str) -> None:
    """A hand-made model of the same name is refused, and nothing of it changes."""
    (root / "m" / path).parent.mkdir(parents=True)
    (root / "m" / path).write_text("by hand")

    with pytest.raises(RepositoryError, match="trb did not") as refusal:
        publish(root, "w")
    assert "another name" in refusal.value.fix
    assert tree(root) == {f"m/{path}": "by hand"}


def test_a_record_that_cannot_be_read_is_named(root: Path) -> None:
    """The error gives the path of the damaged record, and nothing is published over it."""
    publish(root, "w")
    (root / "m" / "1" / "record.json").write_text("{}")
    with pytest.raises(RepositoryError, match=r"m/1/record\.json cannot be read"):
        publish(root, "w2")


def test_a_signature_that_breaks_clients_is_refused_with_the_choices(root: Path) -> None:
    """The old version still stands, the differences are listed, and the three ways on are named."""
    publish(root, "w")
    with pytest.raises(SignatureChanged, match=r"input x fp32\[batch, 4\] is gone") as refusal:
        publish(root, "w2", record((Tensor(name="z", dtype=DType.FP32, shape=("batch", 4)),)))

    for choice in ("allow_new_signature: true", "under a new name", "restore"):
        assert choice in refusal.value.fix
    assert repository.latest(root, "m").version == 1
    assert not list(staging(root).iterdir())


def test_a_signature_that_breaks_clients_is_published_when_allowed(root: Path) -> None:
    """`allow_new_signature` publishes the same change."""
    publish(root, "w")
    new = record((Tensor(name="z", dtype=DType.FP32, shape=("batch", 4)),))
    stage = fill(repository.stage(root, "m"), "w2")
    assert repository.publish(root, "m", stage, new, allow_new_signature=True).version == 2


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a..b", "-m", ".m", "a b", "m\n"])
def test_a_name_that_triton_would_refuse_gets_no_stage(root: Path, name: str) -> None:
    """No path outside the repository, and no name that a server ignores, can be made."""
    with pytest.raises(RepositoryError, match="Triton would refuse"):
        repository.stage(root, name)


def fail_with(number: int) -> object:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number), str(arguments[0]))

    return fail


@pytest.mark.parametrize(
    ("step", "number", "says"),
    [
        ("os.link", errno.EPERM, "cannot be hard-linked"),
        ("os.link", errno.EOPNOTSUPP, "cannot be hard-linked"),
        ("os.link", errno.EXDEV, "different filesystems"),
        ("os.link", errno.ENOSPC, r"is full: .* are needed, .* are free"),
        ("builder.repository.disk.keep", errno.ENOSPC, r"is full: .* are needed, .* are free"),
        ("builder.repository.disk.exchange", errno.EROFS, "cannot be written: Read-only file system"),
        ("builder.repository.disk.write_text", errno.EDQUOT, "is full"),
        ("builder.repository.disk.write_text", errno.EIO, "cannot be written: Input/output error"),
    ],
)
def test_a_write_that_fails_leaves_the_old_version(
    root: Path, step: str, number: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what the filesystem lacks; the repository is as it was, and staging is empty."""
    publish(root, "w")
    before = tree(root)
    stage = fill(repository.stage(root, "m"), "w2")
    monkeypatch.setattr(step, fail_with(number))
    with pytest.raises(RepositoryError, match=says):
        repository.publish(root, "m", stage, record())
    monkeypatch.undo()

    assert tree(root) == before
    assert not list(staging(root).iterdir())
    assert publish(root, "w2").version == 2


def test_an_exchange_between_two_filesystems_is_explained(root: Path, tmp_path: Path) -> None:
    """renameat2 is really called: across filesystems it refuses, and the error says what to do."""
    from builder.repository.disk import exchange

    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one filesystem")
    with pytest.raises(RepositoryError, match="different filesystems"):
        exchange(tmp_path, other)


def test_an_input_that_keeps_its_name_and_shape_is_no_break(root: Path) -> None:
    """A retrained model of the same signature is published without a word."""
    publish(root, "w")
    assert publish(root, "w2", record((X,))).version == 2


LABELLED = 'name: "m"\noutput { name: "y" label_filename: "labels_y-%s.txt" }\n'


def labelled(root: Path, labels: str, weights: str = "w") -> repository.Published:
    """Publish a version whose config names a file of labels."""
    start = hashlib.sha256(labels.encode()).hexdigest()[:8]
    stage = fill(repository.stage(root, "m"), weights, config=LABELLED % start)
    (stage / f"labels_y-{start}.txt").write_text(labels)
    return repository.publish(root, "m", stage, record())


def test_labels_lie_beside_the_config_and_those_of_the_last_version_stay(root: Path) -> None:
    """A server that has read the old config still finds what it names; equal ones make no new version."""
    labelled(root, "cat\n")
    assert labelled(root, "cat\n").changed is False
    assert labelled(root, "dog\n").version == 2
    assert labelled(root, "dog\n", "w2").version == 3

    texts = {path.read_text() for path in (root / "m").glob("labels_y-*.txt")}
    assert texts == {"cat\n", "dog\n"}


def test_labels_that_were_edited_are_noticed_and_published_anew(root: Path) -> None:
    """Their name ends in the start of their hash."""
    published = labelled(root, "cat\n")
    assert repository.verify(published) == ()
    file = next((root / "m").glob("labels_y-*.txt"))
    file.write_text("edited\n")

    assert repository.verify(published) == (f"{file} is not the one it was published with",)
    assert labelled(root, "cat\n").version == 2
    assert file.read_text() == "cat\n"


def test_bytecode_of_a_server_is_no_change(root: Path) -> None:
    """Triton's Python backend writes it into the version folder of the model that it runs."""
    published = publish(root, "w")
    (published.folder / "__pycache__").mkdir()
    (published.folder / "__pycache__" / "model.cpython-310.pyc").write_text("x")

    assert repository.verify(published) == ()
    assert publish(root, "w").version == 1
