"""The model repository on disk: staged aside, published in one step, never changed. Standard library only."""

from builder.repository.faults import out_of_room
from builder.repository.layout import model_folder
from builder.repository.live import append_live, read_live
from builder.repository.lock import lock
from builder.repository.publish import publish, require_publishable
from builder.repository.read import Published, latest, models, require_a_model, version_folder, versions
from builder.repository.record import read_record, version_hash
from builder.repository.signature import breaks
from builder.repository.stage import recover, stage
from builder.repository.state import State, is_intact, load_state, save_state
from builder.repository.verify import strangeness, verify, verify_files
from builder.spec.places import home, logs

__all__ = [
    "Published",
    "State",
    "append_live",
    "breaks",
    "home",
    "is_intact",
    "latest",
    "load_state",
    "lock",
    "logs",
    "model_folder",
    "models",
    "out_of_room",
    "publish",
    "read_live",
    "read_record",
    "recover",
    "require_a_model",
    "require_publishable",
    "save_state",
    "stage",
    "strangeness",
    "verify",
    "verify_files",
    "version_folder",
    "version_hash",
    "versions",
]
