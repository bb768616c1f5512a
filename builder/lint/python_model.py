"""The class that Triton looks for in a Python model, as far as its source tells."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CLASS: Final = "TritonPythonModel"
_METHODS: Final = {"initialize": "args", "execute": "requests"}
"""Those that are called with one argument, and what it is."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonModel:
    """A class of a source."""

    node: ast.ClassDef
    methods: dict[str, _Function]
    """Its own and those of its parents in the same source."""
    is_whole: bool
    """Whether all its parents are in the same source, so that what is not in `methods` is not there."""

    @property
    def adds_inputs(self) -> bool:
        """Whether its auto_complete_config may add inputs."""
        completes = self.methods.get("auto_complete_config")
        return not self.is_whole or (
            completes is not None
            and any(isinstance(one, ast.Attribute) and one.attr == "add_input" for one in ast.walk(completes))
        )


def find(tree: ast.Module) -> PythonModel | bool:
    """Return the class; True where it may come from elsewhere, False where the source has none."""
    classes = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.ClassDef)}
    if CLASS in classes:
        methods, is_whole = _methods(classes[CLASS], classes, seen=set())
        return PythonModel(node=classes[CLASS], methods=methods, is_whole=is_whole)
    return any(_may_bind(one) for one in ast.walk(tree))


def wrong_methods(model: PythonModel) -> Iterator[tuple[_Function, str]]:
    """Yield each method that cannot be called as Triton calls it, and how that is."""
    for name, argument in _METHODS.items():
        function = model.methods.get(name)
        if function is not None and not function.decorator_list and not _takes(function, 2):
            yield function, f"{name}(self, {argument})"
    completes = model.methods.get("auto_complete_config")
    if completes is not None and not completes.decorator_list and not _takes(completes, 1):
        yield completes, "@staticmethod auto_complete_config(auto_complete_model_config)"


def _methods(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], seen: set[str]
) -> tuple[dict[str, _Function], bool]:
    is_whole = not node.keywords and not node.decorator_list
    methods: dict[str, _Function] = {}
    for base in reversed(node.bases):
        parent = classes.get(base.id) if isinstance(base, ast.Name) and base.id not in seen else None
        if parent is None:
            is_whole = is_whole and isinstance(base, ast.Name) and base.id == "object"
            continue
        inherited, parent_is_whole = _methods(parent, classes, seen | {node.name})
        methods |= inherited
        is_whole = is_whole and parent_is_whole
    for statement in node.body:
        if isinstance(statement, _Function):
            methods[statement.name] = statement
        else:
            # execute = something, a method under an `if`: taken for whatever may be there
            is_whole = is_whole and not _binds_methods(statement)
    return methods, is_whole


def _binds_methods(statement: ast.stmt) -> bool:
    return not isinstance(statement, ast.Expr | ast.AnnAssign | ast.Pass) and (
        not isinstance(statement, ast.Assign)
        or any(isinstance(target, ast.Name) and target.id in (*_METHODS, "auto_complete_config")
               for target in statement.targets)
    )  # fmt: skip


def _may_bind(node: ast.AST) -> bool:
    """Return whether a statement may give the class its name: an assignment, an import, exec."""
    if isinstance(node, ast.alias):
        return (node.asname or node.name) in (CLASS, "*")
    if isinstance(node, ast.Name):
        return node.id in ("exec", "globals", "setattr") or (
            node.id == CLASS and isinstance(node.ctx, ast.Store)
        )
    return isinstance(node, _Function) and node.name == CLASS


def _takes(function: _Function, given: int) -> bool:
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    required = positional - len(arguments.defaults)
    has_required_keyword = any(default is None for default in arguments.kw_defaults)
    return (
        required <= given
        and (given <= positional or arguments.vararg is not None)
        and not has_required_keyword
    )
