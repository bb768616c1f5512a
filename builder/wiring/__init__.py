"""Steps of a pipeline, joined by the names of their tensors; no file is opened and no server asked."""

from builder.wiring.as_model import as_model, reader_of
from builder.wiring.compose import composed, traced
from builder.wiring.known import Face, Known, of_config, of_record, of_spec
from builder.wiring.laid import models_of
from builder.wiring.mistake import Mistake
from builder.wiring.wire import as_step, mistakes, wire

__all__ = [
    "Face",
    "Known",
    "Mistake",
    "as_model",
    "as_step",
    "composed",
    "mistakes",
    "models_of",
    "of_config",
    "of_record",
    "of_spec",
    "reader_of",
    "traced",
    "wire",
]
