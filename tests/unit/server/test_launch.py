"""The command line and the environment follow from what is served."""

from pathlib import Path

import pytest

from builder.server.embedded.launch import (
    Installed,
    Ports,
    command,
    environment,
)
from builder.server.wanted import configs_are_complete, model_folders
from builder.spec.releases import release

COMPLETE = """name: "m" backend: "onnxruntime" max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [4] } ]
output { name: "y" data_type: TYPE_FP32 dims: [2] }"""


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


@pytest.mark.parametrize(
    ("config", "complete"),
    [
        (COMPLETE, True),
        (None, False),
        ("", False),
        ('backend: "onnxruntime"', False),
        (COMPLETE.replace("output {", "# output {"), False),
        (COMPLETE.partition("output")[0], False),
        (COMPLETE.replace("output {", "batch_output {"), False),
    ],
)
def test_a_config_is_complete_when_it_names_its_tensors(
    config: str | None, complete: bool, tmp_path: Path
) -> None:
    """Only a config with inputs and outputs of its own spares the server its auto-complete."""
    assert configs_are_complete(repository(tmp_path, m=config), None) == complete


def test_one_gap_turns_completion_on_for_all(tmp_path: Path) -> None:
    """Of two models one incomplete config is enough, unless that model is not served."""
    root = repository(tmp_path, whole=COMPLETE, gap=None)

    assert not configs_are_complete(root, None)
    assert configs_are_complete(root, ["whole"])


def test_an_empty_repository_leaves_completion_on(tmp_path: Path) -> None:
    """A server that polls an empty repository may be given anything later."""
    assert not configs_are_complete(tmp_path, None)


def test_plain_files_are_no_models(tmp_path: Path) -> None:
    """README.md in the root is not a model; a folder is, whatever its name."""
    repository(tmp_path, b=None, a=None)
    (tmp_path / "README.md").write_text("")

    assert model_folders(tmp_path) == ("a", "b")


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
