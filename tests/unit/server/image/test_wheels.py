"""Which wheels an image asks for, and what it says when there are none."""

import pytest

from builder.errors import MissingTool
from builder.server.image.plan import Plan
from builder.server.image.wheels import pins, platforms, wanted, wheels, why
from builder.spec.releases import release


def names(found: tuple[str, ...]) -> list[str]:
    return [one.partition("==")[0] for one in found]


def test_the_runtime_is_the_releases_own() -> None:
    """ONNX Runtime is the release's, torch a CPU build, and numpy the last that the stub takes."""
    found = wanted(Plan(release=release("24.09")))

    assert "numpy==1.26.4" in found
    assert f"onnxruntime=={release('24.09').onnxruntime}" in found
    assert next(one for one in found if one.startswith("torch==")).endswith("+cpu")


@pytest.mark.parametrize("package", ["torch", "onnxruntime"])
def test_what_is_left_out_is_not_fetched(package: str) -> None:
    """A smaller image is a smaller download."""
    assert package not in names(wanted(Plan(release=release("24.10"), without=frozenset({package}))))


def test_a_package_that_the_user_names_is_not_pinned_by_us() -> None:
    """The user's version counts, and every other pin stays."""
    ours = pins(())

    assert set(names(ours)) - set(names(pins(("Jinja2==3.1.2",)))) == {"jinja2"}
    assert all("==" in one for one in ours)


def test_no_wheel_is_taken_that_an_older_glibc_cannot_load() -> None:
    """The server needs glibc 2.35, so that is what the image is known to have."""
    assert platforms()[0] == "manylinux_2_35_x86_64"
    assert "manylinux2014_x86_64" in platforms()


def test_a_package_without_a_wheel_is_named_with_the_images_python() -> None:
    """It is said which Python lacks it, since that is not the one that pip runs on."""
    said = (
        "ERROR: Could not find a version that satisfies the requirement it==1.0 (from versions: 0.9)\n"
        "ERROR: No matching distribution found for it==1.0"
    )

    error = why(["it==1.0"], "3.11", said)

    assert error.what == "it==1.0 has no wheel for Linux x86_64 and Python 3.11, which the image has"
    assert "--base" in error.fix


def test_an_index_that_does_not_answer_is_no_missing_wheel() -> None:
    """pip ends in the same words without a network; the advice is another."""
    said = (
        "WARNING: Retrying after connection broken by 'NewConnectionError'\n"
        "ERROR: Could not find a version that satisfies the requirement it (from versions: none)\n"
        "ERROR: No matching distribution found for it"
    )

    error = why(["numpy==1.26.4", "it"], "3.11", said)

    assert error.what.startswith("it could not be fetched")
    assert "TRB_WHEELS" in error.fix


def test_packages_that_contradict_each_other_are_named() -> None:
    """A requirement that wants another numpy ends with both sides, not with pip's advice."""
    said = (
        "ERROR: Cannot install it==2.0 and numpy==1.26.4 because these package versions have conflicting "
        "dependencies.\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io"
    )

    error = why(["it==2.0"], "3.11", said)

    assert "Cannot install it==2.0 and numpy==1.26.4" in error.what
    assert "the image's own" in error.fix


def test_a_release_whose_runtime_was_never_built_is_refused_before_a_download() -> None:
    """An image for a release has the release's ONNX Runtime or none: no other takes its place in silence."""
    with pytest.raises(MissingTool, match=r"ONNX Runtime 1\.17\.2, which Triton 24\.03 has") as raised:
        wheels(Plan(release=release("24.03")), "3.11")

    assert "--without onnxruntime" in raised.value.fix
