"""Stacks to render."""

from dataclasses import replace
from typing import Any

import yaml

from builder.deploy import Images, Ports, Served, Stack, files
from builder.spec.releases import release

STACK = Stack(
    project="trb-shop",
    release=release("24.10"),
    repository="../model_repository",
    served=(
        Served(name="digits"),
        Served(name="v1.2-beta"),
        Served(name="reviews", steps=("tokens", "reviews_fused")),
    ),
    loads=("digits", "v1.2-beta", "reviews", "tokens", "reviews_fused"),
    images=Images(triton="nvcr.io/nvidia/tritonserver:24.10-py3"),
    ports=Ports(),
    shm_bytes=301989888,
)


def rendered(**changes: Any) -> dict[str, str]:
    return dict(files(replace(STACK, **changes)))


def composed(**changes: Any) -> Any:
    """Return compose.yaml, read as Docker Compose reads it: what a doubled `$` stands for is one."""
    return single(yaml.safe_load(rendered(**changes)["compose.yaml"]))


def single(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [single(one) for one in value]
    if isinstance(value, dict):
        return {key: single(one) for key, one in value.items()}
    return value
