"""`trb compose`: the stack of what lies in the repository."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from builder import repository
from builder.cli import main
from builder.deploy import Ports
from builder.errors import RepositoryError, UsageError
from builder.flow.compose import ComposeRequest, compose
from tests.unit.repository.values import fill, publish, record

SPEC = """
triton: "24.10"
repository: model_repository
models:
  m: {source: "a:b", inputs: {x: {dtype: fp32, shape: [batch, 4]}}}
  n: {source: "a:b", inputs: {x: {dtype: fp32, shape: [batch, 4]}}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec of the models `m` and `n`, of which only `m` was built."""
    folder = tmp_path / "My Shop"
    folder.mkdir()
    (folder / "trb.yaml").write_text(SPEC)
    publish(folder / "model_repository", "w")
    return folder / "trb.yaml"


def composed(folder: Path) -> dict[str, object]:
    return dict(yaml.safe_load((folder / "compose.yaml").read_text()))


def test_the_stack_lies_beside_the_spec(spec: Path) -> None:
    """The files lie in `docker`, the repository is found from there, and the project is called after the folder."""
    written = compose(spec, ["m"], ComposeRequest())

    document = composed(spec.parent / "docker")
    triton = document["services"]["triton"]
    assert written.folder == spec.parent / "docker"
    assert document["name"] == "trb-my-shop"
    assert triton["volumes"][0]["source"] == "../model_repository"
    assert triton["image"] == "nvcr.io/nvidia/tritonserver:24.10-py3"
    assert "--load-model=m" in triton["command"]
    assert "--load-model=n" not in triton["command"]


def test_the_repository_is_found_from_any_folder(spec: Path, tmp_path: Path) -> None:
    """The mounted path leads from the folder of compose.yaml to the repository."""
    compose(spec, ["m"], ComposeRequest(out=tmp_path / "else" / "where"))

    source = composed(tmp_path / "else" / "where")["services"]["triton"]["volumes"][0]["source"]
    assert (tmp_path / "else" / "where" / source).resolve() == (spec.parent / "model_repository").resolve()


def test_a_model_that_was_not_built_is_named(spec: Path) -> None:
    """Without a name all models are wanted; the one without a version is named with its command, nothing is written."""
    with pytest.raises(RepositoryError, match=r"no version of n.*`trb build n`"):
        compose(spec, (), ComposeRequest())

    assert not (spec.parent / "docker").exists()


def test_a_repository_without_a_model_is_a_mistake(spec: Path) -> None:
    """Before the first build every model is named."""
    shutil.rmtree(spec.parent / "model_repository")

    with pytest.raises(RepositoryError, match=r"(?s)no version of m.*no version of n"):
        compose(spec, (), ComposeRequest())


def test_a_model_that_the_spec_does_not_have_is_a_mistake(spec: Path) -> None:
    """An unknown name is refused, as everywhere."""
    with pytest.raises(UsageError, match="no model `mm`"):
        compose(spec, ["mm"], ComposeRequest())


def test_gpus_that_mean_nothing_are_a_mistake(spec: Path) -> None:
    """What is neither all, a number nor a list of devices is refused before a file is written."""
    with pytest.raises(UsageError, match="neither how many GPUs nor which") as raised:
        compose(spec, ["m"], ComposeRequest(gpus="some"))

    assert "device=0,1" in raised.value.fix
    assert not (spec.parent / "docker").exists()


def test_the_command_passes_its_options_on(spec: Path) -> None:
    """Images, ports and the folder of the command line are those in the file, and --json says what was written."""
    done = CliRunner().invoke(
        main,
        [
            *(
                "compose",
                "m",
                "-f",
                str(spec),
                "--out",
                str(spec.parent / "x"),
                "--image",
                "trb-triton:24.10-cpu",
            ),
            *(
                "--prometheus-image",
                "p:1",
                "--grafana-image",
                "g:1",
                "--http-port",
                "18000",
                "--no-quantiles",
                "--json",
            ),
        ],
    )

    assert done.exit_code == 0, done.output
    services = composed(spec.parent / "x")["services"]
    assert [one["image"] for one in services.values()] == ["trb-triton:24.10-cpu", "p:1", "g:1"]
    assert services["triton"]["ports"][0] == "127.0.0.1:18000:8000"
    assert not any("summary" in word for word in services["triton"]["command"])
    assert "compose.yaml" in json.loads(done.stdout)["changes"]["written"]


def test_the_command_says_what_comes_next(spec: Path) -> None:
    """A person is told the files, the command that starts the stack, and where each service will answer."""
    said = str(compose(spec, ["m"], ComposeRequest(ports=Ports(grafana=3001))))

    assert f"wrote {spec.parent / 'docker' / 'compose.yaml'}" in said
    assert f"docker compose --project-directory '{spec.parent / 'docker'}' up --wait" in said
    assert "http://127.0.0.1:3001" in said


def test_an_edited_file_is_kept(spec: Path) -> None:
    """A file that was edited is not replaced, until --force says so."""
    compose(spec, ["m"], ComposeRequest())
    edited = spec.parent / "docker" / "prometheus.yml"
    edited.write_text("mine")

    with pytest.raises(UsageError, match=r"prometheus\.yml"):
        compose(spec, ["m"], ComposeRequest())
    assert edited.read_text() == "mine"

    compose(spec, ["m"], ComposeRequest(force=True))
    assert edited.read_text() != "mine"


def test_a_second_backend_is_a_model_of_its_own(spec: Path) -> None:
    """Each backend of a model is loaded and drawn under its name in the repository."""
    spec.write_text(SPEC.replace('m: {source: "a:b",', 'm: {source: "a:b", backend: [onnx, torchscript],'))
    root = spec.parent / "model_repository"
    for name in ("m_onnx", "m_torchscript"):
        repository.publish(root, name, fill(repository.stage(root, name), "w"), record())

    compose(spec, ["m"], ComposeRequest())

    command = composed(spec.parent / "docker")["services"]["triton"]["command"]
    drawn = (spec.parent / "docker" / "grafana" / "dashboards" / "models.json").read_text()
    assert [word for word in command if "load-model" in word] == [
        "--load-model=m_onnx",
        "--load-model=m_torchscript",
    ]
    assert "Model m_torchscript" in drawn
