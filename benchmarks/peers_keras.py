"""Keras 3 on its torch backend, by `fit` on arrays in memory, silent."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from keras import layers
from peers_clock import Clock, arguments, arrays

told = arguments()
torch.set_num_threads(1)
keras.utils.set_random_seed(0)
clock = Clock(told.steps, torch=torch.__version__, keras=keras.__version__)


class Count(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        clock.tick(logs["loss"])


def conv(n):
    return [layers.Conv2D(n, 3, activation="relu"), layers.MaxPooling2D()]


if told.model == "mlp":
    hidden = [layers.Flatten(), *(layers.Dense(128, activation="relu") for _ in range(2))]
else:
    hidden = [*conv(32), *conv(64), layers.Flatten(), layers.Dense(64, activation="relu")]
x, y = arrays(told.data)
x = x.transpose(0, 2, 3, 1).copy()  # (N, 1, 28, 28) -> (N, 28, 28, 1), Keras's own order
model = keras.Sequential([keras.Input((28, 28, 1)), *hidden, layers.Dense(10)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(0.001), loss=loss)
model.fit(x, y, batch_size=128, epochs=1_000_000, shuffle=True, verbose=0, callbacks=[Count()])
