"""Files that ship beside the code: from the checkout, or from the installed wheel."""

from pathlib import Path

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
