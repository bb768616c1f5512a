"""What `trb lint --explain-target` says of a release."""

from pathlib import Path

import pytest

from builder.errors import SpecError
from builder.flow.explain import explain_target
from builder.spec.releases import Release, first_release_with, releases, sources

NO_SPEC = Path("no such trb.yaml")


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.name)
def test_every_known_release_is_explained_with_its_sources(release: Release) -> None:
    """The server, ONNX Runtime with its limits, Python and the sources of the table stand in the text."""
    text = explain_target(NO_SPEC, release.name)

    assert text.startswith(f"Triton {release.name}\n")
    assert release.server in text
    assert f"{release.onnxruntime}: opset up to {release.max_opset}, IR up to {release.max_ir}" in text
    assert all(where in text for where in sources().values())


def test_what_came_later_is_not_yet_there() -> None:
    """A config field is new in its own release, not yet in those before, and not worth a word after."""
    before, its_own, after = (explain_target(NO_SPEC, name) for name in ("24.10", "24.11", "24.12"))

    assert "not yet         ModelConfig.model_metrics (24.11)" in before
    assert "new in it       ModelConfig.model_metrics" in its_own
    assert "ModelConfig.model_metrics" not in after


def test_without_a_release_it_is_the_newest() -> None:
    """With neither a release nor a spec the newest is explained."""
    assert explain_target(NO_SPEC, None).startswith(f"Triton {releases()[-1].name}\n")


@pytest.mark.parametrize(("asked", "near"), [("24.1", "24.10"), ("2024.10", "24.10"), ("x", "24.10")])
def test_an_unknown_release_ends_with_the_known_range_and_a_near_one(asked: str, near: str) -> None:
    """The fix names the first, the last and the nearest release."""
    with pytest.raises(SpecError) as caught:
        explain_target(NO_SPEC, asked)

    assert f"from {releases()[0].name} to {releases()[-1].name}, such as {near}" in caught.value.fix


def test_the_first_release_that_loads_a_file_is_known() -> None:
    """Each limit alone, and both together, name the oldest release that meets them."""
    assert [
        getattr(first_release_with(opset=opset, ir=ir), "name", None)
        for opset, ir in (
            (22, 0),
            (0, 11),
            (18, 10),
            (99, 0),
        )
    ] == ["25.03", "25.08", "24.05", None]
