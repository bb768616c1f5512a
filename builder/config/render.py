"""config.pbtxt as text."""

import json
from collections.abc import Sequence

from builder.assets import template
from builder.config.message import message
from builder.pbtxt.schema import parse
from builder.spec.model_config import ModelConfig


def render(config: ModelConfig) -> str:
    """Return the text of config.pbtxt, which Triton's own schema reads back as `config`, field by field."""
    text = template("config.pbtxt.j2", pb_string=pb_string, pb_list=pb_list).render(config=config)
    read, meant = parse(text), message(config)
    assert read == meant, f"config.pbtxt says other than was meant\nread: {read}\nmeant: {meant}"
    return text


def pb_string(text: str) -> str:
    """Quote a string for protobuf's text format, whose escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def pb_list(numbers: Sequence[int]) -> str:
    """Write numbers as a list of protobuf's text format."""
    return f"[{', '.join(str(number) for number in numbers)}]"
