"""The dashboard: every panel in its place, every query about what was served."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models.dashboard import Dashboard

from builder.deploy import Served
from builder.server.docker.gpus import Gpus
from builder.spec.releases import release
from tests.unit.deploy.values import STACK, rendered

DASHBOARD = "grafana/dashboards/models.json"


def dashboard(**changes: Any) -> Any:
    return json.loads(rendered(**changes)[DASHBOARD])


def graphs(document: Any) -> list[Any]:
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def queries(document: Any) -> list[str]:
    return [target["expr"] for panel in graphs(document) for target in panel["targets"]]


def test_grafana_knows_every_field() -> None:
    """Read into Grafana's own types and written again, the dashboard has lost nothing and nothing has changed."""
    register_default_plugins()
    ours = dashboard(gpus=Gpus())

    theirs = json.loads(JSONEncoder().encode(Dashboard.from_json(ours)))

    assert list(lost(ours, theirs)) == []


def lost(ours: Any, theirs: Any, at: str = "") -> Iterator[str]:
    """Yield the places of what `theirs` has not, or has otherwise; what it has beside is a default."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from lost(value, theirs.get(key), f"{at}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(one, other, f"{at}/{place}")
    elif ours != theirs:
        yield at


def test_units_and_looks_are_words_of_grafana() -> None:
    """Every unit is one that Grafana has, and every look a member of its enumeration."""
    known = {value for value in vars(units).values() if isinstance(value, str)}

    for panel in graphs(dashboard(gpus=Gpus())):
        defaults, options = panel["fieldConfig"]["defaults"], panel["options"]
        assert defaults["unit"] in known
        common.StackingMode(defaults["custom"]["stacking"]["mode"])
        common.VisibilityMode(defaults["custom"]["showPoints"])
        common.LegendDisplayMode(options["legend"]["displayMode"])
        common.LegendPlacement(options["legend"]["placement"])
        common.TooltipDisplayMode(options["tooltip"]["mode"])
        common.SortOrder(options["tooltip"]["sort"])


def test_no_panel_hides_another() -> None:
    """Panels lie apart and within the 24 columns, and each has an id of its own."""
    panels = dashboard(gpus=Gpus())["panels"]

    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_each_model_and_pipeline_has_a_row() -> None:
    """The rows are: all, each model, each pipeline with its steps, the machine."""
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]

    assert rows == [
        "All",
        "Model digits",
        "Model v1.2-beta",
        "Pipeline reviews: tokens → reviews_fused",
        "Server",
    ]


def test_a_pipeline_lies_in_one_line() -> None:
    """The panels of a pipeline and its steps lie beside each other."""
    panels = dashboard(served=(Served(name="reviews", steps=("tokens", "reviews_fused")),))["panels"]

    start = next(i for i, panel in enumerate(panels) if panel["title"].startswith("Pipeline"))
    end = next(i for i, panel in enumerate(panels) if panel["title"] == "Server")
    assert len({panel["gridPos"]["y"] for panel in panels[start + 1 : end]}) == 1


def test_every_query_is_about_the_scraped_job() -> None:
    """Each query selects Prometheus's job in every metric, and its brackets close."""
    found = queries(dashboard(gpus=Gpus()))

    (job,) = yaml.safe_load(rendered()["prometheus.yml"])["scrape_configs"]
    for query in found:
        selectors = re.findall(r"\{[^}]*\}", query)
        assert selectors
        assert all(f'job="{job["job_name"]}"' in one for one in selectors)
        assert query.count("(") == query.count(")")


def test_every_panel_asks_the_provisioned_datasource() -> None:
    """Panels and queries name the datasource by the uid that provisioning gives it."""
    (source,) = yaml.safe_load(rendered()["grafana/provisioning/datasources/trb.yaml"])["datasources"]

    wanted = {"type": "prometheus", "uid": source["uid"]}
    for panel in graphs(dashboard()):
        assert panel["datasource"] == wanted
        assert all(target["datasource"] == wanted for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_a_dot_in_a_name_is_no_wildcard() -> None:
    """Where several models are matched, a name with a dot matches itself alone."""
    matchers = {match for query in queries(dashboard()) for match in re.findall(r'model=~("[^"]*")', query)}

    assert matchers
    for matcher in matchers:
        pattern = json.loads(matcher)  # PromQL's strings have JSON's escapes
        assert not re.fullmatch(pattern, "v1x2-beta")


@pytest.mark.parametrize(
    ("name", "has_reason", "has_pending"),
    [("24.10", True, True), ("24.06", False, True), ("23.08", False, False)],
)
def test_a_release_is_asked_for_what_it_counts(name: str, has_reason: bool, has_pending: bool) -> None:
    """Reasons of failures are there from 24.07 on, pending requests from 23.09 on."""
    found = queries(dashboard(release=release(name)))

    assert any("by (reason)" in query for query in found) is has_reason
    assert any("pending_request_count" in query for query in found) is has_pending


def test_gpus_are_drawn_where_there_are_some() -> None:
    """Without GPUs no panel asks for them."""
    assert not any("nv_gpu" in query for query in queries(dashboard()))
    assert any("nv_gpu_memory_used_bytes" in query for query in queries(dashboard(gpus=Gpus(count=1))))


def test_the_dashboard_keeps_its_address() -> None:
    """The uid does not depend on what is served."""
    assert dashboard()["uid"] == dashboard(served=STACK.served[:1])["uid"] == "trb-models"
