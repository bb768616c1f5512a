"""Models that are wrong in ways that trip a reader up: each is judged, and none ends the others' verdicts."""

from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.flow.lint import LintRequest, lint_repositories
from builder.lint import Target, lint_model, places, printable
from builder.spec.releases import release

TARGET = Target(release=release("24.10"))
DIGITS = "1" * 5000
THREADS = f'parameters {{ key: "intra_op_thread_count" value {{ string_value: "{DIGITS}" }} }}'
IO = 'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }'


def model(folder: Path, config: str, **files: str) -> Path:
    path = folder / "m"
    (path / "1").mkdir(parents=True)
    (path / "config.pbtxt").write_text(config)
    for name, text in files.items():
        (path / "1" / name.replace("_py", ".py")).write_text(text)
    return path


@pytest.mark.parametrize(
    "config",
    [
        f'backend: "python" {IO} sequence_batching {{ control_input {{ }} }}',
        f"max_batch_size: {DIGITS}",
        f'backend: "onnxruntime" {IO} {THREADS}',
        f'backend: "pytorch" {IO.replace("y", f"y__{DIGITS}", 1)}',
    ],
)
def test_an_odd_config_is_judged(config: str, tmp_path: Path) -> None:
    """A part without its name, or a number of thousands of digits, is a finding."""
    assert lint_model(model(tmp_path, config, model_py=""), TARGET).findings


def test_a_long_expression_in_a_source_is_read(tmp_path: Path) -> None:
    """An expression too deep to be written out again does not keep the source from being judged."""
    source = "if " + " + ".join(["'a'"] * 600) + ":\n    import nothing\n"
    found = lint_model(model(tmp_path, f'backend: "python" {IO}', model_py=source), TARGET)

    assert "P102" in {finding.code for finding in found.findings}


@pytest.mark.parametrize(
    ("before", "is_needed"),
    [
        ("import contextlib\nwith contextlib.suppress(ImportError):\n    ", False),
        ("from contextlib import suppress\nwith suppress(ModuleNotFoundError):\n    ", False),
        ("with open('f'):\n    ", True),
    ],
)
def test_an_import_that_may_fail_is_not_needed(before: str, is_needed: bool, tmp_path: Path) -> None:
    """What stands under contextlib.suppress(ImportError) can be done without."""
    source = f"{before}import nosuch\nclass TritonPythonModel:\n    def execute(self, requests):\n        return []\n"
    found = lint_model(model(tmp_path, f'backend: "python" {IO}', model_py=source), TARGET)

    assert ("P105" in {finding.code for finding in found.findings}) is is_needed


def test_one_folder_spelt_in_two_ways_is_one_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path and an absolute one do not make two models of one name."""
    model(tmp_path / "r", f'backend: "python" {IO}')
    monkeypatch.chdir(tmp_path)

    assert len(places([Path("r"), tmp_path / "r", Path("r/m")])) == 1


def test_a_linked_model_is_the_one_of_that_name(tmp_path: Path) -> None:
    """The link's name is the model's, wherever it leads."""
    real = model(tmp_path / "elsewhere", f'backend: "python" {IO}')
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "linked").symlink_to(real)

    (place,) = places([tmp_path / "r" / "linked"])
    assert (place.repository, place.models) == (tmp_path / "r", {"linked"})


@pytest.mark.parametrize("code", ["zzz", "O999", ""])
def test_a_code_that_is_none_is_refused(code: str, tmp_path: Path) -> None:
    """A misspelt --select would pass everything."""
    model(tmp_path, "max_batch_size: -1")
    with pytest.raises(UsageError, match="no code"):
        lint_repositories(tmp_path / "trb.yaml", LintRequest(paths=(tmp_path,), select=(code,), jobs=1))


def test_what_a_terminal_would_obey_is_escaped() -> None:
    """Neither a colour nor a new line of a name reaches the terminal."""
    assert printable("a\x1b]0;x\x07\nb é") == "a\\x1b]0;x\\x07\\nb é"
