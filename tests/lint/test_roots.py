"""What stands in the root of a repository beside its models."""

from pathlib import Path

from builder.lint import Target, lint, places
from builder.spec.releases import release
from tests.unit.lint.layout_cases import LAYOUTS
from tests.unit.lint.test_layout import laid_out

TARGET = Target(release=release("24.10"))


def test_a_link_to_nowhere_in_the_root_keeps_every_model_from_loading(tmp_path: Path) -> None:
    """It is an error of the repository, beside a model that is sound."""
    laid_out(LAYOUTS["one"], tmp_path / "M")
    (tmp_path / "old").symlink_to("absent")

    _, findings = lint(places([tmp_path]), TARGET, jobs=1)

    assert [(one.code, one.model) for one in findings] == [("R110", "")]


def test_plain_files_in_the_root_are_none_of_the_servers_business(tmp_path: Path) -> None:
    """A README beside the models is no finding."""
    laid_out(LAYOUTS["one"], tmp_path / "M")
    (tmp_path / "README.md").touch()

    assert lint(places([tmp_path]), TARGET, jobs=1)[1] == ()
