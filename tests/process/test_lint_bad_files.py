"""Whatever lies in a repository, `trb lint` ends with findings: never a traceback, never stuck, nothing run."""

import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx.parser
import pytest

from builder.lint import Target, lint, lint_model, places, pool
from builder.spec.releases import release

ONNX = 'backend: "onnxruntime"\n'
IO = """
input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }
"""
TORCH = f'backend: "pytorch"{IO}'
PYTHON = f'backend: "python"{IO}'
GRAPH = '<ir_version: 8, opset_import: ["": 18]> g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }'
SOURCE = "class TritonPythonModel:\n    def execute(self, requests):\n        return []\n"
LARGE = 200 << 20


class Harmful:
    """Its unpickling writes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def run(repository: Path, cwd: Path | None = None) -> tuple[int, list[dict[str, Any]]]:
    """Run `trb lint` and return its exit code and findings."""
    done = run_as("json", repository, cwd)
    return done.returncode, json.loads(done.stdout)["findings"]


def run_as(form: str, repository: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `trb lint`; it may not take longer than a minute."""
    command = [
        sys.executable,
        "-m",
        "builder",
        "lint",
        str(repository),
        "--triton",
        "24.10",
        "--format",
        form,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def model(repository: Path, config: str = ONNX, name: str = "m") -> Path:
    """Return a new version's folder of a model."""
    version = repository / name / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(config)
    return version


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.write(os.urandom(1 << 20))
        file.truncate(LARGE)


def listening(path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="s") as short, socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{short}/s")
        os.link(f"{short}/s", path)


def nested_graph(path: Path) -> None:
    inner = b""
    for _ in range(20_000):
        inner = b"\x3a" + _varint(len(inner)) + inner
    path.write_bytes(inner)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("data.pkl", "constants.pkl", "version", "code/__torch__.py"):
            with archive.open(f"model/{name}", "w") as record:
                for _ in range(100):
                    record.write(b"\0" * (1 << 20))


def many_entries(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"model/{number}", "")


CONFIGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "junk": (lambda path: path.write_bytes(bytes(range(256)) * 40), "C101"),
    "utf-16": (lambda path: path.write_text(ONNX, "utf-16"), "C101"),
    "large": (large, "C101"),
    "braces": (lambda path: path.write_text("input {" * 100_000), "C1"),
    "brackets": (lambda path: path.write_text("parameters { " * 5_000 + "}" * 5_000), "C1"),
    "pipe": (os.mkfifo, "R106"),
    "socket": (listening, "R106"),
    "folder": (Path.mkdir, "R106"),
    "link to itself": (lambda path: path.symlink_to(path), "R106"),
    "endless device": (lambda path: path.symlink_to("/dev/zero"), "R106"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_that_is_none_is_a_finding(case: str, tmp_path: Path) -> None:
    """Whatever stands at config.pbtxt, there is a finding about it."""
    version = model(tmp_path / "repository")
    (version / "model.onnx").write_bytes(onnx.parser.parse_model(GRAPH).SerializeToString())
    config = version.parent / "config.pbtxt"
    config.unlink()
    make, code = CONFIGS[case]
    make(config)

    exit_code, findings = run(tmp_path / "repository")

    assert exit_code == 5
    assert any(finding["code"].startswith(code) for finding in findings), findings


FILES: dict[str, tuple[str, str, Callable[[Path], object], str]] = {
    "onnx junk": (ONNX, "model.onnx", lambda path: path.write_bytes(b"\xff" * 1000), "O101"),
    "onnx empty": (ONNX, "model.onnx", Path.touch, "O10"),
    "onnx large": (ONNX, "model.onnx", large, "O101"),
    "onnx pipe": (ONNX, "model.onnx", os.mkfifo, "R122"),
    "onnx socket": (ONNX, "model.onnx", listening, "R122"),
    "onnx device": (ONNX, "model.onnx", lambda path: path.symlink_to("/dev/zero"), "R122"),
    "onnx link to itself": (ONNX, "model.onnx", lambda path: path.symlink_to(path), "R107"),
    "onnx nested": (ONNX, "model.onnx", nested_graph, "O10"),
    "onnx page": (ONNX, "model.onnx", lambda path: path.write_text("\n<!DOCTYPE html><html>"), "R121"),
    "torch junk": (TORCH, "model.pt", lambda path: path.write_bytes(b"\x00" * 1000), "T101"),
    "torch large": (TORCH, "model.pt", large, "T101"),
    "torch pipe": (TORCH, "model.pt", os.mkfifo, "R122"),
    "torch bomb": (TORCH, "model.pt", bomb, "T103"),
    "torch many entries": (TORCH, "model.pt", many_entries, "T10"),
    "python junk": (PYTHON, "model.py", lambda path: path.write_bytes(bytes(range(256))), "P101"),
    "python large": (PYTHON, "model.py", large, "P101"),
    "python pipe": (PYTHON, "model.py", os.mkfifo, "R122"),
    "python parentheses": (PYTHON, "model.py", lambda path: path.write_text("(" * 100_000), "P101"),
    "python signs": (PYTHON, "model.py", lambda path: path.write_text("-" * 1_000_000 + "1"), "P101"),
    "python calls": (PYTHON, "model.py", lambda path: path.write_text("f" + "()" * 500_000), "P101"),
    "plan pipe": ('backend: "tensorrt"\n', "model.plan", os.mkfifo, "R122"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_model_that_is_none_is_a_finding(case: str, tmp_path: Path) -> None:
    """Whatever stands where the model's file should, there is an error about it."""
    config, name, make, code = FILES[case]
    version = model(tmp_path / "repository", config)
    make(version / name)

    exit_code, findings = run(tmp_path / "repository")

    assert exit_code == 5
    assert any(finding["code"].startswith(code) for finding in findings), findings


def test_nothing_in_a_repository_is_run(tmp_path: Path) -> None:
    """A pickle that would write a file and a source that would write one leave no file."""
    repository, marker = tmp_path / "repository", tmp_path / "marker"
    harmful = pickle.dumps(Harmful(marker), protocol=2)
    (model(repository, TORCH, "pickled") / "model.pt").write_bytes(harmful)
    with zipfile.ZipFile(model(repository, TORCH, "archive") / "model.pt", "w") as archive:
        for record in ("data.pkl", "constants.pkl"):
            archive.writestr(f"model/{record}", harmful)
        archive.writestr("model/version", "3\n")
        archive.writestr("model/code/__torch__.py", f"open({str(marker)!r}, 'w')\nclass M(Module):\n")
    source = f"open({str(marker)!r}, 'w')\n{SOURCE}"
    version = model(repository, PYTHON, "source")
    (version / "model.py").write_text(f"import helper\nfrom . import beside\n{source}")
    for beside in (version / "beside.py", version / "helper.py", version / "__init__.py"):
        beside.write_text(source)
    (model(repository, 'backend: "pytorch"\nruntime: "model.py"\n', "torch_source") / "model.py").write_text(
        source
    )

    exit_code, findings = run(repository, cwd=version)

    assert not marker.exists()
    assert {finding["model"] for finding in findings if finding["severity"] == "error"} == {
        "pickled",
        "archive",
    }
    assert exit_code == 5


def test_folders_may_be_linked_in_a_circle(tmp_path: Path) -> None:
    """Links that lead back to the repository are no endless way."""
    repository = tmp_path / "repository"
    version = model(repository)
    (version / "model.onnx").write_bytes(onnx.parser.parse_model(GRAPH).SerializeToString())
    (version / "up").symlink_to(repository)
    (repository / "again").symlink_to(repository)
    (repository / "m" / "2").symlink_to(version.parent)

    exit_code, findings = run(repository)

    assert exit_code == 5
    assert {finding["model"] for finding in findings} >= {"again"}


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    """Names that are no UTF-8 are reported so that every format can print them."""
    repository = tmp_path / "repository"
    version = model(repository)
    (version / "model.onnx").write_bytes(b"junk")
    for folder in (repository, version.parent, version):
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe")).mkdir()

    for form in ("text", "sarif", "github"):
        run_as(form, repository)
    exit_code, findings = run(repository)

    assert exit_code == 5
    assert {finding["model"] for finding in findings} == {"m", "\\udcff\\udcfe"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("locked", ["m", "m/1", "m/config.pbtxt", "m/1/model.onnx"])
def test_what_may_not_be_read_is_a_finding(locked: str) -> None:
    """A folder or file without the right to read it is an R106 at that place."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        repository = Path(folder) / "repository"
        (model(repository) / "model.onnx").write_bytes(onnx.parser.parse_model(GRAPH).SerializeToString())
        lint(places([repository]), Target(release=release("24.10")))  # imports, as long as that is allowed
        (repository / locked).chmod(0)

        with as_nobody():
            _, findings = lint(places([repository]), Target(release=release("24.10")), jobs=1)

    assert [finding.code for finding in findings] == ["R106"], findings
    assert findings[0].path.startswith(str(repository / locked))


@contextmanager
def as_nobody() -> Iterator[None]:
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("config", [ONNX, TORCH, PYTHON], ids=["onnx", "torch", "python"])
def test_a_model_may_vanish_while_it_is_read(config: str, tmp_path: Path) -> None:
    """A model that comes and goes is whole, not there, or an R finding, but never a failure."""
    stop = threading.Event()
    thread = threading.Thread(target=come_and_go, args=(tmp_path, config, stop))
    thread.start()
    try:
        codes = {
            finding.code
            for _ in range(300)
            for finding in lint_model(tmp_path / "m", Target(release=release("24.10"))).findings
        }
    finally:
        stop.set()
        thread.join()
    assert codes


def come_and_go(repository: Path, config: str, stop: threading.Event) -> None:
    graph = onnx.parser.parse_model(GRAPH).SerializeToString()
    while not stop.is_set():
        version = model(repository, config)
        (version / "model.onnx").write_bytes(graph)
        (version / "model.py").write_text(SOURCE)
        (version / "model.pt").write_bytes(b"junk")
        shutil.rmtree(version.parent)


def test_ten_thousand_folders_are_read(tmp_path: Path) -> None:
    """A model and a version folder with ten thousand others beside them end in findings."""
    repository = tmp_path / "repository"
    version = model(repository)
    (version / "model.onnx").write_bytes(onnx.parser.parse_model(GRAPH).SerializeToString())
    for number in range(10_000):
        (version.parent / str(number + 2)).mkdir()
        (repository / f"empty{number}").mkdir()

    _, findings = run(repository)

    assert len({finding["model"] for finding in findings}) == 10_001


def test_a_model_that_holds_up_its_reader_is_one_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that reads a model is ended in time, and the models around it get their findings all the same."""
    monkeypatch.setattr(pool, "MOST_S", 3.0)
    monkeypatch.setattr(pool, "lint_model", meets("m07", endless, pool.lint_model))
    for number in range(20):
        (model(tmp_path, name=f"m{number:02}") / "model.onnx").write_bytes(b"junk")

    count, findings = lint(places([tmp_path]), Target(release=release("24.10")))

    found = {finding.model: finding.code for finding in findings}
    assert count == 20
    assert found.pop("m07") == "R123"
    assert set(found.values()) == {"O101"}
    assert len(found) == 19


def test_a_model_that_ends_its_reader_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that a model's reader ends takes no other model's findings with it."""
    monkeypatch.setattr(pool, "lint_model", meets("m07", crash, pool.lint_model))
    for number in range(20):
        (model(tmp_path, name=f"m{number:02}") / "model.onnx").write_bytes(b"junk")

    _, findings = lint(places([tmp_path]), Target(release=release("24.10")))

    found = {finding.model: finding.code for finding in findings}
    assert found.pop("m07") == "R112"
    assert set(found.values()) == {"O101"}
    assert len(found) == 19


def meets(name: str, fate: Callable[[], object], read: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reader that meets its fate at the model called `name`."""

    def reader(path: Path, *rest: Any) -> Any:
        if path.name == name:
            fate()
        return read(path, *rest)

    return reader


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def endless() -> None:
    """Go on in C, where no handler of a signal that is written in Python is ever come to."""
    sum(iter(int, 1))


@pytest.mark.parametrize(("shell", "code"), [("> /dev/full", 2), (">&-", 5), ("| head -c 1", 5)])
def test_a_report_that_cannot_be_written_ends_in_words(shell: str, code: int, tmp_path: Path) -> None:
    """A full disk is said with the code of usage; a closed stdout and a reader that leaves keep the verdict's."""
    model(tmp_path / "r", 'backend: "onnx"')
    command = f"set -o pipefail; {sys.executable} -m builder lint r --triton 24.10 {shell}"
    done = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True, cwd=tmp_path)

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert ("cannot be written to stdout" in done.stderr) is (code == 2)
