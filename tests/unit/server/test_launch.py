"""The command line and the environment follow from what is served."""

from pathlib import Path

import pytest

from builder.server.embedded.launch import (
    Installed,
    Ports,
    command,
    environment,
)
from builder.spec.releases import release


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(
        wheel=tmp_path / "wheel",
        backends=tmp_path / "backends",
        python_bin=tmp_path / "python" / "bin",
        libpython=tmp_path / "lib",
        release=release("24.10"),
    )


def repository(folder: Path, **configs: str | None) -> Path:
    for name, config in configs.items():
        (folder / name / "1").mkdir(parents=True)
        if config is not None:
            (folder / name / "config.pbtxt").write_text(config)
    return folder


def words(installed: Installed, root: Path, **how: object) -> list[str]:
    asked = {"models": None, "control": "none", **how}
    return command(installed, root, Ports(http=1, grpc=2, metrics=3), **asked)  # type: ignore[arg-type]


def test_named_models_are_loaded_alone(installed: Installed, tmp_path: Path) -> None:
    """Asking for one model of two turns to explicit control and loads that one."""
    found = words(installed, repository(tmp_path / "r", a=None, b=None), models=["b"])

    assert "--model-control-mode=explicit" in found
    assert [word for word in found if word.startswith("--load-model")] == ["--load-model=b"]


def test_polling_loads_everything(installed: Installed, tmp_path: Path) -> None:
    """A polling server is told how often, and no single model."""
    found = words(installed, repository(tmp_path / "r", a=None), control="poll")

    assert "--model-control-mode=poll" in found
    assert any(word.startswith("--repository-poll-secs") for word in found)
    assert not any(word.startswith("--load-model") for word in found)


def test_it_listens_on_this_machine_alone(installed: Installed, tmp_path: Path) -> None:
    """HTTP (metrics follow it) and gRPC are bound to 127.0.0.1."""
    found = words(installed, repository(tmp_path / "r", a=None))

    assert "--http-address=127.0.0.1" in found
    assert "--grpc-address=127.0.0.1" in found


def test_the_stubs_python_comes_first(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Our python3 leads PATH, the user's own folders stay, and PYTHONHOME cannot mislead it."""
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/mine")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")

    env = environment(installed, tmp_path)

    assert env["PATH"] == f"{installed.python_bin}:/usr/bin"
    assert env["LD_LIBRARY_PATH"] == f"{installed.libraries}:{installed.libpython}:/mine"
    assert "PYTHONHOME" not in env
    assert env["TRB_TRITON_RELEASE"] == "24.10"
    assert env["TRB_RUNTIME_VERSIONS_DIR"] == str(tmp_path)
