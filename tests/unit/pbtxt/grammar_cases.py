"""Texts of odd grammar, and whether the server was seen to read them: tests/live asks it."""

SURROGATE_FF = "\udcff"
"""The byte 0xff, which is no UTF-8."""


def boolean(text: str) -> str:
    return f"optimization {{ eager_batching: {text} }}"


def real(text: str) -> str:
    return f"sequence_batching {{ direct {{ minimum_slot_utilization: {text} }} }}"


def size(text: str) -> str:
    return f"max_batch_size: {text}"


def unsigned(text: str) -> str:
    return f"optimization {{ gather_kernel_buffer_threshold: {text} }}"


def kind(text: str) -> str:
    return f"input {{ data_type: {text} }}"


def words(text: str) -> str:
    return f'metric_tags {{ key: "k" value: {text} }}'


READ = [
    "",
    " \n\t\f\v\r",
    "# only a comment",
    'backend: "a"; max_batch_size: 1, ',
    'backend:"a"max_batch_size:1',
    'backend: "a"#tight\nmax_batch_size: 1',
    'input < name: "x" >',
    "input: < dims: 1 >",
    "input [ { dims: 1 }, < dims: 2 > ]",
    "input: []",
    "input []",
    "input { dims: [] }",
    "input { dims: 1 dims: [2, - 3] dims: -\n4 }",
    "dynamic_batching\n:\n{}",
    "parameters {}",
    'parameters { key: "a" } parameters { key: "a" value {} }',
    "max_batch_size: 0 max_batch_size: 2",
    'name: "" name: "a"',
    "batch_output { kind: BATCH_SCATTER_WITH_INPUT_SHAPE kind: BATCH_SCATTER_WITH_INPUT_SHAPE }",
    f'# {SURROGATE_FF}\nname: "{SURROGATE_FF}"',
    *map(size, ["017", "0x1F", "-0X1f", "- 1", "-01", "00", "2147483647", "-2147483648"]),
    *map(unsigned, ["4294967295", "0"]),
    *map(kind, ["TYPE_FP32", "11", "013", "0xb", "99", "-1", "- 1"]),
    *map(boolean, ["true", "True", "t", "1", "01", "0x1", "false", "False", "f", "0", "00"]),
    *map(real, ["1", "1.", ".5", "1e3", "1E+3", "1f", "1.5F", "0e1", "0f", "- .5", "1e400"]),
    *map(real, ["inf", "-INF", "Infinity", "NaN", "-nan", "99999999999999999999"]),
    *map(words, [r'"\n\t\x4\x41f\101\u0041\U0001F600\'\?"', r'"\777"', r'"\ud83d\ude00"', r'"\ud83d"']),
    *map(
        words, [r'"\U00110000"', r'"\xff"', "'a' \"b\" # c\n 'd'", "'\"'", '"\'"', '"a\tb\rc"', r'"\1" "1"']
    ),
]

NOT_READ = [
    "\ufeff",
    "\0",
    "# a\0",
    'name: "a\0"',
    "\u00a0",
    SURROGATE_FF,
    ";",
    "max_batch_size: 1;;",
    "max_batch_size: 1;,",
    "input { ; }",
    "input { dims: 1 >",
    "input {",
    "input { } }",
    "input { dims: [1, ] }",
    "input { dims: [1 2] }",
    "input { dims: [[1]] }",
    "input { dims [1] }",
    "input { dims [] }",
    "input { dims: 1dims: 2 }",
    "input [ { }, ]",
    "input: 1",
    "max_batch_size 1",
    "max_batch_size: [1]",
    "max_batch_size: []",
    "max_batch_size { }",
    "max_batch_size:: 1",
    "max_batch_size:",
    "max_batch_size: 1 max_batch_size: 1",
    "dynamic_batching [ {} ]",
    "dynamic_batching: true",
    "dynamic_batching {} dynamic_batching {}",
    "dynamic_batching {} sequence_batching {}",
    'model_warmup { inputs { key: "x" value { zero_data: false zero_data: true } } }',
    'model_warmup { inputs { key: "x" value { zero_data: false random_data: true } } }',
    "dynamic_batching { priority_queue_policy { key: 0 key: 0 } }",
    'parameters { key: "a" value: "b" }',
    'parameters { key: ["a"] }',
    'parameters { key: "a" val {} }',
    'parameters { "a": "b" }',
    '"backend": "a"',
    "{ }",
    "4: 1",
    "[a.b]: 1",
    "a.b: 1",
    "// a",
    "Max_batch_size: 1",
    *map(size, ["089", "+1", "1.0", "1.", "1e0", "1f", "0x", "0x1g", "1_0", "--1", "true", '"1"', "inf"]),
    *map(size, ["2147483648", "-2147483649"]),
    *map(unsigned, ["-1", "-0", "4294967296"]),
    *map(
        kind, ["TYPE_FLOAT32", "type_fp32", '"TYPE_FP32"', "1.0", "-TYPE_FP32", "99999999999", "[TYPE_FP32]"]
    ),
    *map(boolean, ["TRUE", "T", "yes", "2", "-1", "-0", "1.0", '"true"']),
    *map(real, ["0x1", "010", "08", "00.5", "1e", "1.2.3", '"1"', "true", "infinit", "-foo", "1.e"]),
    *map(words, [r'"\q"', r'"\9"', r'"\x"', r'"\X41"', r'"\u004"', r'"\U00200000"', '"a\nb"', '"a\\\nb"']),
    *map(words, ['"a', "'a\"", r'"\"', "a", "1", '-"a"']),
]
