"""Methods of a Python model that end badly whatever they are given, as far as their source tells."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_CALLED: Final = ("auto_complete_config", "initialize", "execute")
"""The methods that a server calls before it has an answer."""
_ANSWERS_OTHERWISE: Final = "get_response_sender"
_KEEPS: Final = frozenset({"len", "print", "enumerate", "range", "get_input_tensor_by_name"})
"""Functions that do not answer a request which they are given."""


class End(NamedTuple):
    """How a method ends."""

    method: str
    line: int
    raises: str
    """What it raises; empty where it returns without what it owes."""


def ends(methods: Mapping[str, _Function], source: str, *, is_decoupled: bool) -> Iterator[End]:
    """Yield each method that raises at every call, and an `execute` that returns no responses.

    Args:
        methods: those of the class.
        source: the whole text of the model.
        is_decoupled: whether its responses are sent otherwise.
    """
    for name in _CALLED:
        function = methods.get(name)
        if function is None or function.decorator_list[1:] or _yields(function):
            continue
        raised = _always_raised(function.body)
        if raised is not None:
            yield End(name, raised.lineno, ast.unparse(raised.exc) if raised.exc else "")
        elif name == "execute" and not (
            is_decoupled or _ANSWERS_OTHERWISE in source or _returns(function) or _hands_on(function)
        ):
            yield End(name, function.lineno, "")


def _always_raised(body: Sequence[ast.stmt]) -> ast.Raise | None:
    """Return the `raise` that is reached unless something before it fails or never ends."""
    for statement in body:
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            return statement
        if any(isinstance(one, ast.Return) for one in _own(statement)):
            return None
    return None


def _returns(function: _Function) -> bool:
    return any(isinstance(one, ast.Return) and one.value is not None for one in _own(function))


def _hands_on(function: _Function) -> bool:
    """Return whether requests are given to something that may answer them."""
    names = {one.arg for one in function.args.args[1:]}
    loops = [one for one in _own(function) if isinstance(one, ast.For | ast.comprehension)]
    names |= {part.id for one in loops for part in ast.walk(one.target) if isinstance(part, ast.Name)}
    calls = [one for one in _own(function) if isinstance(one, ast.Call)]
    return any(
        isinstance(argument, ast.Name) and argument.id in names
        for call in calls
        if ast.unparse(call.func).rpartition(".")[2] not in _KEEPS
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
    )


def _yields(function: _Function) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in _own(function))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all that is in `node`, functions and classes in it aside."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        inside = ast.iter_child_nodes(one)
        waiting += [child for child in inside if not isinstance(child, _Function | ast.Lambda | ast.ClassDef)]
