"""A compiled module as one graph with its weights as constants, bound to no device."""

from typing import Any, Final

import torch

_UNBOUND: Final = "devices named in the graph now follow the first input"


def frozen(module: torch.jit.ScriptModule) -> tuple[torch.jit.ScriptModule, tuple[str, ...]]:
    """Return `module`, which is in eval mode, frozen; and what had to be changed in it.

    Raises:
        RuntimeError: torch cannot freeze it.
    """
    made = torch.jit.freeze(module)
    return made, (_UNBOUND,) if _unbind_devices(made.graph) else ()


def _unbind_devices(graph: Any) -> bool:
    """Replace every device constant of `graph` by the device of its first input; say whether there was one.

    A trace holds the device it was made on in each tensor it creates: on a GPU it would mix devices and fail.
    """
    pinned = [node.output() for node in graph.findAllNodes("prim::Constant") if _is_device(node.output())]
    if not pinned:
        return False
    first_input = list(graph.inputs())[1]  # 0 is the module itself
    node = graph.create("prim::device", [first_input], 1)
    graph.prependNode(node)
    node.output().setType(pinned[0].type())
    for value in pinned:
        value.replaceAllUsesWith(node.output())
    torch._C._jit_pass_dce(graph)  # noqa: SLF001 - the constants that nothing uses any more
    return True


def _is_device(value: Any) -> bool:
    return bool(value.type().kind() == "DeviceObjType")
