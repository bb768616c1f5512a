"""Folders of models, and what the server was seen to do with them; tests/live asks it."""

from typing import NamedTuple

CONFIG = (
    'backend: "tiny" input { name: "x" data_type: TYPE_FP32 dims: 4 } '
    'output { name: "y" data_type: TYPE_FP32 dims: 4 }'
)
NONE = "at least one version must be available under the version policy of model 'M'"
UNKNOWN = "Could not determine backend for model 'M' with no backend in model configuration"
LINK = "link"


class Layout(NamedTuple):
    """A model's folder and the verdict on it."""

    files: dict[str, str | bytes]
    """By path; a path with / at its end is an empty folder, bytes after `link:` are where a link leads."""
    codes: str
    """What lint finds: E or W, and the code."""
    words: str = ""
    """The refusal of the server; empty: it loads."""


def versions(*names: str, codes: str = "", words: str = "", policy: str = "all {}") -> Layout:
    config = f"{CONFIG} version_policy {{ {policy} }}"
    return Layout({"config.pbtxt": config, **{f"{name}/": "" for name in names}}, codes, words)


def holding(files: dict[str, str | bytes], codes: str = "", words: str = "", config: str = CONFIG) -> Layout:
    return Layout({"config.pbtxt": config, "1/": "", **files}, codes, words)


LAYOUTS = {
    "one": versions("1"),
    "zero": versions("0"),
    "with a suffix": versions("1", "5.tmp", codes="WR103"),
    "twice": versions("1", "1abc", codes="WR103"),
    "with a blank": versions(" 1", codes="WR103"),
    "with a plus": versions("+1", codes="WR103"),
    "below zero": versions("1", "-1", codes="WR103"),
    "leading zero": versions("1", "02", codes="WR104"),
    "letter": versions("1", "v2", codes="WR104"),
    "leading zero alone": versions("01", codes="ER102", words=NONE),
    "letter alone": versions("v1", codes="ER102", words=NONE),
    "digits of another script": versions("٣", codes="ER102", words=NONE),
    "reserved": versions("1", "configs", "warmup", "initial_state"),
    "reserved alone": versions("warmup", codes="ER102", words=NONE),
    "others": versions("1", ".git", "__pycache__", "docs", "assets"),
    "none": versions(codes="ER102", words=NONE),
    "largest": versions("9223372036854775807"),
    "latest of none": versions("1", policy="latest {}", codes="EC210", words=NONE),
    "latest of many": versions("1", "2", policy="latest { num_versions: 9 }"),
    "no policy in it": versions("1", "2", policy=""),
    "one of two is there": versions("1", policy="specific { versions: [1, 3] }", codes="WC210"),
    "not there": versions("1", policy="specific { versions: 3 }", codes="EC210", words=NONE),
    "asked for nothing": versions("1", policy="specific {}", codes="EC210", words=NONE),
    "not there twice": versions("1", policy="specific { versions: [3, 3] }", codes="WC210"),
    "a file for a version": holding({"2": ""}, "WR109"),
    "a model beside the versions": holding({"model.onnx": ""}, "WR109"),
    "a config in a version": holding({"1/config.pbtxt": ""}, "WR109"),
    "notes": holding({"README.md": "", "labels.txt": "", "requirements.txt": ""}),
    "a link to nowhere": holding({"notes": b"link:absent"}, "ER110", "failed to stat file "),
    "a link to itself": holding({"2": b"link:2"}, "ER110", "failed to stat file "),
    "a link to nowhere further down": holding({"1/notes": b"link:absent", "docs/notes": b"link:absent"}),
    "a link in a circle": holding({"1/up": b"link:.."}),
    "a version by a link": holding({"2": b"link:1"}),
    "a config by a link": Layout({"1/": "", "text": CONFIG, "config.pbtxt": b"link:text"}, ""),
    "a config by a link to nowhere": Layout(
        {"1/": "", "config.pbtxt": b"link:absent"}, "ER106", "failed to stat file "
    ),
    "a config misspelt": Layout({"1/": "", "config.pbtx": CONFIG}, "EC202 WR109", UNKNOWN),
    "nothing": Layout({}, "ER108", UNKNOWN),
    "documents": Layout({"intro.md": "", "images/": ""}, "ER108", UNKNOWN),
    "a version without a file": Layout({"1/": ""}, "EC202", UNKNOWN),
}

DEADLY = {
    "a version beyond 64 bits": versions("9223372036854775808", codes="ER102 ER111"),
    "a config that is a folder": Layout({"1/": "", "config.pbtxt/": ""}, "ER106"),
}
"""What ends the server."""
