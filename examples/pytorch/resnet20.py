#!/usr/bin/python3
"""Trains resnet20 (He et al. 2016, with 1x1 convolutions in its shortcuts) on Fashion-MNIST in PyTorch, counts the test pictures that it gets
right, and exports it to ONNX.
usage: resnet20.py MODEL.onnx [EPOCHS]     default: 1 epoch; Fashion-MNIST as Debian's package dataset-fashion-mnist has it"""
import gzip
import sys

import numpy as np
import torch
from torch import nn

path, epochs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
torch.manual_seed(0)


def idx(name, header):
    with gzip.open(f"/usr/share/datasets/fashion-mnist/{name}-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def pictures(part):
    scaled = torch.from_numpy(idx(f"{part}-images-idx3", 16).reshape(-1, 1, 28, 28).astype(np.float32)) / 255
    return (scaled - 0.2860) / 0.3530, torch.from_numpy(idx(f"{part}-labels-idx1", 8).astype(np.int64))


class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.shortcut = nn.Identity()
        if stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.shortcut(x))


def resnet20():
    layers = [nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for inside, outside, stride in [(16, 16, 1), (16, 32, 2), (32, 64, 2)]:
        layers += [Block(inside, outside, stride), Block(outside, outside, 1), Block(outside, outside, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


model = resnet20()
x, y = pictures("train")
batch = 128
steps = epochs * (len(x) // batch)
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)
model.train()
for epoch in range(epochs):
    for at in torch.randperm(len(x)).split(batch)[: len(x) // batch]:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[at]), y[at]).backward()
        optimizer.step()
        schedule.step()

model.eval()
x, y = pictures("t10k")
with torch.no_grad():
    right = sum((model(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), y.split(500)))
print(f"{right} of {len(y)} test pictures right")

# PRESERVE keeps batch-norms as they are, so that QAT can go on with their statistics; else they are folded into the convolutions.
torch.onnx.export(model, x[:1], path, opset_version=13, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                  input_names=["image"], output_names=["logits"], dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}})
