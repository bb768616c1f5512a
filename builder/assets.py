"""Files that ship beside the code: from the checkout, or from the installed wheel."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a command that renders nothing has no use for it
    from jinja2 import Template

_PACKAGE = Path(__file__).resolve().parent


def asset(name: str) -> Path:
    """Return the path of `name`, such as `templates/config.pbtxt.j2`.

    Raises:
        FileNotFoundError: neither the wheel nor the checkout has it, a packaging bug of ours.
    """
    for root in (_PACKAGE / "_assets", _PACKAGE.parent):
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{name} is missing from the installation of trb")


@cache
def template(name: str, **filters: Callable[[Any], str]) -> "Template":
    """Return the template `name`, in which a value that is missing is an error.

    Args:
        name: its file below `templates/`.
        filters: what it may write values with, by name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - this is no HTML
        loader=FileSystemLoader(asset("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)
