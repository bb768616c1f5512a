"""The tensors that `sequence_batching` adds to a model's inputs."""

from builder.rules.refusal import Config


def control_names(config: Config) -> tuple[str, ...]:
    """Return the names of the control tensors that the server adds to every request."""
    return tuple(control.get("name", "") for control in _block(config).get("control_input") or ())


def tensor_count(config: Config) -> int:
    """Return how many inputs of the model come from controls and states rather than from the client."""
    return len(control_names(config)) + len(_block(config).get("state") or ())


def _block(config: Config) -> Config:
    block: Config = config.get("sequence_batching") or {}
    return block
