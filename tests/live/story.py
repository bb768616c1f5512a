"""Stories, in tests/scripts/*.txt: what a user types, and what `trb` says to it.

A story is one file. Its first part is what happens, from the top to the bottom:

    # a remark for the reader; empty lines mean as little
    $ COMMAND      run by bash, in a folder of the story's own that holds the files below
    2> LINE        a line of the command's stderr, all of them before those of its stdout
    1> LINE        a line of its stdout
    [N]            its exit code, where that is not 0

Then come the files, each from its head to the next head (the txtar format of Go's tests):

    -- model.py --
    import torch

A line of output is the very line, but for the following, where one run or machine differs from the next:

    [HERE]         the story's folder
    [SECONDS]      a duration with one decimal: before ` s`, or after the size in the table of a build
    [SIZE]         a number of bytes with its unit, such as 8.05 kB
    [GAP]          a cell of a table: a figure such as 1.19e-07, or 0
    ...            any run of characters, none included
    two spaces     two spaces or more: a table's columns move with the figures in them

The first three, and a figure, are written by `make golden`; `...`, and [GAP] for a 0, are put in by hand and stay
as long as the line fits.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

FILE_HEAD: Final = re.compile(r"^-- (.+) --\n", re.MULTILINE)
STEP: Final = re.compile(r"^(?=\$ )", re.MULTILINE)
OUTPUT: Final = re.compile(r"[12]>|\[\d+\]$")
WORDS: Final = {
    "[SECONDS]": re.compile(r"\d+\.\d(?= s\b)|(?<=[B-]  ) *\d+\.\d$"),
    "[SIZE]": re.compile(r"\d+(\.\d+)? [kMG]?B\b"),
    "[GAP]": re.compile(r"(?<=  )\d(\.\d+)?e-\d+"),
}


def replay(story: str, folder: Path) -> str:
    """Live the story in `folder`; return its text with what was said now. It is unchanged where all was as told."""
    script, *files = FILE_HEAD.split(story)
    for name, content in zip(files[::2], files[1::2], strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    remarks, *steps = STEP.split(script)
    return "".join([remarks, *(_step(step, folder) for step in steps), story[len(script) :]])


def _step(step: str, folder: Path) -> str:
    command, *lines = step.splitlines()
    told = [line for line in lines if OUTPUT.match(line)]
    remarks = lines[len(told) :]
    said = _run(command.removeprefix("$ "), folder)
    return "".join(f"{line}\n" for line in (command, *_as_told(told, said), *remarks))


def _run(command: str, folder: Path) -> list[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "120"},
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    lines = [f"2> {line}".rstrip() for line in done.stderr.splitlines()]
    lines += [f"1> {line}".rstrip() for line in done.stdout.splitlines()]
    lines = [_masked(line.replace(str(folder), "[HERE]")) for line in lines]
    return lines + ([f"[{done.returncode}]"] if done.returncode else [])


def _masked(line: str) -> str:
    for word, pattern in WORDS.items():
        line = pattern.sub(lambda found, word=word: word.rjust(len(found[0])), line)
    return line


def _as_told(told: Iterable[str], said: Iterable[str]) -> Iterator[str]:
    """Yield the lines that were said, each in the words it was told in where it fits them."""
    rest = list(told)
    for line in said:
        place = next((n for n, one in enumerate(rest) if _fits(one, line)), None)
        yield line if place is None else rest[place]
        rest = rest if place is None else rest[place + 1 :]


def _fits(told: str, said: str) -> bool:
    pattern = re.escape(_columns_closed(told)).replace(r"\.\.\.", ".*").replace(r"\[GAP\]", r"(?:\[GAP\]|0)")
    return re.fullmatch(pattern, _columns_closed(said)) is not None


def _columns_closed(line: str) -> str:
    return re.sub(" {2,}", "  ", line)
