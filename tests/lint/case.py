"""Small repositories as text, with what lint and a live server say of them.

A case is `cases/<group>/<name>.txt`: a header of `key: value` lines, then sections.

    why: what it shows, in a line
    lint: clean, or such as `error O203, warning R104`
    server: what the embedded server was seen to do (written by `make golden`)
    genuine: what NVIDIA's own backend was seen to do, where that is another
    differs: why lint and the server part, where they do
    -- name/config.pbtxt --
    the text of that file

A path that ends in `.onnx` holds ONNX's text syntax, one in `.pt` the source of a class `Model`, which is scripted,
or traced where a line `# trace: ARGUMENTS` comes first. `(text)` and `(hex)` behind a path take what stands there as
it is, or as bytes in hex. A path that ends in `/` is an empty folder. The models are called like the case, so that
all cases fit into one repository.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CASES: Final = Path(__file__).parent / "cases"
KEYS: Final = ("why", "lint", "server", "genuine", "differs")
_SECTION: Final = re.compile(r"^-- (?P<path>\S.*?)(?: \((?P<how>hex|text)\))? --$", re.MULTILINE)
_TRACE: Final = re.compile(r"# trace: (.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One small repository and the verdicts on it."""

    path: Path
    header: Mapping[str, str]
    files: Mapping[str, tuple[str, str]]
    """By path in the repository: how to read the text (`hex`, `text`, or "" for by its name), and the text."""

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def id(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def models(self) -> list[str]:
        """The folders in the root, in order; the last is what the case is about."""
        return list(dict.fromkeys(path.split("/")[0] for path in self.files if "/" in path))

    @property
    def expected(self) -> list[str]:
        """What lint has to say, such as `error O203`, in order of the words."""
        said = self.header["lint"]
        return [] if said == "clean" else sorted(part.strip() for part in said.split(","))

    def lay_out(self, repository: Path) -> Path:
        """Write its files into `repository`."""
        for path, (how, text) in self.files.items():
            target = repository / path
            if path.endswith("/"):
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(target, how, text)
        return repository

    def record(self, server: str) -> None:
        """Write what the server did into the header."""
        header = "".join(
            f"{key}: {value}\n" for key, value in _in_order({**self.header, "server": server}).items()
        )
        text = self.path.read_text()
        self.path.write_text(header + text[text.index("-- ") :])


def read(path: Path) -> Case:
    """Return the case in the file at `path`."""
    text = path.read_text()
    found = list(_SECTION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    files = {
        match["path"]: (match["how"] or "", text[match.end() + 1 : end])
        for match, end in zip(found, ends, strict=True)
    }
    header = dict(line.split(": ", 1) for line in text[: found[0].start()].splitlines() if line)
    assert header.keys() <= set(KEYS), f"{path}: unknown keys {header.keys() - set(KEYS)}"
    return Case(path=path, header=header, files=files)


def cases() -> list[Case]:
    """Return every case, by group and name."""
    return [read(path) for path in sorted(CASES.glob("*/*.txt"))]


def write_onnx(target: Path, text: str) -> None:
    """Write the model that `text` is in ONNX's text syntax; with `# external: FILE` its weights go to that file."""
    import onnx
    import onnx.parser

    external = re.match(r"# external: (\S+)\n", text)
    model = onnx.parser.parse_model(text[external.end() :] if external else text)
    if external:
        for weight in model.graph.initializer:  # only raw data goes into another file
            weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight), weight.name))
        onnx.save(model, target, save_as_external_data=True, location=external[1], size_threshold=0)
    else:
        target.write_bytes(model.SerializeToString())


def write_torchscript(target: Path, source: str) -> None:
    """Write the class `Model` of `source` as TorchScript."""
    import linecache
    import warnings

    import torch
    from torch import nn

    # torch.jit.script reads a class's source from its file, which is none here.
    file = f"<{target}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, object] = {"torch": torch, "nn": nn, "__name__": "case"}
    exec(compile(source, file, "exec"), names)
    model = names["Model"]().eval()  # type: ignore[operator]
    traced = _TRACE.match(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        example = eval(f"({traced[1]},)", {"torch": torch}) if traced else None
        module = torch.jit.script(model) if example is None else torch.jit.trace(model, example)
        torch.jit.save(module, str(target))


def _write(target: Path, how: str, text: str) -> None:
    if how == "hex":
        target.write_bytes(bytes.fromhex(text))
    elif how == "text" or target.suffix not in (".onnx", ".pt"):
        target.write_text(text)
    elif target.suffix == ".onnx":
        write_onnx(target, text)
    else:
        write_torchscript(target, textwrap.dedent(text))


def _in_order(header: Mapping[str, str]) -> dict[str, str]:
    return {key: header[key] for key in KEYS if key in header}
