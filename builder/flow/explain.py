"""`trb lint --explain` and `--explain-target`: what a code means, and what a release has."""

from collections.abc import Iterator
from pathlib import Path

from builder.flow.lint import target_release
from builder.lint import pages
from builder.spec import config_fields
from builder.spec import releases as table
from builder.spec.releases import Release


def explain(code: str) -> str:
    """Return the page of `code`, or a line for every code there is for `all`.

    Raises:
        UsageError: there is no such code.
    """
    if code != "all":
        return pages.page(code).text
    return "\n".join(f"{one.code}  {one.severity:<8}  {one.title}" for one in pages.pages().values())


def explain_target(spec_file: Path, asked: str | None) -> str:
    """Return what the release has that `asked` or the spec names, and where that is known from.

    Raises:
        SpecError: it is not known, or trb.yaml has mistakes.
    """
    release = target_release(spec_file, asked)
    lines = [f"{name:<16}{text}" for name, text in _facts(release)]
    sources = [f"  {what}: {where}" for what, where in table.sources().items()]
    sources += [f"  config fields: {where}" for where in config_fields.sources()]
    return "\n".join([f"Triton {release.name}", *lines, "", "Sources", *sources])


def _facts(release: Release) -> Iterator[tuple[str, str]]:
    yield "server core", release.server
    yield "ONNX Runtime", f"{release.onnxruntime}: opset up to {release.max_opset}, IR up to {release.max_ir}"
    yield "libtorch", f"{release.torch}, the nearest public torch" if release.torch else "not known"
    yield "Python", release.python
    for later in table.releases():
        for what in (*config_fields.new_in(later), *table.news().get(later.name, ())):
            if later == release:
                yield "new in it", what
            elif later.key > release.key:
                yield "not yet", f"{what} ({later.name})"
