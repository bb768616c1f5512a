"""What a server of ours is asked for is checked before anything is fetched or started."""

from pathlib import Path

import pytest

from builder.errors import ServerError
from builder.server.serving import Control, Serving
from builder.server.wanted import configs_are_complete, model_folders, wanted_models
from builder.spec.releases import release

COMPLETE = """name: "m" backend: "onnxruntime" max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [4] } ]
output { name: "y" data_type: TYPE_FP32 dims: [2] }"""


def repository(folder: Path, **configs: str | None) -> Path:
    for name, config in configs.items():
        (folder / name / "1").mkdir(parents=True)
        if config is not None:
            (folder / name / "config.pbtxt").write_text(config)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").touch()
    return tmp_path


def wanted(root: Path, models: tuple[str, ...] | None = None, control: Control = "none") -> tuple[str, ...]:
    return wanted_models(Serving(repository=root, release=release("24.10"), models=models, control=control))


def refused(root: Path, models: tuple[str, ...] | None = None) -> str:
    with pytest.raises(ServerError) as caught:
        wanted(root, models)
    assert "`trb build`" in caught.value.fix
    return f"{caught.value.what}; {caught.value.fix}"


def test_without_a_choice_every_folder_is_a_model(root: Path) -> None:
    """As Triton has it; a file beside them is none."""
    assert wanted(root) == ("a", "b")
    assert wanted(root, ("b",)) == ("b",)


def test_a_model_that_is_not_there_is_named_with_those_that_are(root: Path) -> None:
    """A choice of which one is missing is refused as a whole."""
    told = refused(root, ("a", "c", "d"))

    assert "has no model c, d" in told
    assert told.endswith("it has: a, b")


def test_a_repository_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    """A server that may be given models later needs none to begin with."""
    assert f"there is no model repository at {tmp_path / 'absent'}" in refused(tmp_path / "absent")
    assert "holds no model" in refused(tmp_path)
    assert wanted(tmp_path, control="poll") == ()
    assert wanted(tmp_path, control="explicit") == ()


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
