"""What a build of the image is given."""

import io
import json
import tarfile
from pathlib import Path

import pytest

import builder
from builder.server.image.context import Context, context, dockerfile, packed, runtimes, write
from builder.server.image.plan import Plan
from builder.server.image.wheels import Wheels
from builder.spec.releases import release

PACKAGE = Path(builder.__file__).parent
VERSIONS = {"numpy": "1.26.4", "onnxruntime": "1.19.2", "torch": "2.13.0+cpu"}
HOME = "parts/opt/tritonserver"


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    file = tmp_path / "numpy-1.26.4-py3-none-any.whl"
    file.write_bytes(b"a wheel")
    return Wheels(files=(file,), versions=VERSIONS)


def plan(**more: object) -> Plan:
    return Plan(release=release("24.10"), **more)  # type: ignore[arg-type]


def made(wheels: Wheels, made_on: str = "sha256:1", **more: object) -> Context:
    return context(plan(**more), wheels, python="3.11.2", made_on=made_on)


def entries(one: Context) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed(one)))) as archive:
        return archive.getmembers()


def test_the_same_plan_gives_the_same_bytes(wheels: Wheels) -> None:
    """Two contexts of one plan are one tar, byte for byte."""
    assert b"".join(packed(made(wheels))) == b"".join(packed(made(wheels)))


def test_the_tar_holds_what_the_context_holds(wheels: Wheels) -> None:
    """Every file comes out of the tar with its bytes, however long it is."""
    one = made(wheels)

    with tarfile.open(fileobj=io.BytesIO(b"".join(packed(one)))) as archive:
        for name, content in one.files.items():
            file = archive.extractfile(name)
            assert file is not None
            assert file.read() == (content.read_bytes() if isinstance(content, Path) else content)


def test_no_time_and_no_user_enters_the_tar(wheels: Wheels) -> None:
    """The daemon's cache and the image's layers depend on nothing of the machine."""
    assert {(entry.mtime, entry.uid, entry.gid) for entry in entries(made(wheels))} == {(0, 0, 0)}


def test_a_folder_stands_before_what_is_in_it(wheels: Wheels) -> None:
    """Every folder of the tar is an entry of its own, which everybody may enter."""
    seen: set[str] = set()
    for entry in entries(made(wheels)):
        parent = str(Path(entry.name).parent)
        assert parent == "." or parent in seen
        if entry.isdir():
            assert entry.mode == 0o755
            seen.add(entry.name)


def test_a_context_for_elsewhere_is_the_one_that_is_sent(wheels: Wheels, tmp_path: Path) -> None:
    """The folder has the files of the tar, the server's wrapper executable."""
    one = made(wheels)
    folder = tmp_path / "context"

    write(one, folder)

    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == set(one.files)
    assert (folder / HOME / "bin" / "tritonserver").stat().st_mode & 0o111


@pytest.mark.parametrize("change", ["base", "wheel", "requirement", "release"])
def test_other_inputs_have_another_hash(change: str, wheels: Wheels) -> None:
    """A build is skipped for the same inputs alone: another base, wheel or plan is another image."""
    before = made(wheels).inputs
    if change == "wheel":
        wheels.files[0].write_bytes(b"a worse")
    after = {
        "base": lambda: made(wheels, made_on="sha256:2"),
        "wheel": lambda: made(wheels),
        "requirement": lambda: made(Wheels(files=wheels.files, versions={**VERSIONS, "pillow": "12.3.0"})),
        "release": lambda: context(
            Plan(release=release("24.09")), wheels, python="3.11.2", made_on="sha256:1"
        ),
    }[change]()

    assert after.inputs != before


def test_what_is_left_out_leaves_its_backend_out(wheels: Wheels) -> None:
    """Without torch there is no pytorch backend, rather than one that fails at its first model."""
    files = made(wheels, without=frozenset({"torch"})).files

    assert f"{HOME}/backends/onnxruntime/model.py" in files
    assert not [name for name in files if "backends/pytorch" in name]


def test_the_runtimes_are_those_of_an_endpoint() -> None:
    """Each backend has what `Endpoint.runtime` gives for it, so that a label says it before a start."""
    assert runtimes(plan(), VERSIONS, "3.11.2") == {
        "onnxruntime": {"onnxruntime": "1.19.2", "numpy": "1.26.4", "python": "3.11.2"},
        "pytorch": {"torch": "2.13.0+cpu", "numpy": "1.26.4", "python": "3.11.2"},
        "python": {"numpy": "1.26.4", "python": "3.11.2"},
    }


def test_the_dockerfile_needs_no_arguments(wheels: Wheels) -> None:
    """A context builds elsewhere by `docker build` alone: every ARG with a default has the plan's value."""
    text = made(wheels, base="python:3.11-slim").files["Dockerfile"]
    assert isinstance(text, bytes)
    lines = text.decode().splitlines()

    assert "ARG BASE='python:3.11-slim'" in lines
    assert "ARG RELEASE='24.10'" in lines
    packages = next(line for line in lines if line.startswith("ARG PACKAGES="))
    assert json.loads(packages.partition("=")[2].strip("'")) == VERSIONS
    assert not [line for line in lines if line.startswith("ARG ") and line.endswith("=")]


def test_the_dockerfile_is_ours_but_for_its_arguments() -> None:
    """No argument, no change: what ships is what builds."""
    root = PACKAGE.parent

    assert dockerfile({}) == (root / "docker" / "Dockerfile").read_bytes()
