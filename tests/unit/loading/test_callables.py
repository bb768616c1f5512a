import numpy as np
import pytest
import torch

from builder.errors import SourceError
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input
from tests.unit.loading.conftest import LINEAR

NET = LINEAR[: LINEAR.index("def load")]


def refused(project, text: str = LINEAR, **spec) -> str:
    with pytest.raises(SourceError) as caught:
        project(text, **spec)
    return f"{caught.value.what}\n{caught.value.fix}"


def test_the_reference_answers_as_the_module(project) -> None:
    """numpy in, numpy out, the same numbers as calling the module."""
    loaded = project()
    x = np.ones((2, 3), np.float32)

    assert np.array_equal(
        loaded.reference({"x": x})["output"], loaded.original(torch.from_numpy(x)).detach().numpy()
    )


def test_the_module_is_in_eval_mode(project) -> None:
    """Dropout and batch norm behave as when serving, whatever the callable left."""
    assert not project().original.training


def test_a_module_with_plain_outputs_is_not_wrapped(project) -> None:
    """Exporters get the user's own module where it needs nothing around it."""
    loaded = project()

    assert loaded.module is loaded.original


def test_a_missing_module_names_the_near_one(project) -> None:
    """A misspelt module is met with the one that was meant."""
    assert "`model`" in refused(project, LINEAR, source="modle:load")


def test_a_missing_attribute_names_the_near_one(project) -> None:
    """A misspelt callable is met with the one that was meant."""
    assert "did you mean `model:load`" in refused(project, LINEAR, source="model:laod")


def test_a_callable_that_raises_shows_the_line(project) -> None:
    """The message holds the user's file, line and words, and no traceback."""
    said = refused(project, "def load():\n    raise ValueError('no such checkpoint')\n")

    assert "no such checkpoint" in said
    assert "model.py:2" in said
    assert "Traceback" not in said


def test_a_callable_that_exits_is_refused(project) -> None:
    """sys.exit in the user's code does not end trb."""
    assert "SystemExit" in refused(project, "import sys\ndef load():\n    sys.exit(3)\n")


def test_a_module_that_does_not_import_shows_the_line(project) -> None:
    """A syntax error is told with its place."""
    assert "model.py" in refused(project, "def load(:\n")


def test_an_import_that_is_missing_is_named(project) -> None:
    """The package that the user's module lacks is the one to install."""
    assert "install `no_such_package`" in refused(project, "import no_such_package\n")


def test_something_else_than_a_module_is_refused(project) -> None:
    """The type that came back is named."""
    assert "returned int" in refused(project, "def load():\n    return 3\n")


def test_a_module_instead_of_a_callable_is_refused(project) -> None:
    """A module is callable, but calling it does not give one."""
    said = refused(project, f"{NET}\nnet = Net()\n", source="model:net")

    assert "not a callable" in said
    assert "return net" in said


def test_arguments_are_named(project) -> None:
    """A callable that needs arguments is refused with their names."""
    assert "needs arguments: width" in refused(
        project, f"{NET}\ndef load(width, depth=1):\n    return Net()\n"
    )


def test_unseeded_weights_are_refused_by_name(project) -> None:
    """A callable that gives other weights each time cannot be built again."""
    said = refused(project, f"{NET}\ndef load():\n    return Net()\n")

    assert "`layer.weight` differs" in said


def test_an_unseeded_buffer_outside_the_state_dict_is_refused(project) -> None:
    """Weights from a file do not replace a random buffer that no state dict holds."""
    source = NET.replace(
        "self.layer = nn.Linear(3, 2)",
        "self.layer = nn.Linear(3, 2)\n        self.register_buffer('noise', torch.rand(2), persistent=False)",
    )
    assert "differs" in refused(project, f"{source}\ndef load():\n    torch.rand(1)\n    return Net()\n")


def test_a_callable_in_a_nested_folder_imports_its_neighbours(project, tmp_path) -> None:
    """Packages below the folder of trb.yaml import as they do for the user."""
    package = tmp_path / "nets" / "small"
    package.mkdir(parents=True)
    (package / "layers.py").write_text(LINEAR)
    (package / "entry.py").write_text(
        "from nets.small.layers import load as other\ndef load(): return other()\n"
    )
    loaded = project(LINEAR, source="nets.small.entry:load")

    assert {"nets/small/entry.py", "nets/small/layers.py"} <= set(loaded.fingerprint.files)


def test_two_projects_with_a_module_of_one_name_do_not_mix(project, tmp_path) -> None:
    """model.py of this folder is loaded although another folder's is in memory."""
    import sys

    from builder.loading.callables import resolve

    other = tmp_path / "other"
    other.mkdir()
    (other / "model.py").write_text("WHOSE = 'theirs'\ndef load(): return 'theirs'\n")
    project()
    first = sys.modules["model"]

    assert resolve("model:load", other, key="source")() == "theirs"
    assert sys.modules["model"] is not first


def test_a_namesake_whose_file_is_gone_is_forgotten_too(project, tmp_path) -> None:
    """A module in memory does not stand in for another folder's of its name, though its file was deleted."""
    from builder.loading.callables import resolve

    other = tmp_path / "other"
    other.mkdir()
    (other / "model.py").write_text("def load(): return 'theirs'\n")
    project()
    (tmp_path / "model.py").unlink()

    assert resolve("model:load", other, key="source")() == "theirs"


def test_what_is_too_large_to_be_run_is_not_proven(project) -> None:
    """Where the longest axes at the largest batch make gigabytes, the sizes that nobody runs are told."""
    shape = {"x": Input(dtype=DType.FP32, shape=("batch", "seq", 3))}
    large, small = (
        project(inputs=shape, dims={"batch": Axis(max=top), "seq": Axis(max=9999)}) for top in (9999, 2)
    )

    assert large.not_proven[0].startswith("at batch=9999 seq=9999: ")
    assert small.not_proven == ()


def test_inputs_that_forward_refuses_show_the_call(project) -> None:
    """The shapes and dtypes that were tried stand in the message, with the user's line."""
    from builder.spec.dtypes import DType
    from builder.spec.project import Input

    said = refused(project, LINEAR, inputs={"x": Input(dtype=DType.FP32, shape=("batch", 5))})

    assert "forward(x=float32[1, 5])" in said
    assert "model.py:11" in said
