"""Lightning with all extras off: no bar, no logger, no checkpoints, no summary."""

import logging
import os
import warnings

import lightning
import torch
from peers_clock import Clock, arguments, arrays, torch_model
from torch.utils.data import DataLoader, TensorDataset

os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)  # its import sets it, and every Adam step then looks for a GPU anew
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")
told = arguments()
torch.set_num_threads(1)
lightning.seed_everything(0, verbose=False)
clock = Clock(told.steps, torch=torch.__version__, lightning=lightning.__version__)


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = torch_model(told.model)
        self.loss_of = torch.nn.CrossEntropyLoss()

    def training_step(self, batch, _):
        return self.loss_of(self.model(batch[0]), batch[1])

    def on_train_batch_end(self, outputs, *_):
        clock.tick(outputs["loss"].item())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.001)


off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
trainer = lightning.Trainer(max_epochs=-1, accelerator="cpu", devices=1, **off)
data = TensorDataset(*(torch.from_numpy(array) for array in arrays(told.data)))
trainer.fit(Module(), DataLoader(data, batch_size=128, shuffle=True))
