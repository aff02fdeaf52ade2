"""MLflow's model server: `python -m … PORT` saves the model, then becomes the server."""

import os
import sys
import tempfile
from typing import Any

import mlflow.pyfunc

from benchmarks.serving.contestants.savedmodel import SavedModel


class Sentiment(mlflow.pyfunc.PythonModel):
    """Classifies texts."""

    def load_context(self, context: Any) -> None:
        """Load the model."""
        self.model = SavedModel()

    def predict(self, context: Any, model_input: list[str]) -> list[dict[str, Any]]:
        """Classify texts."""
        return self.model.classify(list(model_input))


if __name__ == "__main__":
    folder = os.path.join(tempfile.mkdtemp(), "model")
    from benchmarks.serving.contestants.mlflow_app import Sentiment as Importable

    mlflow.pyfunc.save_model(folder, python_model=Importable(), pip_requirements=[])
    mlflow_command = os.path.join(os.path.dirname(sys.executable), "mlflow")
    arguments = ["models", "serve", "-m", folder, "-h", "127.0.0.1", "-p", sys.argv[1]]
    os.execv(mlflow_command, [mlflow_command, *arguments, "--env-manager", "local", "-w", "1"])
