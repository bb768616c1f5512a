"""Config in, words out: what the server core was seen to say of a config."""

from pathlib import Path

import pytest

from builder.lint.files import ModelFiles
from builder.pbtxt.read import read
from builder.rules import core
from builder.rules.refusal import Config, Refusal
from tests.unit.rules.core_cases import CASES, DEADLY, TAKEN, WHOLE, Case, lay_out, y

NO_GPU = core.Server(gpus=0)
PLATFORMS = {"onnxruntime": 'platform: "onnxruntime_onnx"', "pytorch": 'platform: "pytorch_libtorch"'}


def config(text: str) -> Config:
    found = read(text)
    assert found.value is not None, found.mistakes
    return found.value


def said(case: Case, folder: Path) -> list[str]:
    lay_out(folder, case.files)
    given = config(case.text)
    files = ModelFiles(folder)
    return [
        refusal.message
        for refusal in (
            *core.polled(given, folder="M", server=NO_GPU),
            *core.loaded({**given, "name": "M"}, server=NO_GPU, files=files),
        )
    ]


def refusals(text: str) -> list[Refusal]:
    given = config(text)
    return [*core.polled(given, folder="M"), *core.loaded({**given, "name": "M"})]


@pytest.mark.parametrize("case", {**CASES, **DEADLY}.values(), ids={**CASES, **DEADLY})
def test_one_mistake_gets_the_cores_sentence(case: Case, tmp_path: Path) -> None:
    """Each mistake alone is refused once, in the words of the server core."""
    (words,) = said(case, tmp_path)
    assert words.startswith(case.words)


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_what_the_core_takes_is_not_refused(text: str, tmp_path: Path) -> None:
    """A sound config, however odd, gets no refusal."""
    assert said(Case(text, "", {}), tmp_path) == []


@pytest.mark.parametrize("case", ["gpu", "gpu by number", "gpu for any"])
def test_a_gpu_group_is_fine_where_there_are_gpus(case: str) -> None:
    """The refusal is the host's, not the config's; where the host is not known there is a warning."""
    given = {**config(CASES[case].text), "name": "M"}

    assert core.loaded(given, server=core.Server(gpus=2)) == []
    assert core.surprises(given, core.Server(gpus=2)) == []
    assert core.loaded(given, server=core.Server()) == []
    assert [one.code for one in core.surprises(given, core.Server())] == ["C213"]


def test_a_gpu_beyond_those_there_are_is_refused() -> None:
    """Of two GPUs, number 2 is none."""
    given = {**config(f"{WHOLE} instance_group {{ kind: KIND_GPU gpus: [1, 2] }}"), "name": "M"}
    (refusal,) = core.loaded(given, server=core.Server(gpus=2))
    assert refusal.message.endswith("are: 0, 1")


@pytest.mark.parametrize(("backend", "most"), [("onnxruntime", 4), ("python", 4), ("pytorch", 4)])
def test_a_sample_larger_than_the_largest_batch_is_refused(backend: str, most: int) -> None:
    """NVIDIA's backends count the rows that warmup brings past the scheduler."""
    text = f"{WHOLE.replace('tiny', backend)} {PLATFORMS.get(backend, '')}"
    value = "data_type: TYPE_FP32 dims: 4 zero_data: true"
    for size, count in ((most, 0), (most + 1, 1)):
        sample = f'model_warmup {{ batch_size: {size} inputs {{ key: "x" value {{ {value} }} }} }}'
        found = refusals(f"{text} {sample}")
        assert len(found) == count


def test_labels_outside_of_the_folder_are_refused_from_26_02_on(tmp_path: Path) -> None:
    """The same path is read by 24.10 and refused by 26.02."""
    lay_out(tmp_path / "M", {"inside": b""})
    lay_out(tmp_path, {"outside": b""})
    given = {**config(y('label_filename: "../outside"', "").text), "name": "M"}
    files = ModelFiles(tmp_path / "M")

    assert core.loaded(given, server=core.Server(release=(24, 10)), files=files) == []
    assert [one.code for one in core.loaded(given, server=core.Server(release=(26, 2)), files=files)] == [
        "C225"
    ]


@pytest.mark.parametrize("path", ["\\000", "a\\000b", "\\377", "../" * 40, "a" * 5000, "/", "."])
def test_a_path_that_no_file_can_have_is_only_not_there(path: str, tmp_path: Path) -> None:
    """Whatever bytes a path is made of, the file is missed, or is a folder."""
    given = {**config(y(f'label_filename: "{path}"', "").text), "name": "M"}
    found = core.loaded(given, server=core.Server(release=(26, 2)), files=ModelFiles(tmp_path))
    assert [one.code for one in found] == ["C225"]


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        (WHOLE.replace("TYPE_FP32", "99", 1), "request", "C234"),
        (f'{WHOLE} input {{ name: "x" data_type: TYPE_FP32 dims: 4 }}', "request", "C235"),
    ],
)
def test_what_no_request_can_satisfy_is_an_error(text: str, kind: str, code: str) -> None:
    """It loads, and then refuses every request."""
    (refusal,) = refusals(text)
    assert (refusal.kind, refusal.code) == (kind, code)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ('model_warmup { inputs { key: "x" value { data_type: TYPE_INT64 random_data: true } } }', "C231"),
        ("dynamic_batching {} max_batch_size: 1", "C232"),
        ("dynamic_batching {}", "C232"),
    ],
)
def test_what_loads_and_surprises_is_told(more: str, code: str) -> None:
    """A warning, and no refusal."""
    given = {**config(f'backend: "tiny" {more}'), "name": "M"}
    assert [(one.kind, one.code) for one in core.surprises(given, core.Server())] == [("surprise", code)]


def test_the_unknown_agent_of_the_images_is_checksum() -> None:
    """The agent that NVIDIA's images hold is none that is missed."""
    assert refusals(f'{WHOLE} model_repository_agents {{ agents {{ name: "checksum" }} }}') == []


def test_metrics_are_whole() -> None:
    """Each part of a metric that is left out is asked for."""
    for control, words in {
        "": "metric control must specify 'metric_identifier'",
        "metric_identifier {}": "metric identifier must specify non-empty 'family'",
        'metric_identifier { family: "a" }': "metric control must specify 'histogram_options'",
        'metric_identifier { family: "a" } histogram_options {}': (
            "histogram options must specify non-empty 'buckets'"
        ),
    }.items():
        text = f"{WHOLE} model_metrics {{ metric_control {{ {control} }} }}"
        assert [one.message for one in refusals(text)] == [words]
