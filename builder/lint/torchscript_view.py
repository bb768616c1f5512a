"""A TorchScript file as libtorch sees it: the signature of `forward`, and what its code asks of a server.

Neither torch is imported nor anything unpickled: the archive's code is text, and its pickles are read for their
structure alone.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder.lint.torch_archive import Archive, NotArchive, archive
from builder.lint.torch_follow import Program
from builder.lint.torch_pickle import Instance, NotPickle, Outline, outline
from builder.lint.torch_types import Classes, NotSignature, classes, signature
from builder.rules.pytorch import Argument
from builder.rules.pytorch_values import Type
from builder.rules.refusal import Refusal

_VERSIONS: Final = (1, 10)
"""The file formats that every known libtorch reads."""
_MOST_CODE: Final = 256 << 20
_OPERATOR: Final = re.compile(r"\bops\.(\w+)\.(\w+)\(")
_BUILT_IN: Final = re.compile(r"\btorch\.(\w+)\(")
_DEVICE: Final = re.compile(r'torch\.device\("([^"]+)"\)')
_UNCONDITIONAL: Final = re.compile(r"^    (?!if |for |while )\S.*", re.MULTILINE)
_ASKS_TRAINING: Final = re.compile(r"\bself\.training\b")
_DROPS: Final = re.compile(r"\btorch\.(?:\w*dropout_?)\([^()\n]*, True\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchScriptView:
    """What the backend compares a config with, and what a request would meet."""

    arguments: tuple[Argument, ...]
    """Those of `forward`, self left out."""
    returned: Type
    in_training: tuple[str, ...]
    """The classes of modules that were saved in training mode and behave by it."""
    devices: tuple[str, ...]
    """Devices that the code names, such as `cuda:0`."""
    always: frozenset[str]
    """Those named outside any branch of a method."""
    operators: frozenset[str]
    """Those called, such as `aten::relu` or `torchvision::nms`."""
    program: Program
    """What follows from it for tensors of some type and shape."""


def view(path: Path) -> TorchScriptView | Refusal:
    """Return what libtorch makes of the file at `path`, or its reason to refuse it.

    Raises:
        OSError: it cannot be read.
    """
    try:
        found = archive(path)
    except NotArchive as error:
        return Refusal(str(error), code="T101", fix=_kind_of_file(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in text that is not ours
            return _not_torchscript(found) or _seen(found)
    except (NotArchive, NotPickle, NotSignature) as error:
        return _damaged(str(error))


_SAVE: Final = "save the module again: torch.jit.script(module).save(path), or torch.jit.trace"


def _not_torchscript(found: Archive) -> Refusal | None:
    """Return why the archive is another of torch's; None if it is TorchScript."""
    if "version" not in found.records and ".data/version" not in found.records:
        return _damaged('Expected hasRecord("version") to be true, but got false.')
    lowest, highest = _VERSIONS
    version = found.read(".data/version" if ".data/version" in found.records else "version").strip()
    if not version.isdigit() or not lowest <= int(version[:9]) <= highest:
        return _damaged(
            f"Attempted to read a PyTorch file with version {version[:20].decode(errors='replace')}; versions "
            f"{lowest} to {highest} are supported"
        )
    if "constants.pkl" not in found.records:
        return Refusal(
            "PytorchStreamReader failed locating file constants.pkl: file not found",
            code="T102",
            fix=_kind(found),
        )
    return None


def _kind_of_file(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{":
        return f"it is a safetensors file, weights without the module: load them into their module. {_SAVE}"
    if start.startswith(b"\x80"):
        return f"it is a pickle, such as torch.save wrote before 1.6. {_SAVE}"
    return _SAVE


def _kind(found: Archive) -> str:
    """Return what the archive is instead, and what to do about it."""
    if any(name.startswith("data/aotinductor/") for name in found.records):
        return 'it is an AOTInductor package: call it model.pt2 and set platform: "torch_aoti" (Triton 26.03)'
    if any(
        name.endswith(("serialized_exported_program.json", "models/model.json")) for name in found.records
    ):
        return f"it is an archive of torch.export. {_SAVE}"
    first = outline(found.read("data.pkl")).first if "data.pkl" in found.records else ""
    if first.startswith(("collections.", "torch.")):
        return f"it holds weights without the module (a state dict): load them into their module. {_SAVE}"
    return f"it is a pickled {first or 'object'}: only Python could load it. {_SAVE}"


def _seen(found: Archive) -> TorchScriptView | Refusal:
    pickled = outline(found.read("data.pkl"))
    constants = outline(found.read("constants.pkl"))
    for folder, part in (("data", pickled), ("constants", constants)):
        for key in part.storages:
            if f"{folder}/{key}" not in found.records:
                return _damaged(f"PytorchStreamReader failed locating file {folder}/{key}: file not found")
    code = _code(found)
    known: Classes = {name: kind for module, text in code.items() for name, kind in classes(module, text)}
    if pickled.first not in known:
        return _damaged(f"Unknown type name '{pickled.first}'")
    forward = signature(known[pickled.first][1], known)
    if forward is None:
        return Refusal("Method 'forward' is not defined.", code="T103", fix="give the module a forward()")
    whole = "\n".join(code.values())
    return TorchScriptView(
        arguments=forward[0],
        returned=forward[1],
        in_training=_in_training(pickled, known, whole),
        devices=tuple(sorted(set(_DEVICE.findall(whole)))),
        always=frozenset(
            device
            for _, text in known.values()
            for line in _UNCONDITIONAL.findall(text)
            for device in _DEVICE.findall(line)
        ),
        operators=frozenset(f"{space}::{name}" for space, name in _OPERATOR.findall(whole))
        | {f"aten::{name}" for name in _BUILT_IN.findall(whole)},
        program=Program(code=code, root=pickled.value, constants=constants.value),
    )


def _code(found: Archive) -> Mapping[str, str]:
    """Return the code of every module by its name, such as `__torch__.torch.nn.modules.linear`."""
    names = [name for name in found.records if name.startswith("code/") and name.endswith(".py")]
    code: dict[str, str] = {}
    left = _MOST_CODE
    for name in names:
        text = found.read(name).decode(errors="replace")
        left -= len(text)
        if left < 0:
            raise NotArchive(f"the code in it has more than {_MOST_CODE >> 20} MB")
        code[name.removeprefix("code/").removesuffix(".py").replace("/", ".")] = text
    return code


def _in_training(pickled: Outline, known: Classes, whole: str) -> tuple[str, ...]:
    found = {one.kind for one in pickled.instances if one.state.get("training") is True and _asks(one, known)}
    return tuple(sorted(found)) or (("a traced dropout",) if _DROPS.search(whole) else ())


def _asks(one: Instance, known: Classes) -> bool:
    """Return whether a module's code behaves by its training mode."""
    return bool(_ASKS_TRAINING.search(known.get(one.kind, ("", ""))[1]))


def _damaged(why: str) -> Refusal:
    return Refusal(why, code="T103", fix=_SAVE)
