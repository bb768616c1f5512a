"""A page of text: what a person is shown, before it is known whether there is a terminal to show it on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Style = Literal["plain", "heading", "good", "bad", "warning"]

_RICH_STYLES: Final[Mapping[Style, str]] = {
    "plain": "",
    "heading": "bold",
    "good": "bold green",
    "bad": "bold red",
    "warning": "yellow",
}
_CELL_STYLES: Final[Mapping[str, str]] = {
    "PASS": "green",
    "built": "green",
    "FAIL": "bold red",
    "failed": "bold red",
    "unstable": "yellow",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; empty for a gap."""

    text: str = ""
    style: Style = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells under a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...] = ()
    """The columns that are set to the right."""


Page = Sequence[Line | Table]


def as_text(page: Page) -> str:
    """Return `page` as plain lines: no colour, no box, nothing wrapped."""
    return "".join(f"{line.rstrip()}\n" for block in page for line in _plain(block))


def as_terminal(page: Page, *, width: int) -> str:
    """Return `page` with colour and boxes, `width` characters wide."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    console = Console(file=StringIO(), force_terminal=True, width=width, color_system="standard")
    with console.capture() as caught:
        for block in page:
            if isinstance(block, Table):
                console.print(_rich_table(block))
            else:
                console.print(Text(block.text, style=_RICH_STYLES[block.style]), soft_wrap=True)
    return caught.get()


def _plain(block: Line | Table) -> tuple[str, ...]:
    if isinstance(block, Line):
        return (block.text,)
    lines = (block.header, *block.rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(block.header))]
    right = [title in block.numbers for title in block.header]
    return tuple(
        "  ".join(
            cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right, strict=True)
        )
        for line in lines
    )


def _rich_table(table: Table) -> "object":
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.ROUNDED, header_style="bold")
    for title in table.header:
        drawn.add_column(title, justify="right" if title in table.numbers else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(cell, style=_CELL_STYLES.get(cell, "")) for cell in row))
    return drawn
