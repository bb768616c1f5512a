"""What the server reads of a config.pbtxt, against what ours reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.spec.config_fields import unknown_to
from builder.spec.releases import release
from tests.live.core_server import NOT_READ, CoreServer, core_server
from tests.unit.pbtxt.grammar_cases import NOT_READ as TEXTS_NOT_READ
from tests.unit.pbtxt.grammar_cases import READ as TEXTS_READ


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreServer]:
    with core_server(Path(tmp_path_factory.mktemp("grammar"))) as server:
        yield server


def reads(server: CoreServer, text: str) -> bool:
    return NOT_READ not in server.ask({"config.pbtxt": text, "1/": ""}).words


@pytest.mark.parametrize("text", TEXTS_READ)
def test_the_server_reads_what_we_read(text: str, server: CoreServer) -> None:
    """Each text of the list is read by the server."""
    assert reads(server, text)


@pytest.mark.parametrize("text", TEXTS_NOT_READ)
def test_the_server_does_not_read_what_we_do_not(text: str, server: CoreServer) -> None:
    """Each text of the other list is not."""
    assert not reads(server, text)


FIELDS = {
    "ModelConfig.model_metrics": "model_metrics {}",
    "ModelConfig.runtime": 'runtime: "a"',
    "ModelEnsembling.Step.model_namespace": 'ensemble_scheduling { step { model_namespace: "a" } }',
    "ModelEnsembling.max_inflight_requests": "ensemble_scheduling { max_inflight_requests: 1 }",
    "ModelInput.is_non_linear_format_io": "input { is_non_linear_format_io: true }",
    "ModelOutput.is_non_linear_format_io": "output { is_non_linear_format_io: true }",
    "ModelSequenceBatching.State.use_growable_memory": "sequence_batching { state { use_growable_memory: true } }",
    "ModelSequenceBatching.State.use_same_buffer_for_input_output": (
        "sequence_batching { state { use_same_buffer_for_input_output: true } }"
    ),
    "ModelSequenceBatching.StrategyOldest.preserve_ordering": (
        "sequence_batching { oldest { preserve_ordering: true } }"
    ),
    "ModelSequenceBatching.iterative_sequence": "sequence_batching { iterative_sequence: true }",
    "ModelWarmup.count": "model_warmup { count: 1 }",
    "BATCH_ITEM_SHAPE": "batch_input { kind: BATCH_ITEM_SHAPE }",
    "BATCH_ITEM_SHAPE_FLATTEN": "batch_input { kind: BATCH_ITEM_SHAPE_FLATTEN }",
    "TYPE_BF16": "input { data_type: TYPE_BF16 }",
}


@pytest.mark.parametrize("name", FIELDS)
def test_the_server_knows_what_the_table_says(name: str, server: CoreServer) -> None:
    """A field or value that 24.10 does not have yet is the one that its server cannot read."""
    assert reads(server, FIELDS[name]) == (name not in unknown_to(release("24.10")))


def test_every_row_of_the_table_is_asked() -> None:
    """No field or value of the table goes without a question."""
    assert FIELDS.keys() == unknown_to(release("22.01")).keys()
