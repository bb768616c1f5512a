"""The moving display: a line per subject, its current step and its age."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


@contextmanager
def live_steps() -> Iterator[Callable[[str, str], None]]:
    """Yield `step(subject, what)`; the display is gone when the block ends."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[subject]}"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        lines: dict[str, TaskID] = {}

        def step(subject: str, what: str) -> None:
            if subject not in lines:
                lines[subject] = progress.add_task(what, total=None, subject=subject)
            progress.update(lines[subject], description=what)

        yield step
