"""config.pbtxt and the data of its warmups, on disk."""

from pathlib import Path

from builder.config.labels import label_bytes
from builder.config.render import render
from builder.config.warmup import warmup_feed, warmup_files
from builder.spec.loaded import Loaded
from builder.spec.model_config import ModelConfig


def write(config: ModelConfig, loaded: Loaded, *, into: Path) -> None:
    """Write `config.pbtxt`, `warmup/` where the config has warmups, and the labels that it names, into a stage.

    `config` was made from `loaded`.
    """
    (into / "config.pbtxt").write_text(render(config), encoding="utf-8", newline="\n")
    for output in config.outputs:
        if output.label_filename:
            (into / output.label_filename).write_bytes(label_bytes(loaded.labels[output.name]))
    if not config.warmups:
        return
    folder = into / "warmup"
    folder.mkdir()
    for name, content in warmup_files(config, warmup_feed(loaded)).items():
        (folder / name).write_bytes(content)
