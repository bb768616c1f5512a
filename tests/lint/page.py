"""The examples on a code's page, as repositories.

A fenced block under `## Bad` or `## Good` is a file: its language says what is in it, the rest of its info string
where it lies. `onnx` and `torchscript` are compiled as in a case, `hex` is bytes, `link` leads to the path in it,
`folder` is empty, `missing` is taken away again, any other language is text. `trb lint ARGUMENTS` in the page's head
says how it is found, if not by a plain run.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.lint.pages import CodePage
from tests.lint.case import Case

_FENCE = re.compile(r"^```(?P<language>\w+) (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HOW = {"hex": "hex", "onnx": "", "torchscript": ""}


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What a page shows."""

    code: str
    severities: tuple[str, ...]
    arguments: tuple[str, ...]
    """Those of `trb lint`, run in the repository."""
    words: tuple[str, ...]
    """What it says that the server says."""
    bad: str
    good: str


def examples(page: CodePage) -> Examples:
    """Return the examples on `page`; empty where it shows none."""
    head, *sections = re.split(r"^## ", page.text, flags=re.MULTILINE)
    by_title = {section.partition("\n")[0]: section.partition("\n")[2] for section in sections}
    ran = re.search(r"`trb lint ([^`]+)`", head)
    return Examples(
        code=page.code,
        severities=tuple(page.severity.split(" or ")),
        arguments=tuple(shlex.split(ran[1])) if ran else (),
        words=tuple(
            words.strip() for words in re.findall(r"^```text\n(.*?)^```$", head, re.MULTILINE | re.DOTALL)
        ),
        bad=by_title.get("Bad", ""),
        good=by_title.get("Good", ""),
    )


def lay_out(section: str, repository: Path) -> None:
    """Write the files of a section into `repository`."""
    files: dict[str, tuple[str, str]] = {}
    for found in _FENCE.finditer(section):
        if found["language"] == "link":
            link = repository / found["path"]
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(found["text"].strip())
        elif found["language"] == "folder":
            files[f"{found['path'].rstrip('/')}/"] = ("", "")
        elif found["language"] != "missing":
            files[found["path"]] = (_HOW.get(found["language"], "text"), found["text"])
    _case(files).lay_out(repository)
    for found in _FENCE.finditer(section):
        if found["language"] == "missing":
            (repository / found["path"]).unlink()


def _case(files: Mapping[str, tuple[str, str]]) -> Case:
    return Case(path=Path("page.txt"), header={}, files=files)
