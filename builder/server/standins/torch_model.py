"""A TorchScript file in torch, loaded and run as the genuine pytorch backend does it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from builder.rules import parameters
from builder.rules import pytorch as rules
from builder.rules.refusal import Config, tensors
from builder.server.standins import unsupported
from builder.server.standins.batching import Array, Feeds
from builder.server.standins.refused import LoadRefused, RequestRefused

VERSIONS: Final = {"torch": torch.__version__}
"""What runs the models here."""

_TRITON_TYPES: Final = {
    torch.bool: "TYPE_BOOL",
    torch.uint8: "TYPE_UINT8",
    torch.int8: "TYPE_INT8",
    torch.int16: "TYPE_INT16",
    torch.int32: "TYPE_INT32",
    torch.int64: "TYPE_INT64",
    torch.float16: "TYPE_FP16",
    torch.float32: "TYPE_FP32",
    torch.float64: "TYPE_FP64",
}
_SWITCHES: Final = {
    "DISABLE_OPTIMIZED_EXECUTION": "_set_graph_executor_optimize",
    "ENABLE_JIT_PROFILING": "_jit_set_profiling_mode",
    "ENABLE_JIT_EXECUTOR": "_jit_set_profiling_executor",
    "ENABLE_TENSOR_FUSER": "_jit_set_texpr_fuser_enabled",
}


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A TorchScript module and what the config makes of it."""

    module: Any
    takes_dict: bool
    positions: Mapping[str, int]
    """Where in the call each input goes."""
    outputs: Mapping[str, tuple[int, str]]
    """Where in the flat result each output is, and the type the config gives it."""
    refused: str
    """Why every request fails, known from the config alone; empty: none does."""
    guard: Callable[[], AbstractContextManager[None]]
    """inference_mode, or no_grad where the config turns that off."""

    def run(self, feeds: Feeds) -> Feeds:
        """Run the model once.

        Raises:
            RequestRefused: the model failed, or its result is not what the backend can return.
        """
        if self.refused:
            raise RequestRefused(self.refused, "INTERNAL")
        with self.guard():
            results = _flat(self._call(feeds))
            for name, (position, _) in self.outputs.items():
                if position >= len(results):
                    raise RequestRefused(
                        f"The output {name} in the model configuration refers to an output index which "
                        f"doesn't exist. This model has {len(results)} outputs",
                        "INVALID_ARG",
                    )
            return {
                name: _array(name, results[position], wanted)
                for name, (position, wanted) in self.outputs.items()
            }

    def _call(self, feeds: Feeds) -> Any:
        try:
            values = {name: _value(array) for name, array in feeds.items()}
            if self.takes_dict:
                return self.module(values)
            arguments: list[Any] = [None] * len(feeds)
            for name, value in values.items():
                arguments[self.positions[name]] = value
            return self.module(*arguments)
        except (RuntimeError, TypeError, ValueError, UnicodeError, IndexError, torch.jit.Error) as error:
            raise _failure(str(error)) from error


def load(config: Config, path: Path, *, any_device: bool) -> TorchModel:
    """Return the model in `path` ready to serve under `config`.

    Args:
        config: the configuration.
        path: the TorchScript file.
        any_device: keep the devices saved in the file, as an instance of KIND_MODEL does.

    Raises:
        LoadRefused: the genuine backend would not load it, or would crash at a request.
    """
    guard = _guard(config)
    module = _module(config, path, guard, any_device=any_device)
    arguments = _arguments(module)
    refusals = rules.check(config, arguments)
    for refusal in refusals:
        if refusal.kind != "request":
            raise LoadRefused(refusal.message)
    unsupported.check(config)
    set_up(config)
    positions = rules.output_positions([tensor["name"] for tensor in tensors(config, "output")])
    return TorchModel(
        module=module,
        takes_dict=rules.takes_dict(arguments),
        positions=rules.call_positions(config, arguments),
        outputs={t["name"]: (positions[t["name"]], t["data_type"]) for t in tensors(config, "output")},
        refused=next((refusal.message for refusal in refusals), ""),
        guard=guard,
    )


def set_up(config: Config) -> None:
    """Give this process the threads and switches of `config`; torch has them once per process."""
    given = parameters.text(config)
    intra = parameters.integer(given.get("INTRA_OP_THREAD_COUNT", "0")) or 0
    inter = parameters.integer(given.get("INTER_OP_THREAD_COUNT", "0")) or 0
    if intra > 0:
        torch.set_num_threads(intra)
    if inter > 0:
        torch.set_num_interop_threads(inter)
    switches: Any = torch._C  # noqa: SLF001 - the genuine backend's switches have no public name in Python
    for key, switch in _SWITCHES.items():
        if key in given:
            getattr(switches, switch)(parameters.boolean(given[key]) is not key.startswith("DISABLE"))


def _guard(config: Config) -> Callable[[], AbstractContextManager[None]]:
    wanted = parameters.boolean(parameters.text(config).get("INFERENCE_MODE", "true"))
    return torch.no_grad if wanted is False else torch.inference_mode


def _module(
    config: Config, path: Path, guard: Callable[[], AbstractContextManager[None]], *, any_device: bool
) -> Any:
    if not path.exists():
        raise LoadRefused(f"unable to find '{path}' for model instance '{config['name']}'")
    try:
        with guard(), path.open("rb") as file:
            # Not switched to eval: a module saved in training mode serves its dropout, here as there.
            return torch.jit.load(file, map_location=None if any_device else "cpu")
    except (RuntimeError, ValueError, OSError) as error:
        raise LoadRefused(f"failed to load model '{config['name']}': {error}") from error


def _arguments(module: Any) -> Sequence[rules.Argument]:
    if not hasattr(module, "forward"):
        raise LoadRefused("Method 'forward' is not defined.")
    found = module.forward.schema.arguments[1:]
    return [rules.Argument(one.name, one.type.kind(), str(one.type)) for one in found]


def _value(array: Array) -> Any:
    if array.dtype == np.object_:
        return [bytes(element).decode() for element in array.ravel().tolist()]
    return torch.from_numpy(array)


def _flat(result: Any) -> Sequence[Any]:
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, tuple):
        for position, element in enumerate(result):
            _check_element(position, element)
        return result
    if isinstance(result, list):
        if not _are_strings(result):
            raise _failure(f"output must be of type Tensor or List[str], received List[{_kind(result)}]")
        return [result]
    raise _failure(
        "output must be of type Tensor, List[str] or Tuple containing one of these two types. It should not "
        "be a List / Dictionary of Tensors or a Scalar"
    )


def _check_element(position: int, element: Any) -> None:
    if isinstance(element, list):
        if not _are_strings(element):
            raise _failure(
                f"output at index {position} must be of type Tensor or List[str], received "
                f"List[{_kind(element)}]"
            )
    elif not isinstance(element, torch.Tensor):
        raise _failure(f"Expected Tensor but got {_tag(element)}")


def _are_strings(found: Sequence[Any]) -> bool:
    return all(isinstance(element, str) for element in found)


def _kind(found: Sequence[Any]) -> str:
    return "Tensor" if isinstance(found[0], torch.Tensor) else type(found[0]).__name__


def _tag(element: Any) -> str:
    tags = {tuple: "Tuple", dict: "GenericDict", float: "Double", int: "Int", bool: "Bool", str: "String"}
    return tags.get(type(element), "None" if element is None else "Object")


def _array(name: str, result: Any, wanted: str) -> Array:
    if isinstance(result, list):
        return np.array([text.encode() for text in result], dtype=np.object_)
    given = _TRITON_TYPES.get(result.dtype, "TYPE_<invalid>")
    if given != wanted:
        raise RequestRefused(
            f"configuration expects datatype {wanted} for output '{name}', model provides {given}",
            "INVALID_ARG",
        )
    if result.ndim == 0:
        raise RequestRefused(f"output '{name}' is a scalar which is not supported.", "INVALID_ARG")
    found: Array = result.detach().cpu().contiguous().numpy()
    return found


def _failure(why: str) -> RequestRefused:
    return RequestRefused(f"PyTorch execute failure: {why}", "INTERNAL")
