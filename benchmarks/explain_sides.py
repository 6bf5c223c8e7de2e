"""The two sides of `benchmarks.explain`, each in a process of its own: our methods, and the libraries with their defaults.

Both explain the same images with the same weights, and both give what the page shows: a map, and the prediction's logit and
probability. Ours runs as in the lens worker (NUMBA_DISABLE_JIT, which shap's loops need to be quick at the first call); theirs
with numba's compiler, warm.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

Map = np.ndarray
"""(H, W) float64: more speaks for the class."""
SIDE = 28
N_BACKGROUND = {"deep_shap": 20, "expected_gradients": 50}
"""As our methods take them by default; the libraries have no default of their own."""
WINDOW = 5


class Ours:
    """Our methods, by kind, with changes of their fields."""

    def __init__(self, given: dict[str, Any]) -> None:
        from core.explanation.explainer import Subject
        from core.explanation.menu import AnyExplainer
        from core.explanation.prepared import prepared_model
        from core.spec import choice_class

        self._make = lambda kind, fields: choice_class(AnyExplainer, kind)(**fields)
        self._given = given
        module = prepared_model(network(given["state"]))
        import torch

        self._subjects = [
            Subject(
                module=module,
                x=torch.from_numpy(given["images"][i : i + 1]),
                background=torch.from_numpy(given["background"]),
                target=int(given["targets"][i]),
                class_names=tuple("0123456789"),
                feature_names=(),
                pixels=(given["images"][i, 0] * 255).astype(np.uint8),
                feature_values=None,
                step=0,
                seed=i,
            )
            for i in range(len(given["images"]))
        ]

    def explained(self, kind: str, i: int, fields: dict[str, Any]) -> Map:
        """The map of image `i`."""
        found = self._make(kind, fields).attribute(self._subjects[i], lambda done, total: None)
        return np.asarray(found.values, float)


class Theirs:
    """The libraries, each with its defaults. What has no default is as in ours: window, background, patches of a game."""

    def __init__(self, given: dict[str, Any]) -> None:
        import torch

        self.model = network(given["state"])
        self.images = given["images"]
        self.targets = [int(target) for target in given["targets"]]
        self.background = torch.from_numpy(given["background"])
        self.fill = float(given["background"].mean())
        self.x = [torch.from_numpy(given["images"][i : i + 1]) for i in range(len(given["images"]))]
        self.methods: dict[str, Callable[[int], Map]] = {name: getattr(self, name) for name in METHODS}

    def explained(self, kind: str, i: int, fields: dict[str, Any]) -> Map:
        """The map of image `i`, after a pass for the prediction's logit and probability, which ours gives too."""
        import torch

        with torch.no_grad():
            outputs = self.model(self.x[i])
            float(outputs[0, self.targets[i]]), float(outputs.softmax(1)[0, self.targets[i]])
        return self.methods[kind](i)

    def grad_cam(self, i: int) -> Map:
        from captum.attr import LayerAttribution, LayerGradCam

        cam = LayerGradCam(self.model, self.model[3]).attribute(self.x[i], target=self.targets[i])
        return _plain(LayerAttribution.interpolate(cam, (SIDE, SIDE)))

    def saliency(self, i: int) -> Map:
        from captum.attr import Saliency

        return _plain(Saliency(self.model).attribute(self._x(i), target=self.targets[i]))

    def smooth_grad(self, i: int) -> Map:
        from captum.attr import NoiseTunnel, Saliency

        return _plain(NoiseTunnel(Saliency(self.model)).attribute(self._x(i), target=self.targets[i]))

    def input_x_gradient(self, i: int) -> Map:
        from captum.attr import InputXGradient

        return _plain(InputXGradient(self.model).attribute(self._x(i), target=self.targets[i]))

    def integrated_gradients(self, i: int) -> Map:
        from captum.attr import IntegratedGradients

        return _plain(IntegratedGradients(self.model).attribute(self._x(i), target=self.targets[i]))

    def occlusion(self, i: int) -> Map:
        from captum.attr import Occlusion

        shapes = (1, WINDOW, WINDOW)
        return _plain(Occlusion(self.model).attribute(self.x[i], sliding_window_shapes=shapes, target=self.targets[i]))

    def deep_shap(self, i: int) -> Map:
        explainer = _shap().DeepExplainer(self.model, self._rows("deep_shap"))
        return np.asarray(explainer.shap_values(self.x[i]))[0, 0, :, :, self.targets[i]]

    def expected_gradients(self, i: int) -> Map:
        explainer = _shap().GradientExplainer(self.model, self._rows("expected_gradients"))
        return np.asarray(explainer.shap_values(self.x[i]))[0, 0, :, :, self.targets[i]]

    def lime_image(self, i: int) -> Map:
        from lime.lime_image import LimeImageExplainer

        def predict(images: np.ndarray) -> np.ndarray:  # (N, H, W, 3) -> (N, K)
            return self._outputs(images[..., :1].transpose(0, 3, 1, 2), is_probability=True)

        found = LimeImageExplainer().explain_instance(self.images[i, 0].astype(float), predict)
        weights = dict(found.local_exp[self.targets[i]])
        return np.vectorize(lambda label: weights.get(label, 0.0))(found.segments)

    def shap_superpixels(self, i: int) -> Map:
        segments, none = self._patches(i)
        masker = _shap().maskers.Independent(none)
        found = _shap().PermutationExplainer(self._game(i, segments), masker)(none + 1, silent=True)
        return np.asarray(found.values)[0, :, self.targets[i]][segments]

    def kernel_shap(self, i: int) -> Map:
        segments, none = self._patches(i)
        values = _shap().KernelExplainer(self._game(i, segments), none).shap_values(none + 1, silent=True)
        return np.asarray(values)[0, :, self.targets[i]][segments]

    def shap_partition(self, i: int) -> Map:
        shape = (SIDE, SIDE, 1)
        masker = _shap().maskers.Image(np.full(shape, self.fill), shape)
        explainer = _shap().PartitionExplainer(lambda images: self._outputs(images.transpose(0, 3, 1, 2)), masker)
        found = explainer(self.images[i].transpose(1, 2, 0)[None].astype(float), silent=True)
        return np.asarray(found.values)[0, :, :, 0, self.targets[i]]

    def _rows(self, kind: str) -> Any:
        """The rows of the background that ours takes."""
        places = np.linspace(0, len(self.background) - 1, N_BACKGROUND[kind]).round().astype(int)
        return self.background[places]

    def _x(self, i: int) -> Any:
        return self.x[i].clone().requires_grad_()

    def _outputs(self, images: np.ndarray, *, is_probability: bool = False) -> np.ndarray:
        import torch

        with torch.no_grad():
            outputs = self.model(torch.from_numpy(np.ascontiguousarray(images, np.float32)))
            return (outputs.softmax(1) if is_probability else outputs).numpy()

    def _patches(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Patches, as ours are, and a row of zeros with one place for each."""
        from core.explanation.segments import superpixels

        segments = superpixels((self.images[i, 0] * 255).astype(np.uint8) / 255.0, 49)
        return segments, np.zeros((1, int(segments.max()) + 1))

    def _game(self, i: int, segments: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        def outputs(rows: np.ndarray) -> np.ndarray:
            shown = rows[:, segments] > 0.5  # (N, H, W)
            return self._outputs(np.where(shown, self.images[i, 0], self.fill)[:, None])

        return outputs


METHODS = (
    "grad_cam",
    "saliency",
    "smooth_grad",
    "input_x_gradient",
    "integrated_gradients",
    "occlusion",
    "deep_shap",
    "expected_gradients",
    "lime_image",
    "shap_superpixels",
    "kernel_shap",
    "shap_partition",
)


def network(state: dict[str, Any] | None = None) -> Any:
    """A CNN for 28 × 28 grey images with 106 thousand weights, in evaluation mode."""
    from torch import nn

    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    if state is not None:
        model.load_state_dict(state)
    return model.eval()


def serve(side: str, given: dict[str, Any], pipe: Connection) -> None:
    """Answer (kind, image, fields, repeats) with (CPU seconds of one explanation, map), until None comes."""
    if side == "ours":
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)
    with _quiet():
        one = Ours(given) if side == "ours" else Theirs(given)
        while (asked := pipe.recv()) is not None:
            kind, i, fields, repeats = asked
            began = time.process_time()
            for _ in range(repeats):
                found = one.explained(kind, i, fields)
            pipe.send(((time.process_time() - began) / repeats, found))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without tqdm's bars and the libraries' warnings."""
    import contextlib
    import io
    import warnings

    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _shap() -> Any:
    import shap

    return shap


def _plain(found: Any) -> Map:
    return found[0, 0].detach().double().numpy()
