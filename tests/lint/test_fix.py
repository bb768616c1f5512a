"""`trb lint --fix` and `--diff`, from the command line to the disk."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builder.cli import main
from builder.flow.fix import fix_repositories
from builder.flow.lint import LintRequest, lint_repositories
from tests.lint.case import Case, cases, write_onnx

GRAPH = '<ir_version: 8, opset_import: ["": 18]> g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }'
WRONG = """# as the team wrote it
backend: "onnxruntime"
max_batch_size: 8
input { name: "inp" data_type: TYPE_FLOAT32 dims: [ -1, 4 ] }  # rows
output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }
"""
RIGHT = WRONG.replace('"inp"', '"x"').replace("TYPE_FLOAT32", "TYPE_FP32").replace("[ -1, 4 ]", "[4]")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The config.pbtxt of a model with three mistakes, each of which hides the next."""
    (tmp_path / "repository" / "m" / "1").mkdir(parents=True)
    write_onnx(tmp_path / "repository" / "m" / "1" / "model.onnx", GRAPH)
    path = tmp_path / "repository" / "m" / "config.pbtxt"
    path.write_text(WRONG)
    return path


def lint(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["lint", "--triton", "24.10", *map(str, arguments)])


def test_fix_writes_what_is_right_and_ends_with_the_verdict_on_it(config: Path) -> None:
    """Mistakes that hide each other are all mended in one run, which then passes; a second changes nothing."""
    done = lint(config.parents[1], "--fix")

    assert config.read_text() == RIGHT
    assert done.exit_code == 0
    assert f"{config}: 3 places mended" in done.stdout
    assert "mended" not in lint(config.parents[1], "--fix").stdout


def test_diff_shows_a_patch_and_writes_nothing(config: Path) -> None:
    """The patch on stdout makes of the file what --fix would; the exit code says that there is one."""
    done = lint(config.parents[1], "--diff")

    assert config.read_text() == WRONG
    assert done.exit_code == 5
    subprocess.run(["patch", "-p0", "-d", "/"], input=done.stdout, text=True, check=True, capture_output=True)
    assert config.read_text() == RIGHT
    assert lint(config.parents[1], "--diff").exit_code == 0


def test_what_is_left_decides_on_the_exit_code(config: Path) -> None:
    """An error with no one right answer fails the run, and stays as it is, beside one that is mended."""
    config.write_text(WRONG.replace("max_batch_size: 8", "max_batch_size: -1"))

    done = lint(config.parents[1], "--fix")

    assert done.exit_code == 5
    assert "C205" in done.stdout
    assert config.read_text() == WRONG.replace("max_batch_size: 8", "max_batch_size: -1").replace(
        "TYPE_FLOAT32", "TYPE_FP32"
    )


def test_only_selected_codes_are_mended(config: Path) -> None:
    """--select and --ignore hold for changes too."""
    lint(config.parents[1], "--fix", "--ignore", "O202")

    assert config.read_text() == WRONG.replace("TYPE_FLOAT32", "TYPE_FP32")


def test_the_file_keeps_its_mode_and_its_link(config: Path, tmp_path: Path) -> None:
    """A config that is a link stays one; the file behind it has the new text and its old rights."""
    real = config.rename(tmp_path / "kept.pbtxt")
    real.chmod(0o640)
    config.symlink_to(real)

    assert lint(config.parents[1], "--fix").exit_code == 0

    assert config.is_symlink()
    assert real.read_text() == RIGHT
    assert real.stat().st_mode & 0o7777 == 0o640
    assert sorted(entry.name for entry in config.parent.iterdir()) == ["1", "config.pbtxt"]


def test_a_file_that_models_share_is_not_mended_for_one_of_them(config: Path) -> None:
    """Two models whose config.pbtxt is one file want different names of it: it stays, and the run fails."""
    other = config.parents[1] / "other"
    shutil.copytree(config.parent, other)
    (other / "config.pbtxt").unlink()
    (other / "config.pbtxt").symlink_to(config)
    config.write_text(f'name: "neither"\n{RIGHT}')

    assert lint(config.parents[1], "--fix").exit_code == 5
    assert config.read_text() == f'name: "neither"\n{RIGHT}'


def test_versions_that_want_different_things_are_left_alone(config: Path) -> None:
    """What would be right for one served version and wrong for another is not changed."""
    other = config.parent / "2"
    other.mkdir()
    write_onnx(other / "model.onnx", GRAPH.replace("x)", "other)"))
    text = RIGHT.replace('"x"', '"inp"') + "version_policy { all { } }\n"
    config.write_text(text)

    assert lint(config.parents[1], "--fix").exit_code == 5
    assert config.read_text() == text


def test_a_file_without_a_last_newline_gets_a_patch_that_applies(config: Path) -> None:
    """The patch says where a last line has no end."""
    config.write_text('backend: "onnxruntime"\nname: "other"')

    done = lint(config.parents[1], "--diff")

    subprocess.run(["patch", "-p0", "-d", "/"], input=done.stdout, text=True, check=True, capture_output=True)
    assert config.read_text() == 'backend: "onnxruntime"\nname: "m"'


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_mending_a_case_leaves_no_more_errors_than_before(case: Case, tmp_path: Path) -> None:
    """No case has more errors after --fix, and one without an error is not changed at all."""
    case.lay_out(tmp_path)
    request = LintRequest(paths=(tmp_path,), triton="24.10", jobs=1)

    before = lint_repositories(Path("trb.yaml"), request)
    after = fix_repositories(Path("trb.yaml"), request, write=False)

    assert after.errors <= before.errors
    assert before.errors or not after.changes


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('backend: "onnx"', 'backend: "onnxruntime"'),
        ('backend: "OnnxRuntime"', 'backend: "onnxruntime"'),
        ('backend: "onnxruntime "', 'backend: "onnxruntime"'),
        ('backend: "onnxruntime_onnx"', 'backend: "onnxruntime"'),
        ('platform: "onnxruntime"', 'backend: "onnxruntime"'),
        ('platform: "onnx" backend: "onnxruntime"', 'platform: "onnxruntime_onnx" backend: "onnxruntime"'),
    ],
)
def test_another_name_of_a_backend_becomes_its_own(wrong: str, right: str, config: Path) -> None:
    """What can only be one backend is written as that backend is called."""
    config.write_text(RIGHT.replace('backend: "onnxruntime"', wrong))

    assert lint(config.parents[1], "--fix").exit_code == 0
    assert config.read_text() == RIGHT.replace('backend: "onnxruntime"', right)


@pytest.mark.parametrize("unclear", ['backend: "our_own"', 'platform: "onnxruntime_onnx" backend: "pytorch"'])
def test_a_backend_that_may_be_meant_stays(unclear: str, config: Path) -> None:
    """A backend of somebody's own, and two that contradict each other, are left to a person."""
    config.write_text(RIGHT.replace('backend: "onnxruntime"', unclear))

    assert lint(config.parents[1], "--fix").exit_code == 5
    assert config.read_text() == RIGHT.replace('backend: "onnxruntime"', unclear)
