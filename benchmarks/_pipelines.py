"""Pipelines of four graph steps, small and large, as a project in a folder."""

import json
from pathlib import Path
from typing import Any

MODEL = """
import numpy as np
import torch
from torch import nn


class Normalise(nn.Module):
    def forward(self, raw):
        return (raw - 8.0) / 4.0


class Network(nn.Module):
    def __init__(self, width):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)
            )

    def forward(self, row):
        return self.layers(row)


class Temper(nn.Module):
    def forward(self, score):
        return torch.softmax(score / 2.0, dim=1)


class Largest(nn.Module):
    def forward(self, probability):
        return probability.topk(3, dim=1)


def small():
    return Network(64)


def large():
    return Network(1536)


def probabilities():
    return {"probability": np.random.default_rng(0).dirichlet(np.ones(10), 32).astype(np.float32)}
"""
MODELS = """
models:
  normalise:
    source: model:Normalise
    inputs: {raw: {dtype: fp32, shape: [batch, 64], range: [0, 16]}}
    output_names: [row]
  small:
    source: model:small
    inputs: {row: {dtype: fp32, shape: [batch, 64], range: [-2, 2]}}
    output_names: [score]
  large:
    source: model:large
    inputs: {row: {dtype: fp32, shape: [batch, 64], range: [-2, 2]}}
    output_names: [score]
  temper:
    source: model:Temper
    inputs: {score: {dtype: fp32, shape: [batch, 10], range: [-4, 4]}}
    output_names: [probability]
  largest:
    source: model:Largest
    inputs: {probability: {dtype: fp32, shape: [batch, 10], values: samples}}
    output_names: [top, place]
    samples: model:probabilities
"""
PIPELINE = """
  with_{network}:
    inputs: [raw]
    steps: [normalise, {network}, temper, largest]
    outputs: [top, place]
    fuse: {fuse}
"""
STEPS = ("normalise", "small", "temper", "largest")


def write_project(folder: Path, *, fuse: str, networks: tuple[str, ...] = ("small", "large")) -> None:
    """Write a spec with a pipeline for each of `networks`."""
    (folder / "model.py").write_text(MODEL)
    pipelines = "".join(PIPELINE.format(network=network, fuse=fuse) for network in networks)
    (folder / "trb.yaml").write_text(f"{MODELS}pipelines:{pipelines}")


def picks(folder: Path, pipeline: str) -> dict[str, Any]:
    """Return the figures that `fuse: auto` measured last."""
    lines = (folder / ".trb" / "model_repository" / "live" / f"{pipeline}.jsonl").read_text().splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    value: dict[str, Any] = [entry for entry in found if entry["kind"] == "fuse"][-1]["value"]
    return value
