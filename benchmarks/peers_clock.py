"""Times the steps of one process; for the peers, too, which import nothing of ours: run with this folder on the path."""

import argparse
import json
import os
import sys
import time

import numpy as np

WARM_STEPS = 30


def arguments():
    """What every peer is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=("mlp", "cnn"), required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--tamed", action="store_true", help="flush denormals, as our worker does")
    parser.add_argument("--bfloat16", action="store_true")
    return parser.parse_args()


def arrays(path):
    """Inputs (N, 1, 28, 28) float32 in [0, 1] and classes (N,) int64."""
    with np.load(path) as kept:
        return kept["x"].astype(np.float32) / np.float32(255), kept["y"]


class Clock:
    """Processor time per step, from the end of the warm-up on. With the last step the process ends, without clean-up."""

    def __init__(self, steps, **about):
        self.steps, self.about, self.count, self.began = steps, about, 0, 0.0
        self.marks = []

    def tick(self, loss):
        """A step is done; `loss` is its number in Python."""
        self.count += 1
        if self.count == WARM_STEPS:
            self.began = time.process_time()
        if self.count >= WARM_STEPS and (self.count - WARM_STEPS) % 50 == 0:
            self.marks.append(time.process_time())
        if self.count == WARM_STEPS + self.steps:
            spent = time.process_time() - self.began
            print(json.dumps({"us": spent / self.steps * 1e6, "marks": self.marks, "loss": float(loss), **self.about}))
            sys.stdout.flush()
            os._exit(0)


def torch_model(name):
    """The network as one writes it in torch: 784-128-128-10, or two convolutions of 32 and 64 maps with 64 hidden units."""
    from torch import nn

    if name == "mlp":
        hidden = (nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))
    first = (nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2))
    second = (nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(64 * 5 * 5, 64), nn.ReLU(), nn.Linear(64, 10))
