"""Steps of a pipeline, joined by the names of their tensors; no file is opened and no server asked."""

from builder.wiring.known import Face, Known, of_spec
from builder.wiring.laid import models_of
from builder.wiring.mistake import Mistake
from builder.wiring.wire import as_step, mistakes, wire

__all__ = ["Face", "Known", "Mistake", "as_step", "mistakes", "models_of", "of_spec", "wire"]
