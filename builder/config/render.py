"""config.pbtxt as text."""

import json
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from builder.assets import asset
from builder.config.message import message
from builder.pbtxt.schema import parse
from builder.spec.model_config import ModelConfig


def render(config: ModelConfig) -> str:
    """Return the text of config.pbtxt, which Triton's own schema reads back as `config`, field by field."""
    text = _environment().get_template("config.pbtxt.j2").render(config=config)
    read, meant = parse(text), message(config)
    assert read == meant, f"config.pbtxt says other than was meant\nread: {read}\nmeant: {meant}"
    return text


def pb_string(text: str) -> str:
    """Quote a string for protobuf's text format, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def pb_list(numbers: Sequence[int]) -> str:
    """Write numbers as a list of protobuf's text format."""
    return f"[{', '.join(str(number) for number in numbers)}]"


@cache
def _environment() -> Environment:
    environment = Environment(  # noqa: S701 - this is no HTML
        loader=FileSystemLoader(asset("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pb_string"] = pb_string
    environment.filters["pb_list"] = pb_list
    return environment
