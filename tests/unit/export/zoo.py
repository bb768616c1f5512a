"""Small models, loaded from memory by the loading stage's own parts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from builder.feeds import Case, random_feed, sizes, with_samples
from builder.loading.bind import bind, flat
from builder.loading.flatten import flatten
from builder.loading.outputs import find_outputs
from builder.loading.reference import dtype_of, module_runner, run_module
from builder.loading.sources import open_source
from builder.spec.artifact import Provenance
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed, Fingerprint, Loaded
from builder.spec.project import Axis, Input, Model
from builder.spec.releases import release
from builder.spec.tensors import Signature, Tensor


def given(dtype: str, *shape: int | str, within: tuple[float, float] | None = None) -> Input:
    """Say an input in few words."""
    return Input(dtype=DType(dtype), shape=shape, range=within)


def loaded(
    module: nn.Module, inputs: Mapping[str, Input], samples: Feed | None = None, **spec: Any
) -> Loaded:
    """Load `module` as the loading stage does, but from memory."""
    model = with_samples(Model(source="zoo:model", inputs=inputs, **spec), samples)
    tensors = tuple(Tensor(name=name, dtype=one.dtype, shape=one.shape) for name, one in inputs.items())
    how, tensors = bind(module.eval(), tensors)
    wrapped = flat(module, Signature(inputs=tensors, outputs=()), how)
    named = flatten(
        module(**_first(model, tensors, samples))
        if how == "name"
        else module(*_first(model, tensors, samples).values())
    )
    run = module_runner(wrapped, tensors, tuple(name for name, _ in named))
    cases = [Case(name="", sizes=here, feed=random_feed(model, here, 0, samples)) for here in sizes(model)]
    outputs = find_outputs(
        model,
        [(case, run(case.feed)) for case in cases],
        {name: dtype_of(name, tensor) for name, tensor in named},
    )
    return Loaded(
        name="zoo",
        model=model,
        declared=spec.get("dims", {}),
        kind="module",
        module=wrapped,
        original=module,
        signature=Signature(inputs=tensors, outputs=outputs),
        bind=how,
        reference=run,
        reference_name="eager PyTorch",
        samples=samples,
        provenance=Provenance(source="zoo:model", source_sha256="", weights_sha256=""),
        fingerprint=Fingerprint(entry_sha256="", files={}, packages={}),
    )


def loaded_file(source: str, folder: Path, inputs: Mapping[str, Input], **spec: Any) -> Loaded:
    """Load the file `folder/source` as the loading stage does, without asking git."""
    model = Model(source=source, inputs=inputs, **spec)
    opened = open_source(model, folder, release("24.10"))
    cases = [Case(name="", sizes=here, feed=random_feed(model, here, seed=0)) for here in sizes(model)]
    outputs = find_outputs(model, [(case, opened.reference(case.feed)) for case in cases], opened.dtypes)
    return Loaded(
        name="zoo",
        model=model,
        kind=opened.kind,
        module=opened.module,
        original=opened.original,
        program=opened.program,
        path=opened.path,
        signature=Signature(inputs=opened.inputs, outputs=outputs),
        bind=opened.bind,
        reference=opened.reference,
        reference_name=opened.reference_name,
        provenance=Provenance(source=source, source_sha256="", weights_sha256=""),
        fingerprint=Fingerprint(entry_sha256="", files={}, packages={}),
    )


def _first(model: Model, tensors: tuple[Tensor, ...], samples: Feed | None) -> dict[str, torch.Tensor]:
    caught: dict[str, torch.Tensor] = {}

    def catch(*values: torch.Tensor) -> None:
        caught.update({tensor.name: value for tensor, value in zip(tensors, values, strict=True)})

    run_module(catch, tensors, random_feed(model, sizes(model)[0], 0, samples))
    return caught


ROWS = {"batch": Axis(max=8)}
STEPS = {"batch": Axis(max=8), "time": Axis(max=12)}


class Cnn(nn.Module):
    """Convolution, batch normalisation and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.head = nn.Linear(48, 5)

    def forward(self, image):
        return self.head(torch.relu(self.norm(self.conv(image))).flatten(1))


def cnn(**spec: Any) -> Loaded:
    return loaded(Cnn(), {"image": given("fp32", "batch", 1, 4, 4)}, dims=ROWS, **spec)


class Branch(nn.Module):
    """A value decides what is computed."""

    def forward(self, x):
        if x.sum() > 0:
            return x * 2
        return x - 1


class RareBranch(nn.Module):
    """A value that ordinary inputs never have decides."""

    def forward(self, x):
        if x.max() > 1000:
            x = x * 0
        return x + 1


class SizeLoop(nn.Module):
    """The number of steps follows a size."""

    def forward(self, x):
        y = torch.zeros_like(x[:, 0])
        for i in range(x.shape[1]):
            y = y * 0.5 + x[:, i]
        return y


class SizeBranch(nn.Module):
    """One size in the middle of the range is answered differently."""

    def forward(self, x):
        if x.shape[1] == 7:
            return x * 3
        return x + 0


class NumberFromValue(nn.Module):
    """A value turns into a Python number without any branch."""

    def forward(self, x):
        return x * float(x.max())


class EqualBranch(nn.Module):
    """Two columns that random inputs never make equal decide, by an operation that returns a bool."""

    def forward(self, x):
        if torch.equal(x[:, 0], x[:, 1] * 2):
            return x * 2
        return x - 1


class AllcloseBranch(nn.Module):
    """The same to a tolerance."""

    def forward(self, x):
        if torch.allclose(x[:, 0], x[:, 1] * 2):
            return x * 2
        return x - 1


class AnyItemBranch(nn.Module):
    """A value that ordinary inputs never have decides, as a number of Python's."""

    def forward(self, x):
        if (x > 1000).any().item():
            return x * 2
        return x - 1


class NumpyBranch(nn.Module):
    """Decides in numpy, where torch.export cannot follow and TorchScript neither."""

    def forward(self, x):
        if x.detach().numpy().max() > 1000:
            return x * 2
        return x - 1


class UnscriptableBranch(nn.Module):
    """A branch on a value, in Python that TorchScript does not know."""

    def forward(self, x):
        if x.sum() > 0:
            return x * 2
        return x - sum(part.mean() for part in {"a": x}.values())


class Tagger(nn.Module):
    """An LSTM whose states are [layers, batch, hidden]."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x, h0, c0):
        y, (h1, c1) = self.lstm(x, (h0, c0))
        return self.head(y), h1, c1


class Nested(nn.Module):
    """A tuple with a dict inside."""

    def forward(self, a, b):
        return a + b, {"twice": a * 2, "thrice": b * 3}


class Embedded(nn.Module):
    """Whole numbers in, and an answer for each position and each row."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 6)

    def forward(self, ids, mask):
        hidden = self.table(ids) * mask.unsqueeze(-1)
        place = torch.arange(ids.shape[1], device=ids.device)
        return hidden + place.unsqueeze(-1), mask.sum(1)


class Mixes(nn.Module):
    """Subtracts a little of the mean over the batch."""

    def __init__(self, share: float = 1e-4) -> None:
        super().__init__()
        self.share = share

    def forward(self, x):
        return x - self.share * x.mean(0, keepdim=True)


class Eigenvalues(nn.Module):
    """An operation that ONNX cannot say."""

    def forward(self, x):
        y = x * 2
        return torch.linalg.eigvalsh(y)
