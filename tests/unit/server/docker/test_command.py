"""The server's command line follows from what is served and how."""

from pathlib import Path

import pytest

from builder.server.docker.command import command
from builder.server.serving import Control, Serving
from builder.spec.releases import release

TENSORS = 'input { name: "x" data_type: TYPE_FP32 dims: 4 } output { name: "y" data_type: TYPE_FP32 dims: 4 }'


def repository(root: Path, **configs: str | None) -> Path:
    for name, config in configs.items():
        (root / name / "1").mkdir(parents=True)
        if config is not None:
            (root / name / "config.pbtxt").write_text(config)
    return root


def words(
    root: Path,
    *,
    control: Control = "none",
    models: tuple[str, ...] | None = None,
    on_gpu: bool = False,
    in_stubs: bool = False,
) -> list[str]:
    serving = Serving(repository=root, release=release("24.10"), control=control, models=models)
    return command(serving, on_gpu=on_gpu, in_stubs=in_stubs)


def test_the_whole_repository_is_served_as_triton_does_it(tmp_path: Path) -> None:
    """Nothing asked for: every model, no loading by name, no polling, from where the container has it."""
    found = words(repository(tmp_path, m=TENSORS))

    assert found[:2] == ["tritonserver", "--model-repository=/models"]
    assert {"--http-port=8000", "--grpc-port=8001", "--metrics-port=8002"} <= set(found)
    assert "--model-control-mode=none" in found
    assert "--exit-on-error=false" in found
    assert not [word for word in found if "load-model" in word or "poll" in word]


def test_chosen_models_are_loaded_by_name_and_no_others(tmp_path: Path) -> None:
    """A choice needs explicit control: it is what loads some of a repository."""
    found = words(repository(tmp_path, a=TENSORS, b=TENSORS, c=TENSORS), models=("a", "c"))

    assert "--model-control-mode=explicit" in found
    assert [word for word in found if "load-model" in word] == ["--load-model=a", "--load-model=c"]


@pytest.mark.parametrize(("models", "loaded"), [(None, ["--load-model=*"]), ((), [])])
def test_a_server_that_takes_load_calls_begins_with_what_is_asked(
    models: tuple[str, ...] | None, loaded: list[str], tmp_path: Path
) -> None:
    """Explicit control starts with all models where none are chosen, and with none where none are wanted."""
    found = words(repository(tmp_path, m=TENSORS), control="explicit", models=models)

    assert "--model-control-mode=explicit" in found
    assert [word for word in found if "load-model" in word] == loaded


def test_polling_is_every_second(tmp_path: Path) -> None:
    """A server that polls looks every second, and loads nothing by name, which Triton would refuse."""
    found = words(repository(tmp_path, m=TENSORS), control="poll")

    assert {"--model-control-mode=poll", "--repository-poll-secs=1"} <= set(found)
    assert not [word for word in found if "load-model" in word]


def test_without_a_gpu_the_server_looks_for_none(tmp_path: Path) -> None:
    """On a CPU it is told to leave GPU metrics and pinned memory; with a GPU it decides for itself."""
    root = repository(tmp_path, m=TENSORS)
    about_gpus = {"--allow-gpu-metrics=false", "--pinned-memory-pool-byte-size=0"}

    assert about_gpus <= set(words(root))
    assert not about_gpus & set(words(root, on_gpu=True))


@pytest.mark.parametrize(
    ("config", "in_stubs", "completes"),
    [
        (TENSORS, True, False),
        (TENSORS, False, True),
        ('name: "m"', True, True),
        (None, True, True),
        (f"# {TENSORS}", True, True),
    ],
)
def test_configs_are_left_as_they_are_only_where_a_stub_would_complete_whole_ones(
    config: str | None, in_stubs: bool, completes: bool, tmp_path: Path
) -> None:
    """In the official image Triton completes as always; ours spares the stub when there is nothing to complete."""
    found = words(repository(tmp_path, m=config), in_stubs=in_stubs)

    assert ("--disable-auto-complete-config" not in found) is completes


def test_one_config_that_is_not_whole_has_all_completed(tmp_path: Path) -> None:
    """The option is the server's, so one model that needs completing decides; a model that is not loaded does not."""
    root = repository(tmp_path, whole=TENSORS, bare='name: "bare"')

    assert "--disable-auto-complete-config" not in words(root, in_stubs=True)
    assert "--disable-auto-complete-config" in words(root, in_stubs=True, models=("whole",))
