"""What the repository has of a pipeline's steps."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder import repository, wiring
from builder.errors import RepositoryError
from builder.flow.note import read_note
from builder.pbtxt.schema import parse
from builder.repository import Published
from builder.repository.record import file_hashes, hash_of
from builder.spec.hashing import file_sha256
from builder.spec.pipeline import Wired
from builder.spec.project import Backend, Model, Pipeline, Project, ReadProject, triton_names
from builder.spec.tensors import Signature, Tensor
from builder.wiring import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The newest version of a model that is a step."""

    published: Published
    known: Known
    sha256: str
    """Over its files and its config."""

    @property
    def backend(self) -> Backend:
        """Which runtime opens its file."""
        return Backend.of_triton(self.known.backend)

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs."""
        return Signature(inputs=_tensors(self.known.inputs), outputs=_tensors(self.known.outputs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that a pipeline is made of, the steps of its steps included, by names in the repository."""

    parts: Mapping[str, Part]
    models: Mapping[str, Model]
    """Entries in trb.yaml; of pipelines that are steps, what stands for one."""
    inner: Mapping[str, Wired]
    """The pipelines that are steps, as trb.yaml has them."""

    @property
    def known(self) -> Mapping[str, Known]:
        """What wiring knows of each."""
        return {name: part.known for name, part in self.parts.items()}

    @property
    def versions(self) -> Mapping[str, str]:
        """The hash of each version."""
        return {name: part.sha256 for name, part in self.parts.items()}


def find_parts(read: ReadProject, pipeline: Pipeline) -> Parts:
    """Return the newest version of every step's model.

    Raises:
        RepositoryError: one is not there.
    """
    entries = _entries(read.project)
    parts: dict[str, Part] = {}
    models: dict[str, Model] = {}
    inner: dict[str, Wired] = {}
    for name in wiring.models_of(pipeline):
        part = part_of(read.repository, name, entries.get(name))
        parts[name] = part
        if name in entries:
            models[name] = entries[name]
        if part.known.backend == Backend.ENSEMBLE.triton and part.published.is_recorded:
            own = read.project.pipelines.get(name)
            if own is not None:
                below = find_parts(read, own)
                inner |= {**below.inner, name: read_note(part.published.folder).written}
                parts = {**below.parts, **parts}
                models |= {**below.models, name: wiring.as_model(inner[name], below.models, own)}
    return Parts(parts=parts, models=models, inner=inner)


def _entries(project: Project) -> Mapping[str, Model]:
    return {t: model for name, model in project.models.items() for t in triton_names(name, model).values()}


def part_of(root: Path, name: str, model: Model | None) -> Part:
    """Return the newest version of a model.

    Args:
        root: the repository.
        name: the model's name in it.
        model: its entry in trb.yaml, if it has one.

    Raises:
        RepositoryError: it is not there, or cannot be read.
    """
    published = repository.latest(root, name)
    if published.is_recorded:
        record = published.record
        return Part(published=published, known=wiring.of_record(record, model), sha256=hash_of(record))
    known = _of_config(name, published.config)
    listing = "".join(f"{path}\0{sha}\n" for path, sha in file_hashes(published.folder).items())
    whole = hashlib.sha256(f"{file_sha256(published.config)}\0{listing}".encode()).hexdigest()
    return Part(published=published, known=known, sha256=whole)


def _of_config(name: str, path: Path) -> Known:
    """Return what the config.pbtxt of a model says that trb did not make."""
    from google.protobuf.text_format import ParseError

    try:
        known = wiring.of_config(parse(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ParseError) as error:
        raise RepositoryError(
            f"{path} cannot be read: {error}", fix=f"`trb lint {path}` shows what is wrong"
        ) from None
    faces = (*known.inputs.values(), *known.outputs.values())
    if not known.inputs or not known.outputs or any(face.dtype is None for face in faces):
        raise RepositoryError(
            f"{path} does not name all inputs and outputs of {name} with their data types, so that no step meets them",
            fix="list them there, each with `name`, `data_type` and `dims`; what Triton completes, it keeps to itself",
        )
    return known


def _tensors(faces: Mapping[str, wiring.Face]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(name=name, dtype=face.dtype, shape=face.shape)
        for name, face in faces.items()
        if face.dtype is not None and face.shape is not None
    )
