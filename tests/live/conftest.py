"""What live tests share: `trb` as a user runs it, and the examples in folders of their own."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

from builder.server.embedded import cache_root
from tests.live.docker_image import image_or_skip
from tests.live.page import go_through

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
MADE_HERE = shutil.ignore_patterns("__pycache__", "model_repository", ".trb", "*.safetensors", "*.npz")

Trb = Callable[..., subprocess.CompletedProcess[str]]
MadeOnce = Callable[[str, Callable[[Path], None]], Path]

MADE_ONCE = {"cpu_image", "steps_image", "trained_digits", "example", "walked", "live_example"}
"""Fixtures of what is made once: a test that asks for one may be the one that makes it, or may wait for another."""
MADE_ONCE_TIMEOUT_S = 1800

# A daemon that builds images beside the tests is a busy one.
os.environ.setdefault("DOCKER_CLIENT_TIMEOUT", "120")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a test the time that goes into what is made once, where it has no time limit of its own."""
    for item in items:
        asked_for = MADE_ONCE.intersection(getattr(item, "fixturenames", ()))
        if asked_for and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(MADE_ONCE_TIMEOUT_S))


@pytest.fixture(scope="session")
def trb() -> Trb:
    """Run `trb ARGS...` in `cwd` and return it, streams as text; another exit code than expected fails."""

    def run(
        *args: str | Path, cwd: Path, expect: int = 0, timeout_s: float = 600
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "builder", *map(str, args)],
            cwd=cwd,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        said = f"trb {' '.join(map(str, args))} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == expect, said
        return done

    return run


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Return the folder of a name, made by whichever of the run's processes asks first; the others wait for it."""
    own = tmp_path_factory.getbasetemp()
    top = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, whole = top / name, top / f"{name}.whole"
        with (top / f"{name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of one that failed
                folder.mkdir()
                make(folder)
                whole.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def trained_digits(made_once: MadeOnce) -> Path:
    """The digits example with its weights and samples, trained once; copy it before changing it."""

    def train(top: Path) -> None:
        folder = shutil.copytree(EXAMPLES / "digits", top / "digits", ignore=MADE_HERE)
        subprocess.run([sys.executable, "train.py"], cwd=folder, check=True, capture_output=True, timeout=600)

    return made_once("trained", train) / "digits"


@pytest.fixture
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Path]:
    """Copy an example by name into a folder of the test's own."""

    def copy(name: str) -> Path:
        source = request.getfixturevalue("trained_digits") if name == "digits" else EXAMPLES / name
        ignore = None if name == "digits" else MADE_HERE
        return Path(shutil.copytree(source, tmp_path / name, ignore=ignore))

    return copy


@pytest.fixture(scope="session")
def walked(made_once: MadeOnce) -> Callable[[str], Path]:
    """Do what the README of an example says, once, and return its folder; copy it before changing it."""

    def walk(name: str) -> Path:
        top = made_once(f"walked-{name}", lambda top: go_through(f"examples/{name}/README.md", top))
        return top / "examples" / name

    return walk


class Live(NamedTuple):
    """A server in the background."""

    http: str
    grpc: str

    @property
    def options(self) -> tuple[str, ...]:
        """What leads `trb check` to it."""
        return ("--server", f"http://{self.http}", "--grpc-url", self.grpc)


@pytest.fixture(scope="session")
def live_example(
    trb: Trb, walked: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Live]]:
    """Serve what the README of an example left, once a process of the run, to the end of the session."""
    folders: list[Path] = []

    @cache
    def serve(name: str) -> Live:
        folder = shutil.copytree(walked(name), tmp_path_factory.mktemp("live") / name)
        started = json.loads(trb("serve", "--detach", "--json", cwd=folder).stdout)
        folders.append(folder)
        return Live(started["http"], started["grpc"])

    yield serve
    for folder in folders:
        trb("serve", "--stop", cwd=folder)


@pytest.fixture(scope="session")
def cpu_image(trb: Trb, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tag of our CPU image, built once; skips with its reason where there is no daemon or no base image."""
    return image_or_skip(trb, tmp_path_factory.mktemp("image"))


@pytest.fixture
def strays() -> Iterator[None]:
    """Keep the containers that nobody owns to one test at a time: another's `trb doctor --clean` removes them."""
    cache_root().mkdir(parents=True, exist_ok=True)
    with (cache_root() / ".test-strays.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def steps_image(trb: Trb, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tag of our CPU image with what the Python steps of the examples import; skips as `cpu_image` does."""
    pinned = (f"{name}=={version(name)}" for name in ("pillow", "tokenizers"))
    return image_or_skip(trb, tmp_path_factory.mktemp("steps-image"), *pinned)
