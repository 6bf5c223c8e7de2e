"""The loop of every tutorial: DataLoader, model, torch.optim's default, loss.item()."""

import torch
from peers_clock import Clock, arguments, arrays, torch_model
from torch.utils.data import DataLoader, TensorDataset

told = arguments()
torch.set_num_threads(1)
if told.tamed:
    torch.set_flush_denormal(True)
torch.manual_seed(0)
x, y = (torch.from_numpy(array) for array in arrays(told.data))
loader = DataLoader(TensorDataset(x, y), batch_size=128, shuffle=True)
model = torch_model(told.model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
loss_of = torch.nn.CrossEntropyLoss()
clock = Clock(told.steps, torch=torch.__version__)
while True:
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = loss_of(model(inputs), targets)
        loss.backward()
        optimizer.step()
        clock.tick(loss.item())
