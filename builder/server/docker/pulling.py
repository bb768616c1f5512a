"""What a pull says of itself, as one line that moves."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

_WIDTH: Final = 20
_MB: Final = 1e6
_DONE: Final = ("Pull complete", "Already exists", "Download complete")
_STEP_PERCENT: Final = 5
"""A line on a terminal moves in place; in a log each is a line of its own."""


def progress(events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a bar with megabytes for every twentieth that is downloaded.

    Args:
        events: the daemon's own, each about one layer.
    """
    layers: dict[str, tuple[int, int]] = {}
    shown = -1
    for event in events:
        layer, status = str(event.get("id", "")), str(event.get("status", ""))
        detail = event.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            layers[layer] = (int(detail.get("current", 0)), int(detail["total"]))
        elif layer in layers and status in _DONE:
            layers[layer] = (layers[layer][1],) * 2
        loaded, total = (sum(sizes) for sizes in zip(*layers.values(), strict=True)) if layers else (0, 0)
        percent = 100 * loaded // total if total else 0
        if total and (percent // _STEP_PERCENT != shown // _STEP_PERCENT):
            shown = percent
            yield f"{_bar(percent)} {percent} % of {total / _MB:,.0f} MB"


def _bar(percent: int) -> str:
    full = percent * _WIDTH // 100
    return "█" * full + "░" * (_WIDTH - full)
