"""The commands on the pages work, as a reader would type them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.page import go_through

PAGES = [
    "README.md",
    "docs/getting-started.md",
    *(f"examples/{name}/README.md" for name in ("digits", "tagger")),
]
WALKED = ("digits_png", "sentence_embedding", "sounds")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work(page: str, tmp_path: Path) -> None:
    """Every shell block of the page, in order and from the top of a checkout, ends without an error."""
    go_through(page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_the_commands_of_an_example_that_others_build_on_work(
    name: str, walked: Callable[[str], Path]
) -> None:
    """They leave a repository: the tests of the pipeline examples go on from there."""
    assert (walked(name) / "model_repository" / name / "1").is_dir()
