"""Which methods of a Python model end badly whatever they are given."""

import ast
import textwrap

import pytest

from builder.lint import python_ends, python_model

ANSWERS = "return [answer(request) for request in requests]"


def said(execute: str, *, others: str = "", is_decoupled: bool = False) -> list[tuple[str, str]]:
    body = textwrap.indent(textwrap.dedent(execute).strip(), " " * 8)
    source = f"class TritonPythonModel:\n{textwrap.indent(others, '    ')}\n    def execute(self, requests):\n{body}\n"
    found = python_model.find(ast.parse(source))
    assert isinstance(found, python_model.PythonModel)
    ends = python_ends.ends(found.methods, source, is_decoupled=is_decoupled)
    return [(end.method, end.raises) for end in ends]


@pytest.mark.parametrize(
    "execute",
    [
        ANSWERS,
        "if not requests:\n    raise ValueError\n" + ANSWERS,
        "if requests:\n    " + ANSWERS + "\nraise ValueError",
        "try:\n    " + ANSWERS + "\nexcept OSError:\n    raise RuntimeError from None",
        "for request in requests:\n    request.get_response_sender().send(flags=1)",
        "self.queue.put(requests)",
        "for request in requests:\n    self.pool.submit(self.work, request)",
        "def fails():\n    raise ValueError\n" + ANSWERS,
        "yield requests",
    ],
)
def test_what_may_end_well_is_left_alone(execute: str) -> None:
    """A condition, a return before, or requests in other hands: who knows."""
    assert said(execute) == []


@pytest.mark.parametrize(
    ("execute", "raises"),
    [
        ("raise NotImplementedError", "NotImplementedError"),
        ("x = len(requests)\nraise ValueError(x)", "ValueError(x)"),
        ("pass", ""),
        ("answers = []\nfor request in requests:\n    answers.append(1)", ""),
        ("def inner():\n    return 1\nprint(requests)", ""),
        ("return", ""),
    ],
)
def test_what_never_ends_well_is_told(execute: str, raises: str) -> None:
    """Raising at every call, and returning nothing although nothing was sent."""
    assert said(execute) == [("execute", raises)]


def test_methods_before_the_first_request_count_too() -> None:
    """A model that raises when it is loaded is told by the method."""
    for name in ("initialize", "auto_complete_config"):
        assert said(ANSWERS, others=f"def {name}(self, args):\n    raise OSError") == [(name, "OSError")]
    assert said(ANSWERS, others="def finalize(self):\n    raise OSError") == []


def test_a_decoupled_model_returns_nothing() -> None:
    """Its responses are sent, and what it returns does not count."""
    assert said("self.go()", is_decoupled=True) == []
