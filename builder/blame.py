"""Which line of the user's code an error comes from."""

import linecache
import re
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import torch

_FRAME: Final = re.compile(r'File "([^"]+)", line (\d+)')
_FOLDER: Final = re.compile(r"(?:(?<=\s)|(?<=[\"'(])|^)/(?:[^/\s:\"']+/)+")
_PACKAGE: Final = Path(__file__).resolve().parent
_FOREIGN: Final = (
    Path(torch.__file__).resolve().parent,
    Path(sysconfig.get_paths()["purelib"]),
    Path(sysconfig.get_paths()["stdlib"]),
)


def line_in_text(text: str) -> str:
    """Return the user's innermost line that `text` mentions, as `file:line: source`; empty if none.

    `text` is a stack trace or an error message in Python's form: `File "model.py", line 14`.
    """
    return _innermost((path, int(number)) for path, number in _FRAME.findall(text))


def line_of_error(error: BaseException) -> str:
    """Return the user's innermost line that led to `error`, as `file:line: source`; empty if none."""
    for link in chain(error):
        frames = traceback.extract_tb(link.__traceback__)
        place = line_in_text(str(link)) or _innermost((frame.filename, frame.lineno or 0) for frame in frames)
        if place:
            return place
    return ""


def line_of_node(error: BaseException) -> str:
    """Return the user's line of the graph node that was being translated; empty if none."""
    for link in reversed(chain(error)):
        for frame, _ in traceback.walk_tb(link.__traceback__):
            node = frame.f_locals.get("node")  # the exporters' errors name the node, but do not carry it
            if isinstance(node, torch.fx.Node):
                return line_in_text(str(node.meta.get("stack_trace", "")))
    return ""


def first_line(error: BaseException) -> str:
    """Return the first line of what `error` says, or its class where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def without_folders(text: str) -> str:
    """Return `text` with only the file names of its paths: a record does not tell where it was made."""
    return _FOLDER.sub("", text)


def chain(error: BaseException) -> tuple[BaseException, ...]:
    """Return `error` and what caused it, outermost first."""
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__ or link.__context__
    return tuple(links)


def _innermost(frames: Iterable[tuple[str, int]]) -> str:
    own = [(path, number) for path, number in frames if _is_users(path)]
    if not own:
        return ""
    path, number = own[-1]
    source = linecache.getline(path, number).strip()
    return f"{path}:{number}: {source}" if source else f"{path}:{number}"


def _is_users(path: str) -> bool:
    if path.startswith("<"):
        return False
    full = Path(path).resolve()
    if full.is_relative_to(_PACKAGE):
        return full.is_relative_to(
            _PACKAGE / "_assets"
        )  # the examples of an installed wheel are users' models
    return not any(full.is_relative_to(folder) for folder in _FOREIGN)
