"""What lint tells of a TorchScript file's results, held to what torch makes of real tensors."""

import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from builder.lint import torch_follow, torch_operators
from builder.lint.torch_pickle import Instance
from builder.lint.torch_tensors import UNKNOWN
from builder.lint.torchscript_view import TorchScriptView, view
from builder.rules.pytorch_results import Tensor
from tests.unit.lint.torch_models import LAYERS, SCRIPTED, Attention, Outer

TYPES = {
    torch.bool: "TYPE_BOOL",
    torch.uint8: "TYPE_UINT8",
    torch.int8: "TYPE_INT8",
    torch.int16: "TYPE_INT16",
    torch.int32: "TYPE_INT32",
    torch.int64: "TYPE_INT64",
    torch.float16: "TYPE_FP16",
    torch.bfloat16: "TYPE_BF16",
    torch.float32: "TYPE_FP32",
    torch.float64: "TYPE_FP64",
}
SHAPES = [
    (4,),
    (1, 4),
    (2, 4),
    (2, 3),
    (2, 3, 4),
    (2, 2, 4),
    (2, 4, 5),
    (2, 3, 8, 8),
    (1, 1, 8, 8),
    (2, 2, 2, 2),
]
FED = [torch.float32, torch.float64, torch.int64, torch.bool]


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = 0.5
        self.fc = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() == 3:
            x = x.mean(dim=1)
        y = self.fc(x) * self.scale
        return y if x.size(0) > 1 else y.unsqueeze(0)


class Loop(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: list[torch.Tensor] = []
        for row in range(x.size(0)):
            found.append(x[row] * row)  # noqa: PERF401 - it is what a loop in TorchScript does
        return torch.stack(found)


class Early(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool((x > 0).any()):
            return x.sum()
        return x


class Asserts(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 2:
            raise ValueError("two axes, please")
        return x


class Both(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor


class Named(nn.Module):
    def forward(self, x: torch.Tensor) -> Both:
        return Both(x.argmax(-1), x.to(torch.float64))


class InPlace(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x.clone()
        y.add_(1)
        y.unsqueeze_(0)
        return y


class ByKey(nn.Module):
    def forward(self, x: dict[str, torch.Tensor]) -> torch.Tensor:
        return x["a"] + 1


class Constants(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.arange(4))
        self.sizes = [2, 2]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + self.table).reshape(self.sizes)


SLOW = ("attention", "encoder")
"""Layers that torch compiles anew for many seconds, and that are not followed far."""
MODULES: dict[str, nn.Module] = {
    **{name: layer for name, layer in LAYERS.items() if name not in SLOW},
    "outer": Outer(),
    "branches": Branches(),
    "loop": Loop(),
    "early": Early(),
    "asserts": Asserts(),
    "named": Named(),
    "in place": InPlace(),
    "constants": Constants(),
    "network": nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 3),
    ),
    "wide": nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 2), nn.Softmax(dim=-1)),
}
FOLLOWED = {
    "linear": (2, 4),
    "softmax": (2, 4),
    "flatten": (2, 3, 4),
    "network": (1, 1, 8, 8),
    "wide": (2, 4),
    "outer": (2, 4),
    "branches": (2, 3, 4),
    "named": (2, 4),
    "constants": (4,),
}
"""Some that are followed to the end, with what they take."""

X = torch.arange(8.0).reshape(2, 4)
EXPRESSIONS: dict[str, Callable[[torch.Tensor], Any]] = {
    "sums": lambda x: (x.sum(), x.sum(1), x.sum(-1, keepdim=True), x.sum(1, dtype=torch.float64)),
    "means": lambda x: (x.mean(), x.mean(1), x.mean((0, 1), keepdim=True)),
    "extremes": lambda x: (x.max(), *x.max(1), x.amax(1), *x.min(1, keepdim=True), x.argmax(), x.argmin(1)),
    "best": lambda x: torch.topk(x, 3, dim=1),
    "parts": lambda x: (x[0], x[:, 1], x[:, 1:3], x[-1:], x[:, ::2]),
    "shapes": lambda x: (x.view(4, 2), x.reshape(-1, 2), x.flatten(), x.flatten(1), x.t(), x.permute(1, 0)),
    "axes": lambda x: (
        x.unsqueeze(0),
        x.unsqueeze(-1),
        x.unsqueeze(0).squeeze(0),
        x.squeeze(),
        x.transpose(0, 1),
    ),
    "baked": lambda x: x.view(2, 2, 2),
    "own rows": lambda x: x.view(x.size(0), -1),
    "types": lambda x: (x.double(), x.to(torch.int32), x.half(), x.bool(), x.long().float(), x.to(x.dtype)),
    "numbers": lambda x: (x + 1, x * 0.5, x / 2, x - 1, 1 - x, x > 2, x.eq(0)),
    "rows": lambda x: (torch.cat([x, x]), torch.cat([x, x], 1), torch.stack([x, x]), torch.stack([x, x], -1)),
    "products": lambda x: (x @ x.t(), torch.matmul(x, torch.ones(4)), torch.matmul(x, torch.ones(4, 3))),
    "smooth": lambda x: (x.sigmoid(), x.tanh(), x.exp(), x.softmax(1), x.log_softmax(-1)),
    "cut": lambda x: (x.clamp(0, 1), x.relu(), x.abs(), -x, torch.where(x > 1, x, x * 2)),
    "made": lambda x: (
        torch.zeros(2, 3) + x.sum(),
        torch.ones_like(x),
        x.expand(2, 4),
        x.masked_fill(x > 1, 0.0),
    ),
    "by rows": lambda x: (x / x.size(0), x + x.shape[1]),
    "broadcast": lambda x: x + torch.ones(3, 1, 4),
}


def saved(module: Any, path: Path) -> torch_follow.Program:
    torch.jit.save(module, str(path))
    found = view(path)
    assert isinstance(found, TorchScriptView)
    return found.program


def traced(function: Callable[[torch.Tensor], Any]) -> Any:
    class Traced(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            return function(x)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(Traced(), X)


def real(module: Any, *fed: Any) -> tuple[Any, ...] | None:
    """Return what torch makes of `fed`; None where it refuses."""
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = module(*fed)
    except (RuntimeError, IndexError, ValueError, torch.jit.Error):
        return None
    return tuple(found) if isinstance(found, tuple) else (found,)


def told(program: torch_follow.Program, *fed: Any) -> tuple[Tensor | None, ...] | None:
    """Return what lint tells; None where it says that torch refuses."""
    try:
        return torch_follow.results(program, fed)
    except torch_follow.Fails:
        return None


def agree(
    module: Any, program: torch_follow.Program, fed: torch.Tensor, known: tuple[int | None, ...]
) -> None:
    """Hold what is told of `fed`, of whose sizes only `known` is known, to what torch does."""
    told_ = told(program, Tensor(TYPES[fed.dtype], known))
    real_ = real(module, fed)
    if told_ is None:
        assert real_ is None, f"{tuple(fed.shape)} {fed.dtype}: torch takes it"
        return
    for told_one, real_one in zip(told_, real_ or (), strict=False):
        if told_one is not None:
            assert told_one.type in ("", TYPES[real_one.dtype]), (
                fed.shape,
                fed.dtype,
                told_one,
                real_one.dtype,
            )
            if told_one.shape is not None:
                assert len(told_one.shape) == real_one.dim(), (fed.shape, fed.dtype, told_one, real_one.shape)
                pairs = zip(told_one.shape, real_one.shape, strict=True)
                assert all(one in (None, other) for one, other in pairs), (
                    fed.shape,
                    told_one,
                    real_one.shape,
                )


def inputs() -> Iterator[tuple[torch.Tensor, tuple[int | None, ...]]]:
    for shape, dtype in itertools.product(SHAPES, FED):
        fed = torch.ones(shape, dtype=dtype)
        yield fed, shape
        if dtype is torch.float32:
            yield fed, (shape[0], *(None for _ in shape[1:]))


@pytest.mark.parametrize("name", MODULES)
def test_what_is_told_of_a_scripted_module_is_so(name: str, tmp_path: Path) -> None:
    """Whatever a module is fed, a failure that is told is one, and the types and shapes told are those that come."""
    program = saved(torch.jit.script(MODULES[name].eval()), tmp_path / "model.pt")
    served = torch.jit.load(tmp_path / "model.pt")
    for fed, known in inputs():
        agree(served, program, fed, known)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_is_told_of_a_trace_is_so(name: str, tmp_path: Path) -> None:
    """The same of operators in a trace, which has sizes written down and numbers as tensors."""
    program = saved(traced(EXPRESSIONS[name]), tmp_path / "model.pt")
    served = torch.jit.load(tmp_path / "model.pt")
    for fed, known in inputs():
        agree(served, program, fed, known)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_operator_of_a_trace_is_followed(name: str, tmp_path: Path) -> None:
    """Of what a trace makes of its own example, types and sizes are all told."""
    module = traced(EXPRESSIONS[name])
    told_ = told(saved(module, tmp_path / "model.pt"), Tensor("TYPE_FP32", (2, 4)))

    assert told_ == tuple(Tensor(TYPES[one.dtype], tuple(one.shape)) for one in real(module, X) or ())


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize("kind", ["scripted", "traced", "frozen"])
def test_ordinary_networks_are_followed_to_the_end(name: str, kind: str, tmp_path: Path) -> None:
    """Type and shape of each result are told, however the module was saved."""
    fed = torch.zeros(FOLLOWED[name])
    module = MODULES[name].eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.jit.trace(module, fed) if kind == "traced" else torch.jit.script(module)
    if kind == "frozen":
        made = torch.jit.freeze(made)

    told_ = told(saved(made, tmp_path / "model.pt"), Tensor("TYPE_FP32", FOLLOWED[name]))

    assert told_ == tuple(Tensor(TYPES[one.dtype], tuple(one.shape)) for one in real(made, fed) or ())


@pytest.mark.parametrize(
    ("module", "fed"),
    [
        (MODULES["linear"], Tensor("TYPE_FP32", (1, 5))),
        (MODULES["linear"], Tensor("TYPE_FP64", (1, 4))),
        (MODULES["network"], Tensor("TYPE_FP32", (1, 3, 8, 8))),
        (MODULES["network"], Tensor("TYPE_FP32", (1, 64))),
        (MODULES["network"], Tensor("TYPE_FP32", (1, 1, 16, 16))),
        (MODULES["embedding"], Tensor("TYPE_FP32", (1, 4))),
        (MODULES["layer norm"], Tensor("TYPE_FP32", (1, 3))),
        (MODULES["asserts"], Tensor("TYPE_FP32", (1, 3, 3))),
        (Attention(), Tensor("TYPE_FP32", (1, 4))),
        (ByKey(), {"b": Tensor("TYPE_FP32", (1, 4))}),
    ],
)
def test_what_a_module_cannot_take_is_told(module: nn.Module, fed: Any, tmp_path: Path) -> None:
    """Dims, types and names that a module was not made for are told to fail."""
    scripted = torch.jit.script(module.eval())
    arguments = [fed] * (len(scripted.forward.schema.arguments) - 1)
    assert told(saved(scripted, tmp_path / "model.pt"), *arguments) is None


@pytest.mark.parametrize(
    "module", [Loop(), Early(), InPlace(), Attention().eval()], ids=lambda one: type(one).__name__
)
def test_what_is_not_followed_is_left_open(module: nn.Module, tmp_path: Path) -> None:
    """Loops that gather, results by what is in a tensor, and shapes that change in place tell nothing."""
    fed = [Tensor("TYPE_FP32", (2, 8))] * len(list(torch.jit.script(module).forward.schema.arguments[1:]))
    told_ = told(saved(torch.jit.script(module), tmp_path / "model.pt"), *fed)
    assert told_ is not None
    assert all(one is None for one in told_)


@pytest.mark.parametrize("name", SCRIPTED)
def test_any_module_and_any_arguments_can_be_followed(name: str, tmp_path: Path) -> None:
    """Whatever the code is, following it ends, and with unknown arguments it tells of no failure."""
    scripted = torch.jit.script(SCRIPTED[name]())
    program = saved(scripted, tmp_path / "model.pt")
    count = len(scripted.forward.schema.arguments) - 1
    assert told(program, *[None] * count) is not None


OPERANDS: list[Any] = [
    *(torch.ones(shape, dtype=dtype) for dtype in TYPES for shape in ((), (2,))),
    True,
    1,
    1.5,
]


@pytest.mark.parametrize("name", ["add", "mul", "div", "eq"])
def test_types_are_promoted_as_torch_promotes_them(name: str) -> None:
    """Of any two operands, tensors of any type with and without axes, and numbers, the type is torch's."""
    for one, other in itertools.product(OPERANDS, OPERANDS):
        if not isinstance(one, torch.Tensor):
            continue  # TorchScript writes the tensor first
        made = torch_operators.apply(name, [shown(one), shown(other)], {})
        wanted = getattr(torch, name)(one, other)
        if name == "mul" and one.dtype == torch.bool and type(other) is int:
            assert made == Tensor("", tuple(wanted.shape))  # what that 1 may do is the test below
            continue
        assert made == Tensor(TYPES[wanted.dtype], tuple(wanted.shape)), (one, other)


def test_a_mask_times_one_may_stay_a_mask(tmp_path: Path) -> None:
    """TorchScript leaves out what multiplies by 1, and with it what makes integers of truths: the type is not told."""

    class Masked(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return (x > 0) * 1, (x > 0) * 2

    scripted = torch.jit.script(Masked())

    assert [one.dtype for one in scripted(torch.ones(2, 3))] == [torch.bool, torch.int64]
    (as_it_is, doubled) = told(saved(scripted, tmp_path / "model.pt"), Tensor("TYPE_FP32", (2, 3)))
    assert as_it_is.type in ("", "TYPE_BOOL")
    assert doubled == Tensor("TYPE_INT64", (2, 3))


def shown(value: Any) -> Any:
    return Tensor(TYPES[value.dtype], tuple(value.shape)) if isinstance(value, torch.Tensor) else value


@pytest.mark.parametrize("name", torch_operators.OPERATORS)
def test_nothing_follows_from_nothing(name: str) -> None:
    """An operator on blanks makes a blank, and fails for none."""
    for count in range(9):
        made = torch_operators.apply(name, [UNKNOWN] * count, {})
        parts = made if isinstance(made, tuple) and not isinstance(made, Tensor) else (made,)
        assert all(part is UNKNOWN or part == Tensor("", None) for part in parts), (name, made)


def endless(*calls: str) -> torch_follow.Program:
    """Return a module whose forward() makes `calls` over and over, in a tower of functions."""
    steps = "\n".join(f"  {call}" for call in calls)
    functions = "\n".join(
        f"def f{n}(x: Tensor) -> Tensor:\n  y = __torch__.f{n - 1}(x, )\n  return __torch__.f{n - 1}(y, )"
        for n in range(1, 30)
    )
    code = (
        "class M(Module):\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return __torch__.f29(x, )\n"
        f"def f0(x: Tensor) -> Tensor:\n{steps}\n  return x\n{functions}\n"
    )
    return torch_follow.Program(code={"__torch__": code}, root=Instance("__torch__.M"), constants=())


@pytest.mark.parametrize(
    "call",
    [
        "x = __torch__.f0(x, )",
        "x = torch.mul(3, 3)",
        "x = torch.unsqueeze(x, 0)",
        "x = torch.cat([x, x], 0)",
        "x = torch.cat([x, x, x, x, x, x, x, x, x], 0)",
    ],
)
@pytest.mark.timeout(20)
def test_a_program_that_never_ends_is_given_up(call: str) -> None:
    """Code that calls itself, or a tower of calls that doubles at each storey, is left after a bound."""
    assert torch_follow.results(endless(call), [Tensor("TYPE_FP32", (1,))]) == ()


@pytest.mark.parametrize("start", ['"ab"', "3"])
@pytest.mark.timeout(20)
def test_what_grows_without_end_is_left_open(start: str) -> None:
    """A text or a number that a thousand operators double stays small here."""
    name = "add" if start.startswith('"') else "mul"
    steps = "\n".join([f"    y = {start}", *[f"    y = torch.{name}(y, y)"] * 1000])
    code = f"class M(Module):\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n{steps}\n    return x\n"
    program = torch_follow.Program(code={"__torch__": code}, root=Instance("__torch__.M"), constants=())
    assert torch_follow.results(program, [Tensor("TYPE_FP32", (1,))]) == (Tensor("TYPE_FP32", (1,)),)
