"""Options that several commands share, as a person types them."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from builder.cli import main
from builder.cli.options import Size

MIB = 1 << 20
OF_A_CONTAINER = (
    ["--image", "triton"],
    ["--gpus", "all"],
    ["--cpus", "2"],
    ["--memory", "4g"],
    ["--shm-size", "1g"],
    ["--copy"],
    ["--publish", "0.0.0.0"],
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512m", 512 * MIB),
        ("512M", 512 * MIB),
        ("4g", 4096 * MIB),
        ("1.5g", 1536 * MIB),
        ("64k", 65536),
        ("4gb", 4096 * MIB),
        ("4GiB", 4096 * MIB),
        ("1048576", MIB),
        ("100b", 100),
        (" 1m ", MIB),
    ],
)
def test_a_size_is_written_as_for_docker(text: str, size: int) -> None:
    """A number of bytes, with a unit in either case."""
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0g",
        "-1",
        "-1g",
        "g",
        "4x",
        "4 g",
        "1.5.5g",
        "1e3",
        "inf",
        "nan",
        "0.1b",
        "4bb",
        f"{'9' * 400}g",
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    """It is quoted, with how it is written; nothing and less are no sizes."""
    with pytest.raises(click.BadParameter) as caught:
        Size().convert(text, None, None)

    assert repr(text) in caught.value.message
    assert "512m or 4g" in caught.value.message


def trb(*words: str, at: Path) -> Result:
    (at / "repository" / "m" / "1").mkdir(parents=True, exist_ok=True)
    (at / "repository" / "m" / "1" / "model.onnx").touch()
    return CliRunner().invoke(main, ["serve", "--repository", str(at / "repository"), *words])


@pytest.mark.parametrize("words", OF_A_CONTAINER, ids=lambda words: words[0])
def test_an_option_of_a_container_without_one_is_a_usage_mistake(words: list[str], tmp_path: Path) -> None:
    """It would be without effect; nothing is started."""
    done = trb(*words, at=tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert words[0] in done.stderr
    assert "add --server docker, or leave them out" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--memory", "much"],
        ["--shm-size", "0"],
        ["--cpus", "0"],
        ["--cpus", "-1"],
        ["--cpus", "inf"],
        ["--cpus", "nan"],
        ["--target-torch"],
    ],
    ids=" ".join,
)
def test_an_option_that_cannot_be_is_a_usage_mistake(words: list[str], tmp_path: Path) -> None:
    """The option is named before anybody asks a daemon."""
    done = trb("--server", "docker", *words, at=tmp_path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert words[0] in done.stderr


@pytest.mark.parametrize("command", ["check", "perf", "serve"])
def test_every_command_with_a_server_can_have_it_in_a_container(command: str) -> None:
    """The same options, with the same words."""
    there = {one for option in main.get_command(click.Context(main), command).params for one in option.opts}  # type: ignore[union-attr]

    assert {words[0] for words in OF_A_CONTAINER} <= there
