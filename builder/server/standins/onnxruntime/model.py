"""`backend: "onnxruntime"`, served from Python."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from builder.rules import onnxruntime as rules
from builder.server.standins import environment, triton
from builder.server.standins.refused import LoadRefused


class TritonPythonModel:
    """One instance of one model; the name and the methods are Triton's."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Fill in inputs, outputs and batching from the model, as the genuine backend does."""
        config = auto_complete_model_config.as_dict()
        if rules.wants_completion(config):
            from builder.server.standins import (
                ort_model,
            )  # only a config with gaps pays for importing ONNX Runtime

            try:
                config.update(ort_model.complete(config, triton.model_path(), environment.target_release()))
            except LoadRefused as refused:
                raise pb_utils.TritonModelException(str(refused)) from None
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model, or refuse it in the genuine backend's words."""
        from builder.server.standins import ort_model

        config = json.loads(args["model_config"])
        path = Path(args["model_repository"], args["model_version"], config["default_model_filename"])
        try:
            environment.require_numpy_1()
            self._model = ort_model.load(config, path, environment.target_release())
        except LoadRefused as refused:
            raise pb_utils.TritonModelException(str(refused)) from None
        self._batched = config["max_batch_size"] > 0
        environment.write_versions("onnxruntime", ort_model.VERSIONS)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer all requests of one batch from one run."""
        return triton.respond(requests, self._model.run, batched=self._batched)
