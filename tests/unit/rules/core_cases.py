"""Configs that the server core refuses and the words it was seen to use; tests/live asks it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

X = 'input { name: "x" data_type: TYPE_FP32 dims: 4 }'
Y = 'output { name: "y" data_type: TYPE_FP32 dims: 4 }'
BASE = 'backend: "tiny"'
WHOLE = f"{BASE} max_batch_size: 4 {X} {Y}"
UNBATCHED = f"{BASE} {X} {Y}"
TRUTH = "fp32_false_true: [0, 1]"
STATE = 'input_name: "i" output_name: "o" data_type: TYPE_FP32 dims: 4'
VARIABLE = "must be integer >= 1, or -1 to indicate a variable-size dimension for M"
ID = "[request id: <id_unknown>] "

Files = dict[str, bytes]


def lay_out(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write `files` into `folder`, by their paths in it; a path with / at its end is an empty folder."""
    folder.mkdir(exist_ok=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            (folder / path).mkdir(exist_ok=True)
        else:
            data = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
            (folder / path).write_bytes(data)


class Case(NamedTuple):
    """A model's config, what the server says of it, and the other files in its folder."""

    text: str
    words: str
    files: Files
    """By path; a path with / at its end is an empty folder."""


def whole(more: str, words: str, files: Files | None = None) -> Case:
    return Case(f"{WHOLE} {more}", words, files or {})


def x(tensor: str, words: str, *, size: int = 4) -> Case:
    return Case(f"{BASE} max_batch_size: {size} input {{ {tensor} }} {Y}", words, {})


def shaped(tensor: str, what: str, *, size: int = 4) -> Case:
    return x(f'name: "x" data_type: TYPE_FP32 {tensor}', f"model input 'x' {what}", size=size)


def y(tensor: str, words: str, files: Files | None = None) -> Case:
    text = f'{BASE} max_batch_size: 4 {X} output {{ name: "y" data_type: TYPE_FP32 dims: 4 {tensor} }}'
    return Case(text, words, files or {})


def dynamic(more: str, words: str) -> Case:
    return whole(f"dynamic_batching {{ {more} }}", f"{words} for M")


def group(more: str, words: str, platform: str = "") -> Case:
    return whole(f"instance_group {{ {more} }} {platform}", f"instance group M_0 of model M {words}")


def sequence(more: str, words: str) -> Case:
    return whole(f"sequence_batching {{ {more} }}", words)


def control(kind: str, value: str, words: str) -> Case:
    one = f'name: "C" control {{ kind: CONTROL_SEQUENCE_{kind} {value} }}'
    return sequence(f"control_input {{ {one} }}", f"{words} for CONTROL_SEQUENCE_{kind} for M")


def initial(more: str, words: str, files: Files | None = None, state: str = STATE) -> Case:
    text = f"sequence_batching {{ state {{ {state} initial_state {{ {more} }} }} }}"
    return whole(text, words, files)


def warmup(given: str, words: str, files: Files | None = None, *, base: str = WHOLE, batch: int = 1) -> Case:
    sample = f'model_warmup {{ batch_size: {batch} inputs {{ key: "x" value {{ {given} }} }} }}'
    return Case(f"{base} {sample}", words, files or {})


def data(of: bytes, words: str) -> Case:
    """A warmup sample of texts."""
    base = WHOLE.replace("TYPE_FP32", "TYPE_STRING", 1)
    given = 'data_type: TYPE_STRING dims: 4 input_data_file: "data"'
    return warmup(given, words, {"warmup/data": of}, base=base)


LABELLED = 'output { name: "y" data_type: TYPE_FP32 dims: 4 label_filename: "labels" }'
TENSORRT = 'platform: "tensorrt_plan"'
FOUR = "data_type: TYPE_FP32 dims: 4"
CASES = {
    "another name": whole(
        'name: "N"', "unexpected directory name 'M' for model 'N', directory name must equal model name"
    ),
    "platform": Case(f'platform: "onnx" {X} {Y}', "unexpected platform type 'onnx' for M", {}),
    "pair": Case(
        f'backend: "onnxruntime" platform: "pytorch_libtorch" {X} {Y}',
        "unexpected 'platform' and 'backend' pair, got:pytorch_libtorch, onnxruntime",
        {},
    ),
    "negative batch": Case(
        f"{BASE} max_batch_size: -1 {X} {Y}", "'max_batch_size' must be non-negative value for M", {}
    ),
    "preferred beyond": dynamic(
        "preferred_batch_size: 8", "dynamic batching preferred size must be <= max batch size"
    ),
    "preferred zero": dynamic("preferred_batch_size: 0", "dynamic batching preferred size must be positive"),
    "no default level": dynamic("priority_levels: 2", "default priority level must be in range [1, 2]"),
    "default level beyond": dynamic(
        "priority_levels: 2 default_priority_level: 3", "default priority level must be in range [1, 2]"
    ),
    "policy beyond": dynamic(
        "priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 3 value {} }",
        "priority queue policy must have priority level in range [1, 2]",
    ),
    "ordered levels": dynamic(
        "preserve_ordering: true priority_levels: 2 default_priority_level: 1",
        "Only one priority level is allowed when 'preserve_ordering' is true",
    ),
    "ordered delay": dynamic(
        "preserve_ordering: true "
        "default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1 }",
        "Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true",
    ),
    "ordered delay of a level": dynamic(
        "preserve_ordering: true "
        "priority_queue_policy { key: 1 value { timeout_action: DELAY default_timeout_microseconds: 1 } }",
        "Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true",
    ),
    "no name": x("data_type: TYPE_FP32 dims: 4", "model input must specify 'name' for M"),
    "no type": x('name: "x" dims: 4', "model input 'x' must specify 'data_type' for M"),
    "no dims": shaped("", "must specify 'dims' for M"),
    "dim 0": shaped("dims: 0", f"dimension {VARIABLE}"),
    "dim -2": shaped("dims: -2", f"dimension {VARIABLE}"),
    "image": x(
        'name: "x" data_type: TYPE_FP32 dims: 4 format: FORMAT_NHWC',
        "model input NHWC/NCHW require 3 dims for M",
    ),
    "empty reshape": shaped(
        "dims: 1 reshape {}",
        "cannot have empty reshape for non-batching model as scalar tensors are not supported for M",
        size=0,
    ),
    "empty reshape of four": shaped("dims: 4 reshape {}", "has different size for dims and reshape for M"),
    "reshape": shaped("dims: 4 reshape { shape: 3 }", "has different size for dims and reshape for M"),
    "reshape 0": shaped("dims: 4 reshape { shape: 0 }", f"reshape dimensions {VARIABLE}"),
    "reshape of none variable": shaped(
        "dims: -1 reshape { shape: 4 }", "has different size for dims and reshape for M"
    ),
    "reshape count": shaped(
        "dims: -1 reshape { shape: [-1, -1] }",
        "has different number of variable-size dimensions for dims and reshape for M",
    ),
    "reshape around -1": shaped(
        "dims: [-1, 2] reshape { shape: [-1, 3] }", "has different size for dims and reshape for M"
    ),
    "shape tensor": y(
        "is_shape_tensor: true", "shape tensors are only supported for TensorRT platform for M"
    ),
    "format": y(
        "is_non_linear_format_io: true",
        "Non-linear IO format is only supported for the TensorRT platform for M",
    ),
    "format of two dims": Case(
        f'{BASE} {TENSORRT} {X} output {{ name: "y" data_type: TYPE_FP32 dims: [1, 2] '
        "is_non_linear_format_io: true }",
        "Non-linear IO format output requires 3 dims for M",
        {},
    ),
    "labels": y('label_filename: "absent"', "failed to open text file for read "),
    "labels twice": Case(
        f"{BASE} {X} {LABELLED} {LABELLED}",
        "multiple label files for 'y'",
        {"labels": b"one\n"},
    ),
    "batch input of nothing": whole(
        'batch_input { data_type: TYPE_FP32 target_name: "b" }',
        "batch input kind 'BATCH_ELEMENT_COUNT' expects 1 source input, got 0 for M",
    ),
    "batch input of another type": whole(
        'batch_input { data_type: TYPE_INT64 source_input: "x" }',
        "batch input data type must be TYPE_INT32 or TYPE_FP32 for M",
    ),
    "batch input of no input": whole(
        'batch_input { data_type: TYPE_FP32 source_input: "z" }', "unknown source input name 'z' for M"
    ),
    "batch input of no kind": whole(
        'batch_input { kind: 99 data_type: TYPE_FP32 source_input: "x" }', "unknown batch input kind '' for M"
    ),
    "batch output of two": whole(
        'batch_output { source_input: ["x", "x"] }',
        "batch output kind 'BATCH_SCATTER_WITH_INPUT_SHAPE' expects 1 source input, got 2 for M",
    ),
    "batch output for no output": whole(
        'batch_output { source_input: "x" target_name: "z" }', "unknown target output name 'z' for M"
    ),
    "batch output for one twice": whole(
        'batch_output { source_input: "x" target_name: ["y", "y"] }',
        "target output name 'y' can only be specified once for M",
    ),
    "gpu": group("kind: KIND_GPU", "has kind KIND_GPU but no GPUs are available"),
    "gpu by number": group(
        "kind: KIND_GPU gpus: 1",
        "specifies invalid or unsupported gpu id 1. GPUs with at least the minimum required CUDA compute "
        "compatibility of 6.000000 are: ",
    ),
    "gpu for the cpu": group("kind: KIND_CPU gpus: 0", "has kind KIND_CPU but specifies one or more GPUs"),
    "gpu for any": group("gpus: 0", "has kind KIND_CPU but specifies one or more GPUs"),
    "gpu for the model": group(
        "kind: KIND_MODEL gpus: 0", "has kind KIND_MODEL but specifies one or more GPUs"
    ),
    "no kind": group("kind: 99", "has unexpected kind KIND_AUTO"),
    "profile": group(
        'profile: "0"', "and platform specifies profile field which is only supported for TensorRT models"
    ),
    "profile below 0": group(
        'profile: "-1"',
        "and platform tensorrt_plan specifies invalid profile -1. The field should contain the string "
        "representation of a non-negative integer.",
        TENSORRT,
    ),
    "profile without a number": whole(
        f'instance_group {{ profile: "a" }} {TENSORRT}', "unable to parse 'a': stoi"
    ),
    "no profile": whole(f'instance_group {{ profile: "" }} {TENSORRT}', "profile name must not be empty"),
    "control without a name": sequence(
        f"control_input {{ control {{ {TRUTH} }} }}",
        "sequence batching control tensor must have a name for M",
    ),
    "one tensor twice": sequence(
        f'control_input {{ name: "C" control {{ {TRUTH} }} }} control_input {{ name: "C" }}',
        "sequence batching control tensor 'C' is specified for multiple control kinds for M",
    ),
    "one kind twice": sequence(
        f'control_input {{ name: "C" control {{ {TRUTH} }} control {{ {TRUTH} }} }}',
        "sequence batching specifies multiple CONTROL_SEQUENCE_START tensors for M",
    ),
    "no truth": control(
        "END",
        "",
        "sequence batching must specify either 'int32_false_true', 'fp32_false_true' or 'bool_false_true'",
    ),
    "two truths": control(
        "READY",
        f"{TRUTH} bool_false_true: [false, true]",
        "sequence batching specifies more than one from 'int32_false_true', 'fp32_false_true' and "
        "'bool_false_true'",
    ),
    "half a truth": control(
        "START",
        "int32_false_true: 0",
        "sequence batching control 'int32_false_true' must have exactly 2 entries",
    ),
    "truth of an id": control(
        "CORRID",
        TRUTH,
        "sequence batching must not specify either 'int32_false_true', 'fp32_false_true' or "
        "'bool_false_true'",
    ),
    "id of another type": sequence(
        'control_input { name: "C" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_FP32 } }',
        "unexpected data type for control CONTROL_SEQUENCE_CORRID for M. Allowed data types are TYPE_UINT64, "
        "TYPE_INT64, TYPE_UINT32, TYPE_INT32 and TYPE_STRING",
    ),
    "sequences beyond": sequence(
        "oldest { preferred_batch_size: 5 }",
        "sequence batching preferred batch size must be <= max batch size for M",
    ),
    "sequences of zero": sequence(
        "oldest { preferred_batch_size: 0 }", "sequence batching preferred batch size must be positive for M"
    ),
    "slots": sequence(
        "direct { minimum_slot_utilization: 1.5 }",
        "sequence batching minimum slot utilization must be in range (0.0, 1.0] for M",
    ),
    "cached sequences": whole(
        "sequence_batching {} response_cache { enable: true }",
        "Response Cache does not currently support model M with sequence batching scheduler. Please disable the "
        "response cache.",
    ),
    "cached streams": whole(
        "model_transaction_policy { decoupled: true } response_cache { enable: true }",
        "Response Cache does not currently support model M with 'decoupled' transaction policy. Please disable "
        "the response cache.",
    ),
    "unknown agent": whole(
        'model_repository_agents { agents { name: "nosuch" } }',
        "unable to find 'libtritonrepoagent_nosuch.so' for repo agent 'nosuch'",
    ),
    "strategy of sequences": whole(
        'sequence_batching {} parameters { key: "TRITON_BATCH_STRATEGY_PATH" value { string_value: "/a.so" } }',
        "TRITON_BATCH_STRATEGY_PATH cannot be specified with sequence batcher, using default batching strategy",
    ),
    "strategy nowhere": whole(
        'parameters { key: "TRITON_BATCH_STRATEGY_PATH" value { string_value: "a.so" } }',
        "Batching library path not found: a.so",
    ),
    "variable sample": warmup(
        "data_type: TYPE_FP32 dims: -1 zero_data: true",
        "warmup setting expects all variable-size dimensions are specified for input 'x'",
    ),
    "sample without data": warmup(FOUR, f"{ID}warmup setting expects input 'x' to have input_data_type set"),
    "sample without its file": warmup(
        f'{FOUR} input_data_file: "absent"', "failed to open text file for read "
    ),
    "sample too short": warmup(
        f'{FOUR} input_data_file: "data"',
        f"{ID}warmup setting expects 16 bytes, but the data provided from data",
        {"warmup/data": bytes(15)},
    ),
    "sample of another type": warmup(
        "data_type: TYPE_FP64 dims: 4 zero_data: true",
        f"{ID}inference input 'x' data-type is 'FP64', but model 'M' expects 'FP32'",
    ),
    "sample of another shape": warmup(
        "data_type: TYPE_FP32 dims: 5 zero_data: true",
        f"{ID}unexpected shape for input 'x' for model 'M'. Expected [-1,4], got [1,5]",
    ),
    "sample of another shape alone": warmup(
        "data_type: TYPE_FP32 dims: [1, 4] zero_data: true",
        f"{ID}unexpected shape for input 'x' for model 'M'. Expected [4], got [1,4]",
        base=UNBATCHED,
    ),
    "sample below zero": warmup(
        "data_type: TYPE_FP32 dims: [-2, 4] zero_data: true",
        f"{ID}input byte size mismatch for input 'x' for model 'M'",
        base=WHOLE.replace("dims: 4", "dims: [-1, 4]", 1),
    ),
    "too few texts": data(
        b"\1\0\0\0a" * 3, f"{ID}expected 4 string elements for inference input 'x' for model 'M', got 3"
    ),
    "too many texts": data(
        b"\1\0\0\0a" * 5,
        f"{ID}unexpected number of string elements 5 for inference input 'x' for model 'M', expecting 4",
    ),
    "half a length": data(
        b"\1\0\0",
        f"{ID}incomplete string length indicator for inference input 'x' for model 'M', expecting 4 bytes but "
        "only 3 bytes available",
    ),
    "half a text": data(
        b"\7\0\0\0abc", f"{ID}expected 4 string elements for inference input 'x' for model 'M', got 1"
    ),
    "sample that lacks an input": whole(
        "model_warmup { batch_size: 1 }",
        f"{ID}expected 1 inputs but got 0 inputs for model 'M'. Got input(s) [], but missing required input(s) "
        "['x']. Please provide all required input(s).",
    ),
    "two states": whole(
        f'sequence_batching {{ state {{ {STATE} initial_state {{ name: "a" {FOUR} zero_data: true }} '
        f'initial_state {{ name: "b" {FOUR} zero_data: true }} }} }}',
        "initial_state field for state input 'i' must contain exactly one or zero element. Found '2' elements.",
    ),
    "state of another type": initial(
        'name: "a" data_type: TYPE_FP64 dims: 4 zero_data: true',
        "The data type used for 'initial_state' field of state 'i' does not match the state data type.",
    ),
    "state without a name": initial(
        f"{FOUR} zero_data: true", "Field 'name' must be set when using initial_state for state input 'i'."
    ),
    "state without data": initial(
        f'name: "a" {FOUR}', "initial_state setting expects state'i' to have state_data set"
    ),
    "state of another rank": initial(
        'name: "a" data_type: TYPE_FP32 dims: [4, 4] zero_data: true',
        "Number of dimensions in 'initial_state' doesn't match the size of 'state' dimensions for state input "
        "'i'. 2 != 1",
    ),
    "state of another shape": initial(
        'name: "a" data_type: TYPE_FP32 dims: 5 zero_data: true',
        "'initial_state' dim for input name 'i' doesn't match 'state' dim description. 5 != 4",
    ),
    "variable state": initial(
        'name: "a" data_type: TYPE_FP32 dims: -1 zero_data: true',
        "'initial_state' field for state input name 'i' contains variable dimensions.",
    ),
    "state without its file": initial(
        f'name: "a" {FOUR} data_file: "absent"', "failed to open text file for read "
    ),
    "state too short": initial(
        f'name: "a" {FOUR} data_file: "data"',
        "initial_state setting expects 16 bytes, but the data provided from data",
        {"initial_state/data": bytes(15)},
    ),
}

DEADLY = {
    "no agents": whole("model_repository_agents {}", "model_repository_agents names no agent"),
    "tag with a dash": whole('metric_tags { key: "a-b" value: "" }', "metric tag 'a-b'"),
    "tag of the library": whole('metric_tags { key: "_a" value: "" }', "metric tag '_a'"),
    "tag that is none": whole('metric_tags { key: "é" value: "" }', "metric tag 'é'"),
    "profile too large": whole(
        f'instance_group {{ profile: "99999999999" }} {TENSORRT}', "profile 99999999999 is too large"
    ),
    "labels in a folder": y('label_filename: "labels"', "labels is a folder", {"labels/": b""}),
    "sample in a folder": warmup(
        f'{FOUR} input_data_file: "data"', "warmup/data is a folder", {"warmup/data/": b""}
    ),
    "state in a folder": initial(
        f'name: "a" {FOUR} data_file: "data"', "initial_state/data is a folder", {"initial_state/data/": b""}
    ),
    "state below zero": initial(
        'name: "a" data_type: TYPE_FP32 dims: -2 zero_data: true',
        "state 'i' starts with [-2]",
        state='input_name: "i" output_name: "o" data_type: TYPE_FP32 dims: -1',
    ),
}
"""What ends the server; the words are ours, it has none."""

TAKEN = {
    "as it is": WHOLE,
    "without tensors": f"{BASE} max_batch_size: 4",
    "name": f'{WHOLE} name: "M"',
    "any platform": f'{WHOLE} platform: "anything"',
    "preferred": f"{WHOLE} dynamic_batching {{ preferred_batch_size: [2, 4] }}",
    "policy without levels": f"{WHOLE} dynamic_batching {{ priority_queue_policy {{ key: 7 value {{}} }} }}",
    "ordered delay without a timeout": (
        f"{WHOLE} dynamic_batching {{ preserve_ordering: true default_queue_policy {{ timeout_action: DELAY }} }}"
    ),
    "empty reshape": f'{BASE} max_batch_size: 4 {X} output {{ name: "y" data_type: TYPE_FP32 dims: 1 reshape {{}} }}',
    "free reshape": (
        f'{BASE} max_batch_size: 4 input {{ name: "x" data_type: TYPE_FP32 dims: [-1, 4] '
        f"reshape {{ shape: [-1, 2, 2] }} }} {Y}"
    ),
    "two outputs of one name": f"{WHOLE} {Y}",
    "groups": f"{WHOLE} instance_group {{ kind: KIND_CPU count: -1 }} instance_group {{ kind: KIND_MODEL }}",
    "secondary device": f"{WHOLE} instance_group {{ secondary_devices {{ device_id: 1 }} }}",
    "rate limiter": f"{WHOLE} instance_group {{ rate_limiter {{ priority: 0 resources {{}} }} }}",
    "profile": f'{WHOLE} instance_group {{ profile: "1x" }} {TENSORRT}',
    "controls": f'{WHOLE} sequence_batching {{ control_input {{ name: "x" control {{ {TRUTH} }} }} }}',
    "slots that are none": f"{WHOLE} sequence_batching {{ direct {{ minimum_slot_utilization: nan }} }}",
    "state": initial(f'name: "a" {FOUR} zero_data: false', "").text,
    "empty state": f"{WHOLE} sequence_batching {{ state {{}} }}",
    "cache": f"{WHOLE} response_cache {{ enable: true }}",
    "stream": f"{WHOLE} model_transaction_policy {{ decoupled: true }} response_cache {{}}",
    "batch tensors": (
        f'{WHOLE} batch_input {{ data_type: TYPE_INT32 source_input: "x" }} '
        'batch_output { source_input: "x" target_name: "y" }'
    ),
    "tags": f'{WHOLE} metric_tags {{ key: "1a" }} metric_tags {{ key: "" }} metric_tags {{ key: "model" }}',
    "samples": f'{WHOLE} model_warmup {{ batch_size: 1 inputs {{ key: "x" value {{ {FOUR} random_data: false }} }} }}',
    "sample never run": f"{WHOLE} model_warmup {{ inputs {{ }} }}",
    "sample with more": (
        f'{WHOLE} model_warmup {{ batch_size: 1 inputs {{ key: "x" value {{ {FOUR} zero_data: true }} }} '
        'inputs { key: "z" value { dims: 7 zero_data: true } } }'
    ),
    "sample of passive instances": (
        f"{WHOLE} instance_group {{ passive: true }} model_warmup {{ batch_size: 1 }}"
    ),
    "optimization": f"{WHOLE} optimization {{ graph {{ level: 99 }} priority: 99 eager_batching: true }}",
    "files by capability": f'{WHOLE} cc_model_filenames {{ key: "a" value: "absent" }}',
}
"""What the core takes."""
