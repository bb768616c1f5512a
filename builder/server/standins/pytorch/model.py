"""`backend: "pytorch"`, served from Python. Neither the genuine backend nor this one completes a config."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from builder.server.standins import environment, triton
from builder.server.standins.refused import LoadRefused


class TritonPythonModel:
    """One instance of one model; the name and the methods are Triton's."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model, or refuse it in the genuine backend's words."""
        from builder.server.standins import (
            torch_model,
        )  # here, so that auto-complete's own stub does not import torch

        config = json.loads(args["model_config"])
        path = Path(args["model_repository"], args["model_version"], config["default_model_filename"])
        try:
            environment.require_numpy_1()
            self._model = torch_model.load(config, path, any_device=args["model_instance_kind"] == "MODEL")
        except LoadRefused as refused:
            raise pb_utils.TritonModelException(str(refused)) from None
        self._batched = config["max_batch_size"] > 0
        environment.write_versions("pytorch", torch_model.VERSIONS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer all requests of one batch from one run."""
        return triton.respond(requests, self._model.run, batched=self._batched)
