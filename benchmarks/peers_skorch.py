"""skorch without validation and without callbacks of its own."""

import skorch
import torch
from peers_clock import Clock, arguments, arrays, torch_model

told = arguments()
torch.set_num_threads(1)
torch.manual_seed(0)
clock = Clock(told.steps, torch=torch.__version__, skorch=skorch.__version__)


class Count(skorch.callbacks.Callback):
    def on_batch_end(self, net, batch=None, training=None, **more):
        clock.tick(net.history[-1, "batches", -1, "train_loss"])


x, y = arrays(told.data)
net = skorch.NeuralNetClassifier(
    torch_model(told.model),
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.001,
    batch_size=128,
    max_epochs=1_000_000,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[("count", Count())],
    callbacks__print_log=None,
    callbacks__valid_acc=None,
    verbose=0,
)
net.fit(x, y)
