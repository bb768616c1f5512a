"""The documentation says what the code does."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from builder import readspec
from builder.cli import main
from builder.errors import TrbError

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/*/README.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
COMMANDS = main.list_commands(click.Context(main))


def documented(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by the words that call it, those of a group included."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from documented(command, f"{before}{name} ")


DOCUMENTED = dict(documented(main))


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py, imported."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_what_the_code_would_write(generate: ModuleType) -> None:
    """No generated page differs from what `make docs` writes now."""
    assert generate.drifted() == []


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_option_is_documented(name: str) -> None:
    """Every option has a help text and stands in docs/commands.md; every command shows an example."""
    command = DOCUMENTED[name]
    section = (ROOT / "docs" / "commands.md").read_text().split(f"\n## trb {name}\n")[1].split("\n## ")[0]

    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"trb {name} {option.opts[0]} has no help"
            assert all(spelling in section for spelling in option.opts)
    assert f"Example: trb {name}" in section


def test_every_command_stands_in_the_readme() -> None:
    """The README's table has every command."""
    readme = (ROOT / "README.md").read_text()

    assert [name for name in COMMANDS if f"| `trb {name}` |" not in readme] == []


def test_every_exit_code_stands_in_the_readme_and_on_its_page() -> None:
    """Every class of failure has its code in docs/exit-codes.md, and every code is in the README."""
    readme, page = ((ROOT / name).read_text() for name in ("README.md", "docs/exit-codes.md"))

    for failure in TrbError.__subclasses__():
        if failure.__module__ == "builder.errors":
            assert f"| {failure.exit_code} | `{failure.__name__}` |" in page
            assert f"| {failure.exit_code} | " in readme


def test_the_readme_shows_a_working_command_before_line_25() -> None:
    """A stranger meets `make demo` on the first screen, and the Makefile has it."""
    head = (ROOT / "README.md").read_text().splitlines()[:24]

    assert any(line.startswith("make demo") for line in head)


def test_the_makefile_has_every_target_that_a_page_names() -> None:
    """No page names a make target that does not exist."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE)
    }

    assert named
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_only_to_what_exists(page: Path) -> None:
    """Every relative link leads to a file of the repository."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_spec_on_a_page_is_without_mistake(tmp_path: Path) -> None:
    """Every block of YAML with models in the documentation is a trb.yaml that `trb` accepts."""
    blocks = [
        block for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    specs = [block for block in blocks if block.startswith(("triton:", "models:"))]

    assert specs
    for number, block in enumerate(specs):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block)
        assert readspec.read(path).project.models
