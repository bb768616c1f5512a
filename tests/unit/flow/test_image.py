"""What `trb image build` makes of its command line."""

from pathlib import Path

import pytest

from builder.errors import SpecError, UsageError
from builder.flow import image
from builder.flow.image import ImageRequest

SPEC = (
    'triton: "24.09"\nmodels:\n  m:\n    source: m:load\n    inputs: {x: {dtype: fp32, shape: [batch, 2]}}\n'
)


def test_a_file_of_requirements_is_read_line_by_line(tmp_path: Path) -> None:
    """Comments and blank lines are none; what is no file is a requirement itself."""
    file = tmp_path / "requirements.txt"
    file.write_text("# ours\npillow==12.3.0  # pictures\n\n  tokenizers>=0.20\n")

    plan = image.plan(tmp_path / "trb.yaml", ImageRequest(requirements=(str(file), "six==1.17.0")))

    assert plan.requirements == ("pillow==12.3.0", "tokenizers>=0.20", "six==1.17.0")


@pytest.mark.parametrize(
    "line", ["-r other.txt", "--index-url https://x", "-e .", "./here.whl", "pkg @ file:///x"]
)
def test_what_is_no_plain_requirement_is_refused(line: str, tmp_path: Path) -> None:
    """An option or a path in a file would be taken for a package, or reach what the build does not see."""
    file = tmp_path / "requirements.txt"
    file.write_text(f"{line}\n")

    with pytest.raises(UsageError, match="is no requirement"):
        image.plan(tmp_path / "trb.yaml", ImageRequest(requirements=(str(file),)))


def test_a_file_that_is_not_there_is_no_requirement(tmp_path: Path) -> None:
    """A misspelt file name is said here, not by pip."""
    with pytest.raises(UsageError, match=r"requirement.txt is no requirement"):
        image.plan(tmp_path / "trb.yaml", ImageRequest(requirements=("requirement.txt",)))


@pytest.mark.parametrize(
    ("named", "has_spec", "name"), [(None, False, "24.10"), (None, True, "24.09"), ("24.08", True, "24.08")]
)
def test_the_release_is_the_one_that_is_named_else_the_specs(
    named: str | None, has_spec: bool, name: str, tmp_path: Path
) -> None:
    """--triton, else trb.yaml, else the embedded server's own release; the tag follows."""
    spec = tmp_path / "trb.yaml"
    if has_spec:
        spec.write_text(SPEC)

    plan = image.plan(spec, ImageRequest(triton=named))

    assert plan.release.name == name
    assert image.tag(ImageRequest(), plan) == f"trb-triton:{name}-cpu"
    assert image.tag(ImageRequest(tag="mine"), plan) == "mine"


def test_a_release_that_is_not_known_is_a_mistake_in_the_spec(tmp_path: Path) -> None:
    """It is said with the nearest one that is."""
    with pytest.raises(SpecError, match=r"24\.13 is not known"):
        image.plan(tmp_path / "trb.yaml", ImageRequest(triton="24.13"))


def test_a_context_is_not_written_over_something(tmp_path: Path) -> None:
    """A folder that holds a file already is left alone."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine").touch()

    with pytest.raises(UsageError, match="holds something already"):
        image.write_context(tmp_path / "trb.yaml", ImageRequest(), tmp_path / "made", step=lambda *_: None)


def test_a_context_goes_into_no_file(tmp_path: Path) -> None:
    """What stands in the way of the folder is said before anything is fetched."""
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="is no folder to write in"):
        image.write_context(
            tmp_path / "trb.yaml", ImageRequest(), tmp_path / "file" / "x", step=lambda *_: None
        )


@pytest.mark.parametrize(
    "name",
    ["trb", "team/triton:24.10", "registry.example:5000/a/b-c_d:v1.0", "localhost:5000/x", "a.b__c--d"],
)
def test_a_tag_is_taken_as_it_is_written(name: str, tmp_path: Path) -> None:
    """Registries with ports, paths and tags are names of images."""
    request = ImageRequest(tag=name)

    assert image.tag(request, image.plan(tmp_path / "trb.yaml", request)) == name


@pytest.mark.parametrize("name", ["Bad Tag", "x/UPPER", "a:b:c", "a//b", "-a", "a:", "x@sha256:1"])
def test_what_no_image_can_be_called_is_a_mistake_of_the_command(name: str, tmp_path: Path) -> None:
    """It is found before anything is fetched; an empty name is none, and the default is taken."""
    request = ImageRequest(tag=name)
    plan = image.plan(tmp_path / "trb.yaml", request)

    with pytest.raises(UsageError, match="no image can be called"):
        image.tag(request, plan)
