"""Write the pages that are made from the code; with `--check` only say which have drifted."""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from builder import errors, readspec
from builder.cli import main
from builder.lint import pages
from builder.spec import project

DOCS: Final = Path(__file__).resolve().parent
WIDTH: Final = 100
SECTIONS: Final = {
    "Project": "The file",
    "Model": "A model",
    "Input": "An input",
    "Output": "An output",
    "Axis": "A dynamic axis",
    "Tolerance": "A tolerance",
    "Parity": "The gate",
    "Batching": "Batching",
    "Instances": "Instances",
    "Latency": "The latency budget",
    "OnnxOptions": "The ONNX export",
    "PythonOptions": "A Python function",
    "Pipeline": "A pipeline",
    "Step": "A step of a pipeline",
}
SPEC_HEAD: Final = """# trb.yaml

Written from the docstrings in `builder/spec/project.py` by `make docs`. An editor that knows JSON Schema
takes [`trb.schema.json`](trb.schema.json): put `# yaml-language-server: $schema=<its path or URL>` on the
first line of the file.

Unknown keys are mistakes, and all mistakes are reported at once, each with its line. Short forms: one backend
needs no list, `instances: 2` is `instances: {count: 2}`, `batching: false` is `batching: {enabled: false}`,
and under `dims` `batch: 64` is `batch: {max: 64}`. A step of a pipeline may be a model's name alone, and its outputs a
list of names.

A dtype may have the name that Triton, numpy or torch gives it, too: `fp32`, `TYPE_FP32`, `FP32`, `float32` and
`torch.float32` are one, and so are `string`, `TYPE_STRING`, `BYTES` and `object`. Abbreviations such as `half`
and `long` are not dtypes.
"""
COMMANDS_HEAD: Final = """# Commands

Written from `trb --help` by `make docs`. Results go to stdout; progress, warnings and failures to stderr.
What each exit code means stands in [exit-codes.md](exit-codes.md).
"""
EXIT_CODES_HEAD: Final = """# Exit codes

Written from `builder/errors.py` by `make docs`. A failed check is a failure: nothing succeeds with a warning.
A foreseen failure says `error:` (what happened, and where) and `fix:` (the next thing to do) on stderr;
`trb --debug` adds the traceback. With several failures in one report, the exit code is that of the first;
a model that has no version to check or measure stands last.

| code | failure | meaning |
|---|---|---|
| 0 | | everything asked for was done, and every check passed |
| 1 | | an unforeseen exception, a bug in `trb`: its traceback is shown |
"""
LINT_HEAD: Final = """# What `trb lint` can say

Written from the pages of the codes by `make docs`. `trb lint --explain CODE` prints a page, with a bad and a good
example. Letters are areas: C1 the text of config.pbtxt, C2 the config as the server's core sees it, R the repository's
folders and files, O ONNX (1 the file, 2 against the config), T TorchScript alike, P Python models, E ensembles.

An error means that a server of the target release will not load the model, or will load it and fail or crash on a
request. A warning: it loads, and will surprise. How to use it stands in [lint.md](../lint.md).

| code | severity | what |
|---|---|---|
"""
DIFFERENCES_HEAD: Final = """
## Where lint and a server part

The cases of `tests/lint/cases` whose verdicts differ, and why.

| case | lint | server | why |
|---|---|---|---|
"""


def spec_page() -> str:
    """Return the reference of trb.yaml, one table a section."""
    classes = {node.name: node for node in _parsed(project).body if isinstance(node, ast.ClassDef)}
    return SPEC_HEAD + "".join(_section(title, classes[name]) for name, title in SECTIONS.items())


def _section(title: str, node: ast.ClassDef) -> str:
    rows = "".join(
        f"| `{key}` | {kind} | {default} | {text} |\n" for key, kind, default, text in _fields(node)
    )
    parent = "" if node.name != "Parity" else f"All keys of [a tolerance](#{_anchor('Tolerance')}), and:\n\n"
    doc = " ".join((ast.get_docstring(node) or "").split())
    return f"\n## {title}\n\n{doc}\n\n{parent}| key | value | default | meaning |\n|---|---|---|---|\n{rows}"


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str, str]]:
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(after, ast.Expr), f"{node.name}.{ast.unparse(field.target)} has no docstring"
            text = " ".join(str(ast.literal_eval(after.value)).split())
            yield ast.unparse(field.target), _kind(field.annotation), _default(field.value), text


def _kind(annotation: ast.expr) -> str:
    text = ast.unparse(annotation).removesuffix(" | None")
    for name in SECTIONS:
        if text == name:
            return f"[{_lower(name)}](#{_anchor(name)})"
        if text == f"Mapping[str, {name}]":
            return f"name: [{_lower(name)}](#{_anchor(name)})"
        if text == f"tuple[{name}, ...]":
            return f"list of [{_lower(name)}](#{_anchor(name)})"
    plain = {
        "str": "text",
        "float": "number",
        "int": "whole number",
        "bool": "true or false",
        "DType": "dtype",
        "tuple[Dim, ...]": "list of sizes and axis names",
        "tuple[float, float]": "[smallest, largest]",
        "tuple[str, ...]": "list of names",
        "tuple[int, ...]": "list of whole numbers",
        "tuple[Backend, ...]": "onnx, torchscript, a list of both, or python",
        "Mapping[str, str]": "name: text",
        "bool | Literal['auto']": "auto, true or false",
    }
    if text.startswith("Literal["):
        return ", ".join(ast.literal_eval(f"({text[8:-1]},)"))
    return plain[text]


def _default(value: ast.expr | None) -> str:
    if value is None:
        return "**required**"
    text = ast.unparse(value)
    if text in {"None", "()"} or text.startswith("field("):
        return ""
    plain = {"(Backend.ONNX,)": "onnx", "True": "true", "False": "false"}
    return f"`{plain.get(text, text.strip(chr(39)))}`"


def _anchor(name: str) -> str:
    return SECTIONS[name].lower().replace(" ", "-")


def _lower(name: str) -> str:
    return SECTIONS[name][0].lower() + SECTIONS[name][1:]


def commands_page() -> str:
    """Return every help page, in the order of `trb --help`."""
    root = click.Context(main, info_name="trb", terminal_width=WIDTH, **main.context_settings)
    page = f"{COMMANDS_HEAD}\n## trb\n\n```text\n{main.get_help(root)}\n```\n"
    return page + "".join(_help_pages(main, root))


def _help_pages(group: click.Group, parent: click.Context) -> Iterator[str]:
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        context = click.Context(command, parent=parent, info_name=name, terminal_width=WIDTH)
        yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
        if isinstance(command, click.Group):
            yield from _help_pages(command, context)


def exit_codes_page() -> str:
    """Return the table of exit codes, parents before children."""
    return EXIT_CODES_HEAD + "".join(_exit_codes(errors.TrbError))


def _exit_codes(parent: type[errors.TrbError]) -> Iterator[str]:
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            yield f"| {child.exit_code} | `{child.__name__}` | {inspect.getdoc(child)} |\n"
            yield from _exit_codes(child)


def schema() -> str:
    """Return the JSON Schema of trb.yaml."""
    return json.dumps(readspec.json_schema(), indent=2, ensure_ascii=False) + "\n"


def lint_page() -> str:
    """Return the table of all codes of `trb lint`, and that of the cases in which it and a server part."""
    rows = "".join(
        f"| [{one.code}]({one.code}.md) | {one.severity} | {one.title} |\n" for one in pages.pages().values()
    )
    return LINT_HEAD + rows + DIFFERENCES_HEAD + "".join(_differences())


def _differences() -> Iterator[str]:
    for path in sorted((DOCS.parent / "tests" / "lint" / "cases").glob("*/*.txt")):
        head = path.read_text(encoding="utf-8").partition("\n-- ")[0]
        case = dict(line.split(": ", 1) for line in head.splitlines())
        if "differs" in case:
            server = case.get("genuine", case.get("server", ""))
            yield f"| {path.parent.name}/{path.stem} | {case['lint']} | {server} | {case['differs']} |\n"


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "spec.md": spec_page,
    "commands.md": commands_page,
    "exit-codes.md": exit_codes_page,
    "lint/README.md": lint_page,
    "trb.schema.json": schema,
}


def drifted() -> list[str]:
    """Return the pages that are not what the code would write now."""
    return [name for name, page in PAGES.items() if not (DOCS / name).exists() or _text(name) != page()]


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _parsed(module: object) -> ast.Module:
    return ast.parse(inspect.getsource(module))  # type: ignore[arg-type]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        stale = drifted()
        sys.exit(f"out of date: docs/{', docs/'.join(stale)}; run `make docs`" if stale else 0)
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
