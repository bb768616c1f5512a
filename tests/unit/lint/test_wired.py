"""Ensembles are read as pipelines from their config.pbtxt files alone."""

from contextlib import suppress
from pathlib import Path
from random import Random

import onnx
import onnx.parser
import pytest
from onnx import helper

from builder.errors import RepositoryError
from builder.lint import Target, lint_model, wired
from builder.lint.ensembles import with_parts
from builder.lint.model import ModelLint
from builder.spec.dtypes import DType
from builder.spec.findings import Severity
from builder.spec.pipeline import Wired
from builder.spec.releases import release
from builder.spec.tensors import Signature, Tensor
from tests.lint.pipelines import MODELS, pipeline, text
from tests.unit.lint.ensemble_files import X, Y, ensemble, fan, model, write

TARGET = Target(release=release("24.10"))


def read(root: Path, *names: str) -> tuple[Wired, ...]:
    return wired(root, TARGET, names)


def refused(root: Path, *names: str) -> RepositoryError:
    with pytest.raises(RepositoryError) as raised:
        read(root, *names)
    return raised.value


def test_steps_come_in_an_order_in_which_they_can_run(tmp_path: Path) -> None:
    """A step stands after those that feed it, wherever config.pbtxt has it."""
    fan(tmp_path)
    (one,) = read(tmp_path)

    assert [step.name for step in one.steps] == ["split", "left", "right", "join"]
    assert [step.backend for step in one.steps] == ["python", "onnxruntime", "pytorch", "tensorrt"]
    assert [step.max_batch_size for step in one.steps] == [8, 8, 4, 8]


def test_every_tensor_has_its_dtype_and_its_full_shape(tmp_path: Path) -> None:
    """The batch axis that config.pbtxt leaves out is in the shape, under the pipeline's names."""
    fan(tmp_path)
    (one,) = read(tmp_path)

    assert (one.inputs, one.outputs, one.max_batch_size) == (("image",), ("label",), 4)
    assert {name: str(tensor) for name, tensor in one.tensors.items()} == {
        "image": "image fp32[batch, 4]",
        "a": "a fp32[batch, 4]",
        "b": "b fp32[batch, 4]",
        "from_left": "from_left fp32[batch, 2]",
        "from_right": "from_right fp32[batch, 2]",
        "label": "label fp32[batch, 2]",
    }
    assert [step.name for step in one.readers("image")] == ["split", "right"]


def test_an_axis_of_any_size_is_known_by_whoever_knows_more(tmp_path: Path) -> None:
    """A size that one end of a tensor has wins over -1, and so does a name that is on record."""
    model(tmp_path, "m", {"x": ("INT64", [-1])}, {"y": ("FP32", [-1, 3])})
    model(tmp_path, "n", {"x": ("FP32", [7, 3])}, {"y": Y})
    ensemble(
        tmp_path,
        "e",
        {"i": ("INT64", [-1])},
        {"o": Y},
        [("m", {"x": "i"}, {"y": "h"}), ("n", {"x": "h"}, {"y": "o"})],
    )
    known = {
        "m": Signature(inputs=(Tensor(name="x", dtype=DType.INT64, shape=("batch", "seq")),), outputs=())
    }
    (one,) = wired(tmp_path, TARGET, recorded=known.get)

    assert one.tensors["i"].shape == ("batch", "seq")
    assert one.tensors["h"].shape == ("batch", 7, 3)


def test_a_pipeline_may_be_a_step(tmp_path: Path) -> None:
    """An ensemble in an ensemble is one step, and both are pipelines of the repository."""
    fan(tmp_path)
    ensemble(tmp_path, "outer", {"i": X}, {"o": Y}, [("fan", {"image": "i"}, {"label": "o"})], batch=2)
    fan_alone, outer = read(tmp_path)

    assert (fan_alone.name, outer.name) == ("fan", "outer")
    assert [(step.model, step.backend) for step in outer.steps] == [("fan", "ensemble")]


def test_the_second_step_of_a_model_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Steps of one model are told apart."""
    model(tmp_path, "m", {"x": X}, {"y": X})
    steps = [("m", {"x": "i"}, {"y": "h"}), ("m", {"x": "h"}, {"y": "o"})]
    ensemble(tmp_path, "e", {"i": X}, {"o": X}, steps)
    (one,) = read(tmp_path)

    assert [step.name for step in one.steps] == ["m", "m#2"]


def test_tensors_that_a_config_leaves_to_the_server_are_read_from_the_file(tmp_path: Path) -> None:
    """An ONNX model without inputs and outputs in config.pbtxt has those of its graph."""
    x = helper.make_tensor_value_info("x", 1, ["n", 4])
    y = helper.make_tensor_value_info("y", 1, ["n", 4])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    write(tmp_path, "m", 'backend: "onnxruntime"\nmax_batch_size: 8\n')
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(proto, tmp_path / "m" / "1" / "model.onnx")
    ensemble(tmp_path, "e", {"i": X}, {"o": X}, [("m", {"x": "i"}, {"y": "o"})])
    (one,) = read(tmp_path)

    assert str(one.steps[0].signature.inputs[0]) == "x fp32[batch, 4]"


def test_nothing_but_configs_is_needed(tmp_path: Path) -> None:
    """A repository whose version folders are not there yet is read all the same."""
    fan(tmp_path)
    for folder in tmp_path.glob("*/1"):
        folder.rmdir()

    assert [one.name for one in read(tmp_path)] == ["fan"]


def test_an_optional_input_may_be_left_out(tmp_path: Path) -> None:
    """A step reads what is mapped to it and nothing else."""
    path = model(tmp_path, "m", {"x": X, "w": X}, {"y": X})
    path.write_text(path.read_text().replace('name: "w"', 'name: "w" optional: true'))
    ensemble(tmp_path, "e", {"i": X}, {"o": X}, [("m", {"x": "i"}, {"y": "o"})])
    (one,) = read(tmp_path)

    assert dict(one.steps[0].inputs) == {"x": "i"}


def test_a_config_that_cannot_be_read_is_named_with_the_place(tmp_path: Path) -> None:
    """The line and column of the mistake come with its fix."""
    fan(tmp_path)
    left = tmp_path / "left" / "config.pbtxt"
    left.write_text(left.read_text() + "instance_groups { count: 2 }\n")
    error = refused(tmp_path)

    assert error.what.startswith(
        f"{left}:{len(left.read_text().splitlines())}:1: `instance_groups` is no field"
    )
    assert error.fix == "write instance_group"


def test_a_step_whose_model_is_missing_is_refused_at_its_place(tmp_path: Path) -> None:
    """The name in the step is where the mistake is, and a model close in name is meant."""
    path = fan(tmp_path)
    path.write_text(path.read_text().replace('model_name: "left"', 'model_name: "lefd"'))
    error = refused(tmp_path)

    assert f"{path}:" in error.what
    assert "not available or ambiguous: lefd" in error.what
    assert error.fix == 'model_name: "left"'


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('key: "raw"', 'key: "rav"', "non-existing input rav in model right"),
        ('value: "from_left"', 'value: "fromm"', "fromm"),
        ('value: "b"', 'value: "from_right"', "ensemble tensor 'b' is unused in ensemble 'fan'"),
    ],
)
def test_tensors_that_do_not_meet_are_refused_in_the_servers_words(
    before: str, after: str, message: str, tmp_path: Path
) -> None:
    """What no server would load is not drawn."""
    path = fan(tmp_path)
    path.write_text(path.read_text().replace(before, after, 1))

    assert message in refused(tmp_path).what


def test_a_data_type_that_is_no_type_is_refused_at_its_place(tmp_path: Path) -> None:
    """A number that protobuf takes for an enum is no type of a tensor, though all agree on it."""
    fan(tmp_path)
    for path in tmp_path.glob("*/config.pbtxt"):
        path.write_text(path.read_text().replace("TYPE_FP32", "77"))

    assert "77 is no data type" in refused(tmp_path).what


def test_a_tensor_that_no_config_tells_is_refused_at_its_place(tmp_path: Path) -> None:
    """Between two models whose configs leave their tensors to code, what is handed on cannot be known."""
    path = fan(tmp_path)
    for name in ("split", "left"):
        write(tmp_path, name, 'backend: "python"')
    error = refused(tmp_path)

    assert error.what.startswith(f"{path}:")
    assert "no config.pbtxt says the data type and dims of ensemble tensor 'a'" in error.what
    assert error.fix == "give `input` and `output` in the config.pbtxt of 'split'"


def test_an_ensemble_that_is_made_of_itself_is_refused(tmp_path: Path) -> None:
    """A circle has no picture."""
    ensemble(tmp_path, "e", {"i": X}, {"o": X}, [("e", {"i": "i"}, {"o": "o"})])

    assert "circular dependency between ensembles: e -> e" in refused(tmp_path).what


def test_a_mistake_elsewhere_in_the_repository_is_no_matter(tmp_path: Path) -> None:
    """Only the models of the steps are read."""
    fan(tmp_path)
    write(tmp_path, "other", "name: {")

    assert [one.name for one in read(tmp_path)] == ["fan"]


def test_another_name_is_answered_with_the_nearest_ensemble(tmp_path: Path) -> None:
    """A misspelt name, and a model that is no ensemble, say what is there."""
    fan(tmp_path)

    assert refused(tmp_path, "fann").fix == "did you mean `fan`?"
    assert refused(tmp_path, "left").what.endswith("is a model of its own, and no ensemble")
    assert refused(tmp_path, "left").fix == "its ensembles are fan"


def test_a_model_whose_config_has_the_word_is_no_ensemble(tmp_path: Path) -> None:
    """A remark about ensembles makes none."""
    fan(tmp_path)
    write(tmp_path, "m", '# no ensemble_scheduling here\nbackend: "python"')

    assert [one.name for one in read(tmp_path)] == ["fan"]


def test_a_repository_without_ensembles_says_so(tmp_path: Path) -> None:
    """Nothing to draw is a mistake, and the message says where a pipeline comes from."""
    model(tmp_path, "m", {"x": X}, {"y": X})
    error = refused(tmp_path)

    assert "has no ensemble" in error.what
    assert "pipelines:" in error.fix


def test_a_model_is_no_repository(tmp_path: Path) -> None:
    """Whoever names the ensemble's own folder is told how to name it."""
    fan(tmp_path)

    assert refused(tmp_path / "fan").fix == f"trb graph --repository {tmp_path} fan"


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    """A repository that cannot be listed is one mistake."""
    assert "cannot be listed" in refused(tmp_path / "nowhere").what


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, ModelLint]:
    """A repository of real models, each as lint sees it."""
    root = tmp_path_factory.mktemp("linted")
    for name, one in MODELS.items():
        write(root, name, text(one.config), *one.versions)
        proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {one.graph}')
        for version in one.versions:
            onnx.save(proto, root / name / str(version) / "model.onnx")
    return {root / name: lint_model(root / name, TARGET) for name in MODELS}


@pytest.mark.parametrize("seed", range(40))
def test_what_lint_has_nothing_against_can_be_read(seed: int, linted: dict[Path, ModelLint]) -> None:
    """Of random ensembles, right and wrong ones, those without an error are pipelines, and no other one is a crash."""
    root = next(iter(linted)).parent
    path = write(root, "p", text(pipeline(Random(seed)))).parent
    found = with_parts({**linted, path: lint_model(path, TARGET)})[path].findings
    errors = [one for one in found if one.severity is Severity.ERROR]

    with suppress(*([RepositoryError] if errors else [])):
        assert [one.name for one in read(root, "p")] == ["p"]
