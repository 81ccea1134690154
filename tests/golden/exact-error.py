#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints how far the golden tensors of reference checkpoints are from exact arithmetic.

    tests/golden/exact-error.py [--reference FOLDER] [--orders N] [NAME ...]

Runs FOLDER/NAME.pt (../shared/reference beside the checkout; all names when none is given) on the
images of NAME.safetensors with PyTorch in float64 and prints a line a checkpoint:

    NAME  exact  fp32 fp32_any_order  fp16 fp16_any_order

all ||a - b|| / ||b|| of the worst head or of the rows decoded from them (`pred`), where b is
what is stored, which upstream computed in float32, and a is

    exact   what float64 gives
    fp32    the same with the images, the folded weights and the value of every convolution and of
            every sum of two values rounded to binary32; but a convolution that only such a sum
            reads is a part of it and not rounded by itself (engine/passes/fuse_shortcut.c)
    fp16    ... rounded to binary16, but for the heads' values, which stay binary32
    *_any_order  the worst of N such runs whose convolutions are summed term by term in float32,
            each run in another order (--orders N, 16 by default)

These are the constants of tests/model/test-forward.c. The last kind tells how much is chance: a
network of random weights amplifies each rounding, so that as good an engine with another order of
summation may lie twice as far away. Needs torch and numpy, but not upstream's code: the classes
below stand in for those that the checkpoints name."""
import argparse
import json
import pathlib
import sys
import types
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


# ---- what the checkpoints' classes compute; their parameters and submodules come from the file ----

class Conv(nn.Module):
    def forward(self, x):
        x = self.conv(x)
        return self.act(self.bn(x) if hasattr(self, "bn") else x)


class RepConv(nn.Module):
    def forward(self, x):
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return self.act(y if self.rbr_identity is None else y + self.rbr_identity(x))


class Engine:
    """How the engine that is imitated keeps values and sums: what Rounded, Shortcut ... do."""
    keep = None   # one of to_fp64 and its like
    order = None  # of a convolution's terms: None: exact sums, else a generator of permutations


def sum_in_order(x, weight, bias, stride, padding, groups):
    """A convolution whose terms are added one by one in float32."""
    n_terms, kernel_size = weight[0].numel(), weight.shape[2:]
    order = torch.randperm(n_terms, generator=Engine.order).tolist()
    columns = F.unfold(x, kernel_size, padding=padding, stride=stride).float()
    columns = columns.view(len(x), groups, 1, n_terms, -1)
    weight = weight.reshape(groups, -1, n_terms, 1).float()
    sums = bias.float().view(1, groups, -1, 1).expand(len(x), -1, -1, columns.shape[-1]).clone()
    for k in order:
        sums.addcmul_(weight[:, :, k], columns[:, :, :, k])
    width = (x.shape[3] + 2 * padding[1] - kernel_size[1]) // stride[1] + 1
    return sums.view(len(x), -1, sums.shape[-1] // width, width).double()


class Rounded(nn.Module):
    """A convolution and its activation as Engine computes them; is_kept: its value is rounded."""
    def __init__(self, weight, bias, conv, act, is_kept=True):
        super().__init__()
        self.weight, self.bias, self.act, self.is_kept = Engine.keep(weight), bias, act, is_kept
        self.how = {k: getattr(conv, k) for k in ("stride", "padding", "groups")}

    def forward(self, x):
        convolve = F.conv2d if Engine.order is None else sum_in_order
        y = self.act(convolve(x, self.weight, self.bias, **self.how))
        return Engine.keep(y) if self.is_kept else y


class MP(nn.Module):
    def forward(self, x):
        return self.m(x)


class SP(MP):
    pass


class Concat(nn.Module):
    def forward(self, xs):
        return torch.cat(xs, self.d)


class Shortcut(nn.Module):
    def forward(self, xs):
        return Engine.keep(xs[0] + xs[1])


class ReOrg(nn.Module):
    def forward(self, x):
        return torch.cat([x[..., i::2, j::2] for j in (0, 1) for i in (0, 1)], 1)


class DownC(nn.Module):
    def forward(self, x):
        return torch.cat((self.cv2(self.cv1(x)), self.cv3(self.mp(x))), 1)


class Bottleneck(nn.Module):
    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return Engine.keep(x + y) if self.add else y


class Res(nn.Module):
    def forward(self, x):
        y = self.cv3(self.cv2(self.cv1(x)))
        return Engine.keep(x + y) if self.add else y


class Stem(nn.Module):
    def forward(self, x):
        x = self.cv1(x)
        return self.cv4(torch.cat((self.cv3(self.cv2(x)), self.pool(x)), 1))


class CSPA(nn.Module):
    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class CSPB(nn.Module):
    def forward(self, x):
        x = self.cv1(x)
        return self.cv3(torch.cat((self.m(x), self.cv2(x)), 1))


class CSPC(nn.Module):
    def forward(self, x):
        return self.cv4(torch.cat((self.cv3(self.m(self.cv1(x))), self.cv2(x)), 1))


class SPP(nn.Module):
    def forward(self, x):
        x = self.cv1(x)
        return self.cv2(torch.cat([x] + [m(x) for m in self.m], 1))


class SPPCSPC(nn.Module):
    def forward(self, x):
        y = self.cv4(self.cv3(self.cv1(x)))
        y = self.cv6(self.cv5(torch.cat([y] + [m(y) for m in self.m], 1)))
        return self.cv7(torch.cat((y, self.cv2(x)), 1))


class Implicit(nn.Module):
    pass


class Detect(nn.Module):
    def forward(self, xs):
        heads = []
        for i, x in enumerate(xs[:self.nl]):
            x = self.m[i](x + self.ia[i].implicit if hasattr(self, "ia") else x)
            x = x * self.im[i].implicit if hasattr(self, "im") else x
            b, _, h, w = x.shape
            heads.append(x.view(b, self.na, self.no, h, w).permute(0, 1, 3, 4, 2))
        return heads


class Model(nn.Module):
    def forward(self, x):
        values = []
        for m in self.model:
            source = [m.f] if isinstance(m.f, int) else m.f
            inputs = [x if j == -1 else values[j] for j in source]
            x = m(inputs[0] if isinstance(m.f, int) else inputs)
            values.append(x)
        return x


COMMON = {c.__name__: c for c in (Conv, RepConv, MP, SP, Concat, Shortcut, ReOrg, DownC, Bottleneck,
                                  Res, SPP, SPPCSPC, Stem)}
COMMON |= {kind + c.__name__: c for kind in ("Bottleneck", "Res") for c in (CSPA, CSPB, CSPC)}
COMMON |= {"ImplicitA": Implicit, "ImplicitM": Implicit}
YOLO = {"Model": Model, "Detect": Detect, "IDetect": Detect, "IAuxDetect": Detect}


def stand_in():
    for name, classes in (("models", {}), ("models.common", COMMON), ("models.yolo", YOLO)):
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(classes)


# ---- folding and rounding ---------------------------------------------------------------------

def to_fp64(x):
    return x


def to_fp32(x):
    return x.float().double()


def to_fp16(x):
    return x.half().double()


def folded(conv, bn=None):
    """Weight and bias of a convolution and the batch norm behind it."""
    bias = torch.zeros_like(conv.weight[:, 0, 0, 0]) if conv.bias is None else conv.bias
    if bn is None:
        return conv.weight, bias
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return conv.weight * scale[:, None, None, None], bn.bias + (bias - bn.running_mean) * scale


def round_repconv(m):
    dense, pointwise = m.rbr_dense[0], m.rbr_1x1[0]
    weight, bias = folded(*m.rbr_dense)
    weight_1x1, bias_1x1 = folded(*m.rbr_1x1)
    weight, bias = weight + F.pad(weight_1x1, [1, 1, 1, 1]), bias + bias_1x1
    if m.rbr_identity is not None:
        one = nn.Conv2d(pointwise.in_channels, pointwise.out_channels, 1, bias=False).double()
        one.weight.data = torch.eye(pointwise.in_channels).double()[:, :, None, None]
        weight_one, bias_one = folded(one, m.rbr_identity)
        weight, bias = weight + F.pad(weight_one, [1, 1, 1, 1]), bias + bias_one
    return Rounded(weight, bias, dense, m.act)


def round_detect(m):
    for i in range(m.nl):
        weight, bias = folded(m.m[i])
        if hasattr(m, "ia"):
            bias = bias + weight[:, :, 0, 0] @ m.ia[i].implicit.flatten()
        if hasattr(m, "im"):
            scale = m.im[i].implicit.flatten()
            weight, bias = weight * scale[:, None, None, None], bias * scale
        m.m[i] = Rounded(weight, bias, m.m[i], nn.Identity(), is_kept=False)
    for name in ("ia", "im"):
        if hasattr(m, name):
            delattr(m, name)


def round_convolutions(module):
    if isinstance(module, Detect):
        round_detect(module)
    for name, child in module.named_children():
        if isinstance(child, Conv):
            weight, bias = folded(child.conv, getattr(child, "bn", None))
            replace(module, name, Rounded(weight, bias, child.conv, child.act))
        elif isinstance(child, RepConv):
            replace(module, name, round_repconv(child))
        elif not isinstance(child, Rounded):
            round_convolutions(child)


def fuse_shortcuts(model):
    """What only a sum reads is not rounded."""
    for m in model.modules():
        if isinstance(m, (Bottleneck, Res)) and m.add:
            (m.cv3 if isinstance(m, Res) else m.cv2).is_kept = False
    sources = [[i + j if j < 0 else j for j in ([m.f] if isinstance(m.f, int) else m.f)]
               for i, m in enumerate(model.model)]
    for m, source in zip(model.model, sources):
        last = max(source)  # by then the other value is there
        if isinstance(m, Shortcut) and isinstance(model.model[last], Rounded):
            model.model[last].is_kept = sum(s.count(last) for s in sources) > 1


def replace(module, name, rounded):
    rounded.f = getattr(getattr(module, name), "f", -1)  # of a layer: where its input is from
    setattr(module, name, rounded)


# ---- files ------------------------------------------------------------------------------------

def read_safetensors(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    return {name: np.frombuffer(data, np.float32, np.prod(t["shape"], dtype=int),
                                start + t["data_offsets"][0]).reshape(t["shape"])
            for name, t in header.items() if name != "__metadata__"}


def load_model(folder, name):
    file = torch.load(folder / f"{name}.pt", map_location="cpu")
    if "model" in file:
        model = file.get("ema") or file["model"]
    else:  # the one bare state dict is of v7-best's layers, but without implicits
        model = load_model(folder, "v7-best")
        del model.model[-1].ia, model.model[-1].im
        model.load_state_dict(file)
    return model.double().eval()


def decode(detect, heads):
    rows = []
    for head, stride, anchors in zip(heads, detect.stride, detect.anchor_grid):
        b, _, h, w, no = head.shape
        y = head.sigmoid()
        grid = torch.stack((torch.arange(w).expand(h, w), torch.arange(h)[:, None].expand(h, w)), -1)
        y[..., :2] = (2 * y[..., :2] - 0.5 + grid) * stride
        y[..., 2:4] = (2 * y[..., 2:4]) ** 2 * anchors
        rows.append(y.reshape(b, -1, no))
    return torch.cat(rows, 1)


def worst(model, images, golden):
    heads = model(images)
    ours = {f"head.{i}": head for i, head in enumerate(heads)}
    ours["pred"] = decode(model.model[-1], heads)
    return max(float(np.linalg.norm(ours[k].numpy() - golden[k]) / np.linalg.norm(golden[k]))
               for k in ours)


def measure_kept(folder, name, golden, keep, n_orders):
    images = keep(torch.from_numpy(golden["images"].copy()))
    Engine.keep = keep
    model = load_model(folder, name)
    round_convolutions(model)
    fuse_shortcuts(model)
    exact_sums = worst(model, images, golden)
    in_order = []
    for seed in range(n_orders):
        Engine.order = torch.Generator().manual_seed(seed)
        in_order.append(worst(model, images, golden))
    Engine.order = None
    return exact_sums, max(in_order, default=0)


def measure(folder, name, n_orders):
    golden = read_safetensors(folder / f"{name}.safetensors")
    images = torch.from_numpy(golden["images"].copy()).double()
    Engine.keep = to_fp64
    exact = worst(load_model(folder, name), images, golden)
    kept = [measure_kept(folder, name, golden, keep, n_orders) for keep in (to_fp32, to_fp16)]
    print(f"{name:16} {exact:.2e}", *(f" {a:.2e} {b:.2e}" for a, b in kept), flush=True)


def main():
    shared = pathlib.Path(__file__).resolve().parents[3] / "shared" / "reference"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=pathlib.Path, default=shared)
    parser.add_argument("--orders", type=int, default=16)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    stand_in()
    warnings.filterwarnings("ignore", module="torch.serialization")  # that it is other source code
    with torch.no_grad():
        for name in args.names or sorted(p.stem for p in args.reference.glob("*.pt")):
            measure(args.reference, name, args.orders)


main()
