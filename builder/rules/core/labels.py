"""`label_filename` of an output."""

from collections.abc import Iterator

from builder.rules.core.files import Files, unread
from builder.rules.core.server import Server
from builder.rules.refusal import Config, Refusal, tensors


def check(config: Config, files: Files | None, server: Server) -> Iterator[Refusal]:
    """Yield the labels that the core cannot read, or will not."""
    labelled: set[str] = set()
    for position, output in enumerate(tensors(config, "output")):
        path = output.get("label_filename") or ""
        if not path or files is None:
            continue
        place = ("output", position, "label_filename")
        if server.stays_inside and not files.is_inside(path):
            yield Refusal(
                f"label file path '{path}' for output '{output.get('name')}' in model '{config['name']}' is outside "
                "model directory",
                code="C225",
                place=place,
                fix="keep it in the model's folder",
            )
        elif refusal := unread(path, files, code="C225", place=place):
            yield refusal
        elif output.get("name") in labelled:
            yield Refusal(f"multiple label files for '{output['name']}'", code="C225", place=place)
        labelled.add(output.get("name") or "")
