"""Small TorchScript models and what the genuine pytorch backend was seen to do with them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.live.standin_case import Ask, Case, f32, io

BATCHED = 'backend: "pytorch"\nmax_batch_size: 8\n'
WHOLE = 'backend: "pytorch"\nmax_batch_size: 0\n'
NAMES = ("BOOL", "UINT8", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64")
NUMPY = dict(zip(NAMES, ("bool", "uint8", "int8", "int16", "int32", "int64", "f2", "f4", "f8"), strict=True))


class Difference(torch.nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return a - b, a * 2


class Twice(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


class Linear(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class Dropped(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.dropout(x, 0.5, self.training)


class FromDict(torch.nn.Module):
    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return inputs["left"] - inputs["right"]


class EveryType(torch.nn.Module):
    def forward(
        self,
        a: Tensor,
        b: Tensor,
        c: Tensor,
        d: Tensor,
        e: Tensor,
        f: Tensor,
        g: Tensor,
        h: Tensor,
        i: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        return a, b, c, d, e, f, g, h, i


class Shout(torch.nn.Module):
    def forward(self, texts: list[str]) -> list[str]:
        return [text.upper() for text in texts]


class Scaled(torch.nn.Module):
    def forward(self, x: Tensor, scale: float = 2.0) -> Tensor:
        return x * scale


class Masked(torch.nn.Module):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x if mask is None else x * mask


class GivesDict(torch.nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"y": x}


class GivesList(torch.nn.Module):
    def forward(self, x: Tensor) -> list[Tensor]:
        return [x, x]


class GivesNested(torch.nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        return x, (x, x)


class GivesScalar(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum()


class LosesBatch(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0, keepdim=True)


class RowSums(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(1)


class Counted(torch.nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x * 0 + x.size(0)


def scripted(module: torch.nn.Module, file: str = "model.pt", *, training: bool = False) -> Any:
    def write(folder: Path) -> None:
        torch.jit.script(module.train(training)).save(str(folder / file))

    return write


def one(
    dtype: str = "TYPE_FP32", dims: int = 4, output: str = "OUTPUT__0", out_dtype: str = "TYPE_FP32"
) -> str:
    return BATCHED + io("input", "INPUT__0", [dims], dtype) + io("output", output, [4], out_dtype)


def two(first: str, second: str, *outputs: str) -> str:
    found = BATCHED + io("input", first, [4]) + io("input", second, [4])
    return found + "".join(io("output", name, [4]) for name in outputs or ("OUTPUT__0", "OUTPUT__1"))


def fails(status: str, says: str, rows: int = 1, **sent: np.ndarray) -> tuple[Ask, ...]:
    return (Ask(sent=sent or {"INPUT__0": np.ones((rows, 4), dtype=np.float32)}, status=status, says=says),)


A, B = f32([1, 2, 3, 4], [5, 6, 7, 8]), f32([4, 3, 2, 1], [0, 0, 0, 1])
TEXTS = np.array([b"one", "grün".encode(), b""], dtype=object)
EXECUTE = "PyTorch execute failure: "


def of_every_type(rows: int) -> dict[str, np.ndarray]:
    plain = np.arange(rows * 3).reshape(rows, 3)
    return {name: (plain % 2 == 0) if name == "BOOL" else plain.astype(NUMPY[name]) for name in NAMES}


LOADS = (
    Case(
        name="ts_argument_names",
        write=scripted(Difference()),
        config=two("b", "a"),
        asks=(
            Ask(sent={"a": A, "b": B}, answered={"OUTPUT__0": A - B, "OUTPUT__1": A * 2}),
            Ask(sent={"a": A, "b": B}, requested=("OUTPUT__1",), answered={"OUTPUT__1": A * 2}),
        ),
    ),
    Case(
        name="ts_indices",
        write=scripted(Difference()),
        config=two("INPUT__1", "INPUT__0", "OUTPUT__1", "OUTPUT__0"),
        asks=(Ask(sent={"INPUT__0": A, "INPUT__1": B}, answered={"OUTPUT__0": A - B, "OUTPUT__1": A * 2}),),
    ),
    Case(
        name="ts_config_order",
        write=scripted(Difference()),
        config=two("INPUT__1", "a", "anything"),
        asks=(Ask(sent={"INPUT__1": A, "a": B}, answered={"anything": A - B}),),
    ),
    Case(
        name="ts_dict",
        write=scripted(FromDict()),
        config=two("right", "left", "y"),
        asks=(Ask(sent={"left": A, "right": B}, answered={"y": A - B}),),
    ),
    Case(
        name="ts_every_dtype",
        write=scripted(EveryType()),
        config=BATCHED
        + "".join(
            io("input", f"x_{n}__{i}", [3], f"TYPE_{n}") + io("output", f"y_{n}__{i}", [3], f"TYPE_{n}")
            for i, n in enumerate(NAMES)
        ),
        asks=tuple(
            Ask(
                sent={f"x_{n}__{i}": of_every_type(rows)[n] for i, n in enumerate(NAMES)},
                answered={f"y_{n}__{i}": of_every_type(rows)[n] for i, n in enumerate(NAMES)},
            )
            for rows in (1, 4)
        ),
    ),
    Case(
        name="ts_strings",
        write=scripted(Shout()),
        config=WHOLE + io("input", "texts", [-1], "TYPE_STRING") + io("output", "loud", [-1], "TYPE_STRING"),
        asks=(
            Ask(
                sent={"texts": TEXTS},
                answered={"loud": np.array([b"ONE", "GRüN".encode(), b""], dtype=object)},
            ),
        ),
    ),
    Case(
        name="ts_other_filename",
        write=scripted(Twice(), "best.pt"),
        config=one() + 'default_model_filename: "best.pt"',
        asks=(Ask(sent={"INPUT__0": A}, answered={"OUTPUT__0": A * 2}),),
    ),
    Case(
        name="ts_wrong_output_dims",
        write=scripted(RowSums()),
        config=one(),
        asks=(Ask(sent={"INPUT__0": A}, answered={"OUTPUT__0": A.sum(1)}),),
    ),
    Case(
        name="ts_batch_only",
        write=scripted(RowSums()),
        config=BATCHED + io("input", "x", [4]) + io("output", "y", [1], more="reshape { shape: [] }"),
        asks=(Ask(sent={"x": A}, answered={"y": A.sum(1, keepdims=True)}),),
    ),
    Case(
        name="ts_parameters",
        write=scripted(Twice()),
        config=one()
        + "".join(
            f'parameters {{ key: "{key}" value: {{ string_value: "{text}" }} }}\n'
            for key, text in (
                ("INTRA_OP_THREAD_COUNT", "1"),
                ("INTER_OP_THREAD_COUNT", "1"),
                ("DISABLE_OPTIMIZED_EXECUTION", "true"),
                ("INFERENCE_MODE", "false"),
            )
        ),
        asks=(Ask(sent={"INPUT__0": A}, answered={"OUTPUT__0": A * 2}),),
    ),
    Case(
        name="ts_wrong_input_dims",
        write=scripted(Linear()),
        config=one(dims=5),
        asks=fails(
            "500",
            EXECUTE + "The following operation failed in the TorchScript interpreter.",
            INPUT__0=np.ones((1, 5), dtype=np.float32),
        ),
    ),
    Case(
        name="ts_repeated_index",
        write=scripted(Difference()),
        config=two("INPUT__0", "OTHER__0"),
        asks=fails(
            "500",
            "Expected a value of type 'Tensor' for argument 'b' but instead found type 'NoneType'",
            INPUT__0=A,
            OTHER__0=B,
        ),
    ),
    Case(
        name="ts_output_index",
        write=scripted(Twice()),
        config=one(output="OUTPUT__1"),
        asks=fails(
            "400",
            "The output OUTPUT__1 in the model configuration refers to an output index which doesn't exist. "
            "This model has 1 outputs",
        ),
    ),
    Case(
        name="ts_output_type",
        write=scripted(Twice()),
        config=one(out_dtype="TYPE_FP64"),
        asks=fails(
            "400", "configuration expects datatype TYPE_FP64 for output 'OUTPUT__0', model provides TYPE_FP32"
        ),
    ),
    Case(
        name="ts_dict_output",
        write=scripted(GivesDict()),
        config=one(),
        asks=fails("500", EXECUTE + "output must be of type Tensor, List[str] or Tuple"),
    ),
    Case(
        name="ts_list_output",
        write=scripted(GivesList()),
        config=one(),
        asks=fails("500", EXECUTE + "output must be of type Tensor or List[str], received List[Tensor]"),
    ),
    Case(
        name="ts_nested_output",
        write=scripted(GivesNested()),
        config=one(),
        asks=fails("500", EXECUTE + "Expected Tensor but got Tuple"),
    ),
    Case(
        name="ts_scalar_output",
        write=scripted(GivesScalar()),
        config=one(),
        asks=fails("400", "output 'OUTPUT__0' is a scalar which is not supported."),
    ),
    Case(
        name="ts_loses_batch",
        write=scripted(LosesBatch()),
        config=one(),
        asks=fails("501", "failed to split the output tensor 'OUTPUT__0'", rows=2),
    ),
    Case(name="ts_training", write=scripted(Dropped(), training=True), config=one()),
)

REFUSED = (
    Case(
        name="ts_no_config",
        write=scripted(Twice()),
        config=None,
        refused="unable to load model 'ts_no_config', configuration expects 0 inputs, model provides 1",
    ),
    Case(
        name="ts_no_outputs",
        write=scripted(Twice()),
        config=BATCHED + io("input", "INPUT__0", [4]),
        refused="model configuration must contain at least one output, none were specified.",
    ),
    Case(
        name="ts_bf16",
        write=scripted(Twice()),
        config=one("TYPE_BF16"),
        refused="unsupported datatype TYPE_BF16 for input",
    ),
    Case(
        name="ts_uint16",
        write=scripted(Twice()),
        config=one("TYPE_UINT16"),
        refused="unsupported datatype TYPE_UINT16",
    ),
    Case(
        name="ts_float_argument",
        write=scripted(Scaled()),
        config=one(),
        refused="An input of type 'float' was detected in the model. Only a single input of type",
    ),
    Case(
        name="ts_optional_argument",
        write=scripted(Masked()),
        config=two("x", "mask", "y"),
        refused="was detected in the model. Only a single input of type Dict(str, Tensor)",
    ),
    Case(
        name="ts_state_dict",
        write=lambda folder: torch.save(Linear().state_dict(), folder / "model.pt"),
        config=one(),
        refused="failed to load model 'ts_state_dict': PytorchStreamReader failed locating file",
    ),
    Case(
        name="ts_missing_file",
        write=lambda folder: (folder / "notes.txt").write_text("nothing here"),
        config=one(),
        refused="model.pt' for model instance 'ts_missing_file'",
    ),
    Case(
        name="ts_too_many_inputs",
        write=scripted(Twice()),
        config=two("INPUT__0", "INPUT__1", "OUTPUT__0"),
        refused="configuration expects 2 inputs, model provides 1",
    ),
    Case(
        name="ts_one_based",
        write=scripted(Difference()),
        config=two("INPUT__1", "INPUT__2"),
        refused="crashes the whole server at a request",
    ),
)

CASES = LOADS + REFUSED
COUNTED = Case(
    name="counted_torch",
    write=scripted(Counted()),
    config=BATCHED
    + io("input", "x", [1])
    + io("output", "y", [1])
    + io("output", "rows", [1])
    + "dynamic_batching { max_queue_delay_microseconds: 500000 }",
)
