# ruff: noqa: UP006, UP007, UP035, UP045, ARG002 - what people script
"""Modules whose saved signature the linter has to read as torch does."""

import enum
from collections.abc import Iterator
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor, nn


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


class Mixed(NamedTuple):
    scores: Tensor
    names: List[str]
    inner: Pair


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class One(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class Two(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tuple[Tensor, Tensor]:
        return a, b


class Nested(nn.Module):
    def forward(self, a: Tensor) -> Tuple[Tensor, Tuple[Tensor, Tensor]]:
        return a, (a, a)


class DictIn(nn.Module):
    def forward(self, x: Dict[str, Tensor]) -> Tensor:
        return x["a"]


class DictOut(nn.Module):
    def forward(self, x: Tensor) -> Dict[str, Tensor]:
        return {"y": x}


class ListIn(nn.Module):
    def forward(self, x: List[Tensor]) -> Tensor:
        return x[0]


class ListOut(nn.Module):
    def forward(self, x: Tensor) -> List[Tensor]:
        return [x, x]


class Strings(nn.Module):
    def forward(self, words: List[str]) -> List[str]:
        return words


class StringsAndTensor(nn.Module):
    def forward(self, words: List[str], x: Tensor) -> Tuple[List[str], Tensor]:
        return words, x


class MaybeIn(nn.Module):
    def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
        return x if mask is None else x * mask


class MaybeOut(nn.Module):
    def forward(self, x: Tensor) -> Tuple[Tensor, Optional[Tensor]]:
        return x, None


class Defaults(nn.Module):
    def forward(
        self, x: Tensor, k: float = 1e30, n: int = -3, flag: bool = True, how: str = 'a") -> "\'\n\t\\'
    ) -> Tensor:
        return x * k * n if flag and how else x


class Scalars(nn.Module):
    def forward(self, i: int, f: float, b: bool, s: str, c: complex) -> Tuple[int, float, bool, str, complex]:
        return i, f, b, s, c


class Nothing(nn.Module):
    def forward(self, x: Tensor) -> None:
        x.add_(1)


class NoArgument(nn.Module):
    def forward(self) -> Tensor:
        return torch.zeros(2)


class Device(nn.Module):
    def forward(self, x: Tensor) -> torch.device:
        return x.device


class EitherIn(nn.Module):
    def forward(self, x: Union[int, str, Tensor]) -> Tensor:
        return x if isinstance(x, Tensor) else torch.zeros(1)


class AnyIn(nn.Module):
    def forward(self, x: Any) -> Tensor:
        return torch.zeros(1)


class NamedOut(nn.Module):
    def forward(self, x: Tensor) -> Pair:
        return Pair(x, x + 1)


class NamedIn(nn.Module):
    def forward(self, x: Pair) -> Tensor:
        return x.first


class NamedDeep(nn.Module):
    def forward(self, x: Tensor) -> Mixed:
        return Mixed(x, ["a"], Pair(x, x))


class ColourIn(nn.Module):
    def forward(self, x: Tensor, colour: Colour) -> Tensor:
        return x if colour == Colour.RED else x + 1


class EmptyTuple(nn.Module):
    def forward(self, x: Tensor) -> Tuple[()]:
        return ()


class Deep(nn.Module):
    def forward(
        self, x: Dict[str, List[Optional[Tuple[Tensor, Dict[int, Tensor]]]]], y: List[List[List[int]]]
    ) -> Optional[List[Dict[str, Tuple[Tensor, Optional[Tensor]]]]]:
        return None


class Helped(nn.Module):
    """Its other methods, exported ones too, stand around forward."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = 2.0

    @torch.jit.export
    def before(self, q: Tensor, n: int) -> Tensor:
        return self.helper(q) * n

    def helper(self, q: Tensor) -> Tensor:
        return q * self.scale

    def forward(self, q: Tensor) -> Tensor:
        return self.before(q, 2)

    @torch.jit.export
    def zz_after(self, r: Tensor) -> Tuple[Tensor, int]:
        return r, 1


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.fc(first) + second


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = Inner(), Inner()
        self.register_buffer("table", torch.arange(4.0))
        self.names = ["a", "b"]
        self.counts: Dict[str, int] = {"a": 1}

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        return self.one(x, x), self.two(x, self.table)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.drop = nn.Dropout(0.3)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return self.drop(self.attention(query, key, key)[0])


class Keywords(nn.Module):
    """Its arguments are called as TorchScript's own words are."""

    def forward(self, Tensor_: Tensor, List_: Tensor, forward_: Tensor, ops: Tensor) -> Tensor:  # noqa: N803
        return Tensor_ + List_ + forward_ + ops


SCRIPTED: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (
        One, Two, Nested, DictIn, DictOut, ListIn, ListOut, Strings, StringsAndTensor, MaybeIn, MaybeOut, Defaults,
        Scalars, Nothing, NoArgument, Device, EitherIn, AnyIn, NamedOut, NamedIn, NamedDeep, ColourIn, EmptyTuple,
        Deep, Helped, Outer, Attention, Keywords,
    )
}  # fmt: skip

_X = torch.zeros(2, 4)
TRACED: dict[str, tuple[Any, Any]] = {
    "one": (One(), _X),
    "two": (Two(), (_X, _X)),
    "nested": (Nested(), _X),
    "named": (NamedOut(), _X),
    "dict in": (DictIn(), ({"a": _X},)),
    "outer": (Outer(), _X),
    "attention": (Attention(), (torch.zeros(1, 3, 8), torch.zeros(1, 5, 8))),
    "function": (lambda left, right: (left + right, left), (_X, _X)),
    "lstm": (nn.LSTM(4, 3, batch_first=True), torch.zeros(2, 5, 4)),
    "gru": (nn.GRU(4, 3), torch.zeros(2, 5, 4)),
    "transformer": (nn.TransformerEncoderLayer(8, 2, batch_first=True), torch.zeros(1, 3, 8)),
    "embedding": (nn.EmbeddingBag(10, 3), torch.zeros(2, 4, dtype=torch.long)),
    "star": (lambda *several: several[0] + several[1], (_X, _X)),
    "list in": (lambda several: several[0], ([_X, _X],)),
}


def _layers() -> Iterator[tuple[str, nn.Module]]:
    yield "linear", nn.Linear(4, 2)
    yield "bilinear", nn.Bilinear(4, 4, 2)
    yield "conv1d", nn.Conv1d(2, 3, 3, padding="same")
    yield "conv2d", nn.Conv2d(2, 3, 3, padding_mode="circular", padding=1)
    yield "transposed", nn.ConvTranspose2d(2, 3, 3)
    yield "pool", nn.MaxPool2d(2, return_indices=True)
    yield "adaptive", nn.AdaptiveAvgPool2d((1, 1))
    yield "batch norm", nn.BatchNorm2d(3)
    yield "group norm", nn.GroupNorm(2, 4)
    yield "layer norm", nn.LayerNorm(4)
    yield "rms norm", nn.RMSNorm(4)
    yield "dropout", nn.Dropout2d(0.2)
    yield "embedding", nn.Embedding(4, 2)
    yield "bag", nn.EmbeddingBag(4, 2)
    yield "gru cell", nn.GRUCell(4, 2)
    yield "lstm cell", nn.LSTMCell(4, 2)
    yield "attention", nn.MultiheadAttention(4, 2)
    yield "encoder", nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), 2, enable_nested_tensor=False)
    yield "softmax", nn.Softmax(dim=1)
    yield "cross entropy", nn.CrossEntropyLoss()
    yield "cosine", nn.CosineSimilarity()
    yield "flatten", nn.Flatten()
    yield "unflatten", nn.Unflatten(1, (2, 2))
    yield "upsample", nn.Upsample(scale_factor=2)
    yield "shuffle", nn.PixelShuffle(2)
    yield "sequence", nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 2), nn.Dropout()))
    yield "identity", nn.Identity()
    yield "prelu", nn.PReLU()


LAYERS = dict(_layers())
