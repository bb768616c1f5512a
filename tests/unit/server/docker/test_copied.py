"""Models go into a container as a tar that is written while it is read."""

import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from builder.errors import ServerError
from builder.server.docker.copied import tarred


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever happens to a tar, nobody goes on writing it."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def unpacked(repository: Path, *models: str) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=whole(repository, *models)) as tar:
        return {entry.name: entry for entry in tar.getmembers()}


def whole(repository: Path, *models: str) -> io.BytesIO:
    return io.BytesIO(b"".join(tarred(repository, models, under="models")))


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_arrives_with_the_bytes_it_has(tmp_path: Path) -> None:
    """Empty, small, and larger than a chunk."""
    contents = {"config.pbtxt": b"", "1/model.onnx": b"\x00\xff" * 5, "1/weights": bytes(range(256)) * 12_345}
    for name, content in contents.items():
        write(tmp_path / "m" / name, content)

    with tarfile.open(fileobj=whole(tmp_path, "m")) as tar:
        for name, content in contents.items():
            file = tar.extractfile(f"models/m/{name}")
            assert file is not None
            assert file.read() == content


def test_only_the_models_that_are_asked_for_go(tmp_path: Path) -> None:
    """Others stay, and so does what lies beside them; no model at all is an empty folder."""
    for name in ("a", "b", "c"):
        write(tmp_path / name / "1" / "model.onnx", b"x")
    write(tmp_path / "notes.txt", b"x")

    assert set(unpacked(tmp_path, "a", "c")) == {
        "models",
        *(f"models/{name}{end}" for name in ("a", "c") for end in ("", "/1", "/1/model.onnx")),
    }
    assert set(unpacked(tmp_path)) == {"models"}


def test_links_arrive_as_what_they_lead_to(tmp_path: Path) -> None:
    """Of a file, of a folder, of the model itself; a second name of a file is a file too."""
    write(tmp_path / "elsewhere" / "weights", b"weights")
    write(tmp_path / "elsewhere" / "1" / "model.onnx", b"model")
    model = tmp_path / "repository" / "m"
    model.mkdir(parents=True)
    (model / "1").symlink_to(tmp_path / "elsewhere" / "1")
    (model / "weights").symlink_to(tmp_path / "elsewhere" / "weights")
    (model / "again").hardlink_to(tmp_path / "elsewhere" / "weights")
    (tmp_path / "repository" / "n").symlink_to(model)

    found = unpacked(tmp_path / "repository", "m", "n")

    for name in ("m", "n"):
        assert found[f"models/{name}/1"].isdir()
        assert all(found[f"models/{name}/{file}"].isreg() for file in ("1/model.onnx", "weights", "again"))
        assert found[f"models/{name}/weights"].size == len(b"weights")


def test_whoever_the_server_runs_as_can_read_it(tmp_path: Path) -> None:
    """Modes and owners of this machine do not come along: none of its users is in the container."""
    write(tmp_path / "m" / "1" / "model.onnx", b"x").chmod(0o600)
    (tmp_path / "m" / "1").chmod(0o700)

    for entry in unpacked(tmp_path, "m").values():
        assert entry.mode == (0o755 if entry.isdir() else 0o644)
        assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", "")


def test_a_program_can_be_run_by_whoever_the_server_runs_as(tmp_path: Path) -> None:
    """A model may bring a Python backend's stub of its own, which Triton starts."""
    write(tmp_path / "m" / "triton_python_backend_stub", b"x").chmod(0o700)

    assert unpacked(tmp_path, "m")["models/m/triton_python_backend_stub"].mode == 0o755


def test_names_that_no_plain_tar_has_arrive(tmp_path: Path) -> None:
    """Long ones, and ones in letters of any language."""
    name = "ü" * 60
    write(tmp_path / "m" / name / name / "model", b"x")

    assert f"models/m/{name}/{name}/model" in unpacked(tmp_path, "m")


@pytest.mark.parametrize("where", ["model", "file"])
def test_what_is_not_there_is_told_with_its_path(where: str, tmp_path: Path) -> None:
    """The path of a link to nowhere, or of no model, and no OSError: the SDK would take that for the connection's."""
    write(tmp_path / "m" / "1" / "model.onnx", b"x")
    (tmp_path / "m" / "dangling").symlink_to("/nowhere/at/all")
    name, path = ("n", tmp_path / "n") if where == "model" else ("m", tmp_path / "m" / "dangling")

    with pytest.raises(ServerError) as caught:
        whole(tmp_path, name)

    assert f"{path} cannot be copied" in caught.value.what
    assert "No such file or directory" in caught.value.what
    assert caught.value.fix


def test_a_reader_that_stops_early_ends_the_writer(tmp_path: Path) -> None:
    """A daemon that goes away in the middle of a large file leaves nothing behind here."""
    write(tmp_path / "m" / "1" / "weights", bytes(20_000_000))

    with closing(tarred(tmp_path, ["m"], under="models")) as chunks:
        assert next(chunks)
