"""A prediction service for one trained model: raw examples in, predictions out.

It needs the two files beside it, model.onnx and model.json, and the packages of requirements.txt. Start it with

    uvicorn app:app --host 127.0.0.1 --port 8000
"""

import json
import math
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnxruntime
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

HERE = Path(__file__).resolve().parent
MAX_EXAMPLES = 256
MAX_BODY_BYTES = 8 * 2**20
MAX_TOKEN = 40

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Refused(ValueError):
    """An example that cannot be read; the words say why."""


class Model:
    """The description, the ONNX session, and the way from a raw example to a prediction."""

    def __init__(self, folder: Path) -> None:
        self.about: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        self.input: dict[str, Any] = self.about["input"]
        self.numbers = {token: number for number, token in enumerate(self.input.get("vocabulary", ()))}

    def predictions(self, examples: list[Any]) -> list[dict[str, Any]]:
        """One prediction for each example.

        Raises:
            Refused: an example cannot be read; the message names it.
        """
        rows = []
        for place, example in enumerate(examples):
            try:
                rows.append(self._row(example))
            except Refused as reason:
                raise Refused(f"example {place}: {reason}") from None
        outputs = self.session.run(None, {self.session.get_inputs()[0].name: self._prepared(np.stack(rows))})[0]
        return [self._told(output) for output in np.asarray(outputs, np.float64)]

    def _row(self, example: Any) -> np.ndarray:
        """One example as an array, before any preparation."""
        modality = self.about["modality"]
        if modality == "sequence":
            return self._sentence(example)
        return self._image(example) if modality == "image" else self._columns(example)

    def _sentence(self, example: Any) -> np.ndarray:
        (length,) = self.input["shape"]
        if isinstance(example, str):
            if self.input["tokens"] is None:
                raise Refused("send a list of tokens: these texts were not cut into tokens here")
            example = tokens(example, self.input["tokens"], self.input["word"])
        if not isinstance(example, list) or not all(isinstance(token, str) for token in example):
            raise Refused("it must be a text, or a list of tokens")
        found = [self.numbers.get(token, 1) for token in example[:length]] or [1]
        return np.array([0] * (length - len(found)) + found, np.int64)

    def _image(self, example: Any) -> np.ndarray:
        shape = tuple(self.input["shape"])
        try:
            pixels = np.asarray(example, np.float64)
        except (TypeError, ValueError):
            raise Refused("it must be nested lists of numbers, all rows of one length") from None
        if shape[0] == 1 and pixels.shape == shape[1:]:
            pixels = pixels[None]
        if pixels.shape != shape:
            raise Refused(f"its shape is {list(pixels.shape)}, it must be {list(shape)} (channels, rows, columns)")
        if not np.all((pixels >= 0) & (pixels <= 255)):
            raise Refused(f"pixels go from 0 (black) to {self.input['brightest']} (white)")
        return pixels.astype(np.float32)

    def _columns(self, example: Any) -> np.ndarray:
        (n,) = self.input["shape"]
        names = self.input["names"] or [f"column {i + 1}" for i in range(n)]
        if isinstance(example, dict):
            unknown = [name for name in example if name not in names]
            missing = [name for name in names if name not in example]
            if unknown or missing:
                raise Refused(f"unknown columns {unknown[:5]}, missing columns {missing[:5]} (null is a gap)")
            example = [example[name] for name in names]
        if not isinstance(example, list) or len(example) != n:
            raise Refused(f"it must be an object with the {n} columns, or a list of {n} values")
        categories = self.input["categories"] or [[]] * n
        cells = [self._cell(*each) for each in zip(names, example, categories, strict=True)]
        return np.array(cells, np.float32)

    def _cell(self, name: str, value: Any, categories: list[str]) -> float:
        if value is None and self.input["stand_ins"] is not None:
            return math.nan
        if categories:
            if value not in categories:
                raise Refused(f"{name!r} must be one of {categories[:20]}")
            return float(categories.index(value))
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
            raise Refused(f"{name!r} must be a number")
        return float(value)

    def _prepared(self, x: np.ndarray) -> np.ndarray:
        """Raw examples as the network receives them: gaps filled, categories spread, scaled, projected."""
        if self.about["modality"] == "sequence":
            return x
        if self.input["stand_ins"] is not None:
            x = np.where(np.isnan(x), np.array(self.input["stand_ins"], np.float32), x)
        if self.input["one_hot"]:
            x = one_hot(x, self.input["categories"])
        if projection := self.input["projection"]:
            flat = x.reshape(len(x), -1).astype(np.float64)
            return np.asarray((flat - np.array(projection["centre"])) @ np.array(projection["directions"]), np.float32)
        shift, scale = array(self.input["shift"]), array(self.input["scale"])
        return np.asarray((x.astype(np.float32) - shift) * scale, np.float32)

    def _told(self, output: np.ndarray) -> dict[str, Any]:
        """One row of outputs as classes with probabilities, or as a number in its own unit."""
        if not np.isfinite(output).all():
            return {"error": "the model gives no finite number for this example"}
        if self.about["task"] == "regression":
            return {"value": float(output[0] * self.about["output"]["scale"] + self.about["output"]["shift"])}
        shares = probabilities(output, self.about["output"]["form"])
        names = self.about["classes"]
        best = int(np.argmax(shares))
        return {"class": names[best], "probabilities": dict(zip(names, map(float, shares), strict=True))}


def probabilities(output: np.ndarray, form: str) -> np.ndarray:
    """Probabilities of the classes; a single output is that of the second class."""
    if len(output) == 1:
        share = float(output[0]) if form == "sigmoid" else 0.5 * (1 + math.tanh(0.5 * float(output[0])))
        return np.array([1 - share, share])
    if form == "log-probability":
        return np.asarray(np.exp(output))
    if form == "probability":
        return output
    if form == "sigmoid":
        return np.asarray(output / max(float(output.sum()), 1e-12))
    powers = np.exp(output - output.max())
    return np.asarray(powers / powers.sum())


def one_hot(x: np.ndarray, categories: list[list[str]]) -> np.ndarray:
    """One 0-1 column for each category, in the place of its column."""
    blocks = [x[:, [i]] == np.arange(len(known)) if known else x[:, [i]] for i, known in enumerate(categories)]
    return np.concatenate([block.astype(np.float32) for block in blocks], axis=1)


def tokens(text: str, kind: str, word: str) -> list[str]:
    """A text as the tokens that the model was trained on."""
    if kind == "word":
        return [found[:MAX_TOKEN] for found in re.findall(word, text.lower())]
    return list(" ".join(text.lower().split()))


def array(told: dict[str, Any]) -> np.ndarray:
    """Numbers with their shape."""
    return np.array(told["values"], np.float32).reshape(told["shape"])


class BodyLimit:
    """Answers 413 to a request that sends more than MAX_BODY_BYTES, without reading on."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > MAX_BODY_BYTES:
                await refuse(send, f"a request has at most {MAX_BODY_BYTES:,} bytes")
                return
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        whole = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self.inner(scope, replay, send)


async def refuse(send: Send, why: str) -> None:
    """An answer 413 in the form of all other refusals."""
    body = json.dumps({"detail": why}).encode()
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


class Question(BaseModel):
    """What /predict takes."""

    model_config = ConfigDict(extra="forbid")
    examples: Annotated[list[Any], Field(min_length=1, max_length=MAX_EXAMPLES)]


model = Model(HERE)
app = FastAPI(title="Prediction service made by Layerwise")
app.add_middleware(BodyLimit)


@app.get("/health")
def health() -> dict[str, str]:
    """Whether the model is loaded."""
    return {"status": "ok"}


@app.get("/about")
def about() -> dict[str, Any]:
    """What an example is, and what is predicted."""
    told = {name: model.about[name] for name in ("modality", "task", "classes", "target")}
    wanted = {
        name: model.input[name] for name in ("shape", "names", "categories", "brightest", "tokens") if name in model.input
    }
    return told | {"input": wanted, "max_examples": MAX_EXAMPLES}


@app.post("/predict")
def predict(question: Question) -> dict[str, Any]:
    """A prediction for each example; 422 where one cannot be read."""
    try:
        found = model.predictions(question.examples)
    except Refused as reason:
        raise HTTPException(422, str(reason)) from None
    target = {"target": model.about["target"]} if model.about["task"] == "regression" else {}
    return target | {"predictions": found}
