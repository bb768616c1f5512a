"""The parts of a Grafana dashboard, as the JSON that Grafana reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

_WIDTH: Final = 24
"""The columns of a dashboard."""
_HEIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class Query:
    """What Prometheus is asked, and what the line is called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One graph."""

    title: str
    description: str
    queries: Sequence[Query]
    unit: str
    """Grafana's name of it, such as reqps, µs, percentunit, bytes."""
    is_stacked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Graphs under a heading."""

    title: str
    panels: Sequence[Panel]
    columns: int
    """Graphs beside each other."""


def laid_out(rows: Sequence[Row], *, datasource: str) -> list[dict[str, Any]]:
    """Return the panels of a dashboard, each in its place, numbered from 1."""
    found: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        found.append(_heading(row.title, len(found) + 1, top))
        top += 1
        width = _WIDTH // row.columns
        for place, panel in enumerate(row.panels):
            line, column = divmod(place, row.columns)
            at = {"x": column * width, "y": top + line * _HEIGHT, "w": width, "h": _HEIGHT}
            found.append(_graph(panel, len(found) + 1, at, datasource))
        top += -(-len(row.panels) // row.columns) * _HEIGHT
    return found


def _heading(title: str, number: int, top: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": 1},
        "panels": [],
    }


def _graph(panel: Panel, number: int, at: dict[str, int], datasource: str) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": datasource}
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": source,
        "gridPos": at,
        "fieldConfig": {"defaults": _look(panel), "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": source,
                "expr": query.expr,
                "legendFormat": query.legend,
                "range": True,
            }
            for place, query in enumerate(panel.queries)
        ],
    }


def _look(panel: Panel) -> dict[str, Any]:
    return {
        "unit": panel.unit,
        "min": 0,
        "custom": {
            "lineWidth": 1,
            "fillOpacity": 40 if panel.is_stacked else 10,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.is_stacked else "none", "group": "A"},
        },
    }
