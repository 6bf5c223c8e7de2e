"""Makes tests/data/evidence_*.safetensors, the weights whose explanations are tested: `python -m tools.train_evidence`.

Trained by our own loop, the weights of the best epoch by validation loss. They are kept in the repository because training
takes a minute and the test seconds. A file holds the model's state_dict, float32, and nothing else.
"""

from typing import get_args

from safetensors.torch import save_file

from core.events import Artifact
from core.training.checkpoints import load_weights
from core.training.loop import train
from tests.core.explanation.evidence_models import Learned, evidence_experiment, weights_file


def make(learned: Learned) -> None:
    """Train one model and keep the weights of its best epoch."""
    best = last = b""
    for item in train(evidence_experiment(learned)):
        if isinstance(item, Artifact) and item.kind == "checkpoint":
            last = item.data
            best = item.data if item.name.startswith("best") else best
    state, _step = load_weights(best or last)
    weights_file(learned).parent.mkdir(exist_ok=True)
    save_file(state, weights_file(learned))


if __name__ == "__main__":
    for one in get_args(Learned):
        make(one)
