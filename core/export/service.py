"""A folder that answers over HTTP: the app, the model as ONNX, the preparation as numbers, and how to start it."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core import VERSION
from core.data.dataset import DatasetChoice, Splits
from core.export.description import description, description_bytes, raw_example
from core.models.output import OutputForm

EXAMPLES = 3
NEEDED = {"fastapi": "0.115", "uvicorn": "0.30", "numpy": "1.26", "onnxruntime": "1.17", "pydantic": "2.7"}
"""Packages of the service, and the least version of each."""
README = """# Prediction service

One trained model behind an HTTP address. It needs Python 3.10 or newer, and no PyTorch.

    pip install -r requirements.txt
    uvicorn app:app --host 127.0.0.1 --port 8000

Ask it, from this folder:

    curl -s http://127.0.0.1:8000/health
    curl -s -H "content-type: application/json" -d @example.json http://127.0.0.1:8000/predict

| address | gives |
|---|---|
| GET /health | `{"status": "ok"}` once the model is loaded |
| GET /about | what an example is, and what is predicted |
| POST /predict | `{"examples": [...]}` in, `{"predictions": [...]}` out; 422 with the reason where an example cannot be read |

Examples are raw, as in the data before any preparation; model.json holds the preparation that was fitted on the training
examples, and the service applies it. __FORM__ A request has at most 256 examples and 8 MB.

It has no accounts and no encryption: keep it on 127.0.0.1, or put it behind a server that has both.
"""
FORMS = {
    "image": "An image is nested lists of pixels (channels, rows, columns), from 0 to 255.",
    "tabular": "A row is an object with one value for each column: a number, the name of a category, or null for a gap.",
    "points": "A point is an object with one number for each feature.",
    "sequence": "A text is a string, or a list of tokens.",
}


def service_files(data: DatasetChoice, splits: Splits, form: OutputForm, onnx: bytes) -> dict[str, bytes]:
    """All files of the service, by name."""
    about = description(data, splits, form)
    return {
        "README.md": README.replace("__FORM__", _form(about)).encode(),
        "app.py": Path(__file__).with_name("service_app.py").read_bytes(),
        "requirements.txt": requirements().encode(),
        "model.json": description_bytes(about),
        "example.json": example_bytes(data, splits),
        "model.onnx": onnx,
    }


def example_bytes(data: DatasetChoice, splits: Splits) -> bytes:
    """The body of a first question: some validation examples."""
    n = min(EXAMPLES, len(splits.validation))
    examples = [raw_example(data, splits, index) for index in range(n)]
    return (json.dumps({"examples": examples}, ensure_ascii=False) + "\n").encode()


def requirements() -> str:
    """The packages of the service, from the least version on to the next major one of what is known here."""
    lines = [f"{name}>={least}{_below(name)}" for name, least in NEEDED.items()]
    return f"# Made by Layerwise {VERSION}\n" + "\n".join(lines) + "\n"


def _below(name: str) -> str:
    try:
        return f",<{int(version(name).split('.')[0]) + 1}"
    except (PackageNotFoundError, ValueError):
        return ""


def _form(about: dict[str, Any]) -> str:
    is_tokens_only = about["modality"] == "sequence" and about["input"]["tokens"] is None
    return "A text is a list of tokens." if is_tokens_only else FORMS[about["modality"]]
