"""What the server core refuses in an ensemble: its own config, and that config against the models of its steps.

Sources, each sentence heard from the core of 24.10: ValidateEnsembleSchedulingConfig in src/model_config_utils.cc,
ValidateEnsembleConfig in src/ensemble_utils.cc and DependencyGraph in src/model_repository_manager.cc of
triton-inference-server/core.
"""

from builder.rules.ensembles.against import against
from builder.rules.ensembles.alone import check
from builder.rules.ensembles.circles import in_circles
from builder.rules.ensembles.part import Part, Parts
from builder.rules.ensembles.steps import models
from builder.rules.ensembles.streams import derived

__all__ = ["Part", "Parts", "against", "check", "derived", "in_circles", "models"]
