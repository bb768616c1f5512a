"""Weights from a file into a module; nothing is unpickled unless trb.yaml asks for it."""

import hashlib
import pickle
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from builder.errors import SourceError

_NESTED: Final = ("state_dict", "model_state_dict", "model")
_MOST_LISTED: Final = 10


def load_weights(module: torch.nn.Module, path: Path, *, allow_pickle: bool) -> None:
    """Load the state dict at `path` into `module`; every key must match.

    Raises:
        SourceError: the file cannot be read, or is not the module's; every differing key is named.
    """
    state = _read(path, allow_pickle=allow_pickle)
    own = module.state_dict()
    problems = [*_absent(own, state), *_foreign(own, state), *_misshapen(own, state)]
    if problems:
        more = [f"  and {len(problems) - _MOST_LISTED} more"] if len(problems) > _MOST_LISTED else []
        lines = [f"  {line}" for line in problems[:_MOST_LISTED]]
        raise SourceError(
            "\n".join([f"weights: {path.name} is not of this module:", *lines, *more]),
            fix="name the file that belongs to the module, or rename the keys in it",
        )
    module.load_state_dict(state)


def state_of(module: torch.nn.Module) -> Mapping[str, torch.Tensor]:
    """Return all parameters and buffers by name, also the buffers that a state dict leaves out."""
    parameters = module.named_parameters(remove_duplicate=False)
    return {**dict(parameters), **dict(module.named_buffers(remove_duplicate=False))}


def first_difference(
    one: torch.nn.Module, other: torch.nn.Module, *, but: frozenset[str] = frozenset()
) -> str:
    """Return the name of the first tensor in which two modules differ; empty when there is none.

    Tensors named in `but` are not compared.
    """
    left, right = state_of(one), state_of(other)
    for name in dict.fromkeys((*left, *right)):
        if name not in but and not _same(left.get(name), right.get(name)):
            return name
    return ""


def _same(a: torch.Tensor | None, b: torch.Tensor | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.shape == b.shape and a.dtype == b.dtype and _bytes(a) == _bytes(b)


def weights_sha256(state: Mapping[str, Any]) -> str:
    """Return the hash of every tensor's name, dtype, shape and bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        if isinstance(tensor, torch.Tensor):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).numpy().tobytes()) if flat.numel() else b""


def _read(path: Path, *, allow_pickle: bool) -> Mapping[str, Any]:
    if not path.is_file():
        raise SourceError(
            f"weights: there is no file {path}", fix="write it first, or correct `weights` in trb.yaml"
        )
    if path.suffix == ".safetensors":
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError) as error:
            raise SourceError(f"weights: {path.name} is no safetensors file: {error}") from error
    return _unwrapped(_unpickled(path, allow_pickle=allow_pickle), path)


def _unpickled(path: Path, *, allow_pickle: bool) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=not allow_pickle)
    except pickle.UnpicklingError as error:
        if allow_pickle:
            raise SourceError(f"weights: {path.name} cannot be unpickled: {error}") from error
        raise SourceError(
            f"weights: {path.name} holds more than tensors, and reading it would run code from the file",
            fix="save the state dict as .safetensors, or, if you trust the file, set `allow_pickle: true`",
        ) from error
    except Exception as error:  # a broken file, or the code in a pickle, raises anything
        first = next(iter(str(error).splitlines()), "")
        what = f"{type(error).__name__}: {first}".rstrip(": ")
        raise SourceError(f"weights: {path.name} cannot be read: {what}", fix="write it again") from error


def _unwrapped(found: Any, path: Path) -> Mapping[str, Any]:
    if isinstance(found, torch.nn.Module):
        return dict(found.state_dict())
    for key in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            return dict(found[key])
    if isinstance(found, Mapping) and all(isinstance(value, torch.Tensor) for value in found.values()):
        return dict(found)
    raise SourceError(f"weights: {path.name} holds a {type(found).__name__}, not a state dict")


def _absent(own: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    return [f"{key} is missing from the file{_near(key, state)}" for key in own if key not in state]


def _foreign(own: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    return [f"{key} is in the file, not in the module{_near(key, own)}" for key in state if key not in own]


def _misshapen(own: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} has shape {tuple(state[key].shape)} in the file, {tuple(own[key].shape)} in the module"
        for key in own
        if isinstance(own[key], torch.Tensor) and key in state and state[key].shape != own[key].shape
    ]


def _near(key: str, known: Mapping[str, Any]) -> str:
    found = get_close_matches(key, known, n=1, cutoff=0.8)
    return f" (near: {found[0]})" if found else ""
