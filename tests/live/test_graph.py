"""A pipeline is drawn with the times that `trb perf` found in its steps."""

import json
from pathlib import Path

import pytest

from tests.live.conftest import Trb

WORDS = """
import time

import numpy as np


def split(text):
    words = text[0].split()[:4]
    return {"words": np.array([*words, *[b""] * (4 - len(words))], object)}


def count(words):
    time.sleep(0.01)
    return {"count": np.array([sum(map(bool, words))], np.int64)}
"""
SPEC = """
models:
  split:
    source: words:split
    backend: python
    inputs: {text: {dtype: string, shape: [batch, 1]}}
    outputs: {words: {dtype: string, shape: [batch, 4]}}
  count:
    source: words:count
    backend: python
    inputs: {words: {dtype: string, shape: [batch, 4]}}
    outputs: {count: {dtype: int64, shape: [batch, 1]}}
pipelines:
  counted:
    inputs: [text]
    steps: [split, count]
    outputs: [count]
"""


@pytest.mark.slow
def test_a_pipeline_shows_where_its_time_goes(trb: Trb, tmp_path: Path) -> None:
    """Before a measurement there are no times; after it, a step that sleeps has its sleep, and every step a share."""
    (tmp_path / "words.py").write_text(WORDS)
    (tmp_path / "trb.yaml").write_text(SPEC)
    trb("build", cwd=tmp_path)
    before = trb("graph", cwd=tmp_path).stdout

    assert before.splitlines()[0] == "counted version 1: 2 steps, max batch 8"
    assert before.splitlines()[-1] == "not measured: run trb perf counted"
    assert "│   └── words string[batch, 4] → count" in before

    trb("perf", "counted", "--engine", "trb", "--window", "200ms", "--max-windows", "3", cwd=tmp_path)
    (one,) = json.loads(trb("graph", "--json", cwd=tmp_path).stdout)["pipelines"]
    split, count = (step["time"] for step in one["steps"])

    assert one["measured_at"]
    assert split["requests"] == count["requests"] > 0
    assert count["compute_us"] >= 10_000
    assert split["share"] + count["share"] == pytest.approx(1)
    assert (
        trb("graph", "counted", cwd=tmp_path)
        .stdout.splitlines()[-1]
        .startswith(f"measured {one['measured_at']}")
    )
