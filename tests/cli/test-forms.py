#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every form of file (spec section 5) that torch.save writes of one model: `yolov7 forward` gives the same for
all of them. Files are written by the torch that is installed; without one, all is skipped.

usage: test-forms.py TOOL SOURCE_ROOT
"""
import array
import array
import collections
import copy
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import types
import warnings

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError:
    torch = None

H, W = 64, 128  # multiples of the largest stride
FOLDED_BOUND = 1e-5  # of those whose weights were folded by other arithmetic, relative error


# ---- upstream's classes, which are only names here: no forward is ever called ----------------------

def stand_in():
    def find(module, name):
        if name.startswith('__'):
            raise AttributeError(name)
        made = type(name, (nn.Module,), {'__module__': module, 'fuseforward': lambda self, x: x})
        setattr(sys.modules[module], name, made)
        return made
    for name in ('models', 'models.common', 'models.yolo'):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__getattr__ = lambda attribute, module=name: find(module, attribute)


def load(path):
    file = torch.load(path, map_location='cpu')
    return (file.get('ema') or file['model']).eval()


def rows_of(model):
    return model._modules['model']


def kind(module):
    return type(module).__name__


# ---- folding, as upstream's fuse() and its notebook do it, in double --------------------------------

def fold_bn(conv, bn):
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return conv.weight * scale[:, None, None, None], bn.bias - bn.running_mean * scale


def put(conv, weight, bias):
    conv.weight, conv.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())


def fuse_conv(module):
    put(module.conv, *fold_bn(module.conv, module.bn))
    del module._modules['bn']
    module.forward = module.fuseforward


def fuse_repconv(module):
    weight, bias = fold_bn(*module.rbr_dense)
    small, small_bias = fold_bn(*module.rbr_1x1)
    module.rbr_reparam = module.rbr_dense[0]
    put(module.rbr_reparam, weight + nn.functional.pad(small, [1, 1, 1, 1]), bias + small_bias)
    for name in ('rbr_dense', 'rbr_1x1', 'rbr_identity'):
        module._modules.pop(name, None)
        module.__dict__.pop(name, None)
    module.deploy = True


def fold_implicits(head):
    """The tensors ia and im stay where they are."""
    for conv, ia, im in zip(head.m, head.ia, head.im):
        a, m = ia.implicit.flatten(), im.implicit.flatten()
        bias = m * (conv.bias + conv.weight[:, :, 0, 0] @ a)
        put(conv, conv.weight * m[:, None, None, None], bias)


def fused(model):
    """As upstream saves a model that detect.py has in memory."""
    model = copy.deepcopy(model).double()
    for module in list(model.modules()):
        if kind(module) == 'Conv' and 'bn' in module._modules:
            fuse_conv(module)
        elif kind(module) == 'RepConv':
            fuse_repconv(module)
        elif kind(module) in ('IDetect', 'IAuxDetect'):
            fold_implicits(module)
            module.forward = module.fuseforward
    return model


def deployed(model):
    """As the notebook writes it: a plain head, no auxiliary rows, batch-norms and branches as trained."""
    model = copy.deepcopy(model).double()
    rows, head = rows_of(model), rows_of(model)[-1]
    n_levels = len(head.m)
    fold_implicits(head)
    for name in ('ia', 'im', 'm2'):
        head._modules.pop(name, None)
    if kind(head) == 'IAuxDetect':
        modules = list(rows._modules.values())
        kept = modules[:-1 - n_levels] + [head]
        rows._modules = collections.OrderedDict((str(i), module) for i, module in enumerate(kept))
        head.f, head.i = head.f[:n_levels], len(kept) - 1
    head.__class__ = sys.modules['models.yolo'].Detect
    return model


# ---- files ------------------------------------------------------------------------------------------

def stripped(model, **more):
    return {'epoch': -1, 'best_fitness': np.array([0.42]), 'training_results': None, 'model': model, 'ema': None,
            'updates': None, 'optimizer': None, 'wandb_id': None, **more}


def in_training(model):
    """The weights of `model` differ from those of `ema`, which count; a step of the optimizer was made."""
    other = copy.deepcopy(model).float()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.01, momentum=0.937, nesterov=True)
    for parameter in other.parameters():
        parameter.requires_grad = True
        parameter.grad = torch.full_like(parameter, 0.1)
    optimizer.step()
    optimizer.zero_grad()
    optimizer.param_groups[0]['lr'] = np.float64(0.0033)
    optimizer.param_groups[0]['momentum'] = np.float32(0.9)
    return {'epoch': 12, 'best_fitness': np.float64(0.4231), 'training_results': ' 12/299  1.2G  0.04\n' * 13,
            'model': other.half(), 'ema': copy.deepcopy(model).half(), 'updates': 4242,
            'optimizer': optimizer.state_dict(), 'wandb_id': None, 'date': '2022-08-01'}


def prefixed(state, prefix):
    return collections.OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def transposed(model):
    """Weights whose memory is laid out with channels last."""
    return copy.deepcopy(model).to(memory_format=torch.channels_last)


def with_views(state):
    """All weights as views of one storage, in the order of their names."""
    flat = torch.cat([state[name].reshape(-1).float() for name in sorted(state)])
    views, start = collections.OrderedDict(), 0
    for name in sorted(state):
        views[name] = flat[start:start + state[name].numel()].view(state[name].shape)
        start += state[name].numel()
    return views


def write_safetensors(path, state):
    names = {torch.float16: 'F16', torch.float32: 'F32', torch.float64: 'F64', torch.int64: 'I64'}
    header, data = {'__metadata__': {'format': 'pt'}}, b''
    for name, tensor in state.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {'dtype': names[tensor.dtype], 'shape': list(tensor.shape),
                        'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text + data)


def forms(model, has_config):
    """(name, whether it needs the description, relative error allowed, what writes it)"""
    save, state = torch.save, model.state_dict()

    def legacy(value, path):
        save(value, path, _use_new_zipfile_serialization=False)
    yield 'stripped', False, 0, lambda path: save(stripped(model), path)
    yield 'in the middle of training', False, 0, lambda path: save(in_training(model), path)
    yield 'in the middle of training, legacy container', False, 0, lambda path: legacy(in_training(model), path)
    yield 'legacy container', False, 0, lambda path: legacy(stripped(model), path)
    yield 'pickle protocol 4', False, 0, lambda path: save(stripped(model), path, pickle_protocol=4)
    yield 'the bare module', False, 0, lambda path: save(model, path)
    yield 'the bare module in DataParallel', False, 0, lambda path: save(nn.DataParallel(model), path)
    yield 'DataParallel in a dict', False, 0, lambda path: save(stripped(nn.DataParallel(model)), path)
    yield 'float32', False, 0, lambda path: save(stripped(copy.deepcopy(model).float()), path)
    yield 'float64', False, 0, lambda path: save(stripped(copy.deepcopy(model).double()), path)
    yield 'channels last', False, 0, lambda path: save(stripped(transposed(model)), path)
    yield 'fused, whole modules', False, FOLDED_BOUND, lambda path: save(stripped(fused(model)), path)
    yield 'fused, legacy container', False, FOLDED_BOUND, lambda path: legacy(stripped(fused(model)), path)
    if hasattr(rows_of(model)[-1], 'ia'):
        yield 'deployed', False, FOLDED_BOUND, lambda path: save(stripped(deployed(model)), path)
        yield 'deployed, then fused', False, FOLDED_BOUND, lambda path: save(stripped(fused(deployed(model))), path)
    if not has_config:
        return
    yield 'state dict', True, 0, lambda path: save(state, path)
    yield 'state dict, legacy container', True, 0, lambda path: legacy(state, path)
    yield 'state dict of DataParallel', True, 0, lambda path: save(prefixed(state, 'module.'), path)
    yield 'state dict under model_state_dict', True, 0, lambda path: save({'model_state_dict': state, 'epoch': 3}, path)
    zeros = collections.OrderedDict((name, tensor * 0) for name, tensor in state.items())
    yield 'state dict under ema', True, 0, lambda path: save({'model': zeros, 'ema': state, 'epoch': 3}, path)
    yield 'state dict of views of one storage', True, 0, lambda path: save(with_views(state), path)
    yield 'safetensors', True, 0, lambda path: write_safetensors(path, state)
    yield 'safetensors under module.', True, 0, lambda path: write_safetensors(path, prefixed(state, 'module.'))
    yield 'state dict, fused', True, FOLDED_BOUND, lambda path: save(fused(model).state_dict(), path)
    yield 'safetensors, fused', True, FOLDED_BOUND, lambda path: write_safetensors(path, fused(model).state_dict())


# ---- running and comparing --------------------------------------------------------------------------

def write_images(path):
    values = array.array('f', (0.5 + 0.4 * math.sin(0.09 * x + 0.05 * y + c) * math.cos(0.17 * y - 0.13 * x)
                               for c in range(3) for y in range(H) for x in range(W)))
    header = json.dumps({'images': {'dtype': 'F32', 'shape': [1, 3, H, W],
                                    'data_offsets': [0, 4 * len(values)]}}).encode()
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(header)) + header + values.tobytes())


def read_tensors(path):
    with open(path, 'rb') as f:
        data = f.read()
    start = 8 + struct.unpack('<Q', data[:8])[0]
    return {name: np.frombuffer(data[start + t['data_offsets'][0]:start + t['data_offsets'][1]], np.float32)
            for name, t in json.loads(data[8:start]).items() if name != '__metadata__'}


def forward(tool, path, folder, config=None):
    command = [tool, 'forward', path, folder + '/in.safetensors', '-o', folder + '/out.safetensors']
    command += ['--device', 'reference', *(['--config', config] if config else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f'{done.returncode}: {done.stderr.strip()}'
    return read_tensors(folder + '/out.safetensors')


def compare(found, expected, bound):
    assert found.keys() == expected.keys(), f'{list(found)}, expected {list(expected)}'
    worst = 0
    for name, want in expected.items():
        got = found[name]
        assert len(got) == len(want), f'{name}: {len(got)} elements, expected {len(want)}'
        if len(want):
            worst = max(worst, float(np.linalg.norm(got.astype(float) - want) / np.linalg.norm(want)))
    print(f'# relative error {worst:.1e}, allowed {bound:.1e}')
    assert worst <= bound, 'other numbers'


def write_config(root, folder, name, width, n_classes):
    with open(f'{root}/cfg/{name}.yaml', encoding='ascii') as f:
        text = re.sub(r'(?m)^width_multiple:.*$', f'width_multiple: {width}', f.read())
    path = folder + '/model.yaml'
    with open(path, 'w', encoding='ascii') as f:
        f.write(re.sub(r'(?m)^nc:.*$', f'nc: {n_classes}', text))
    return path


def main():
    tool, root = sys.argv[1:3]
    shared = os.environ.get('YV_SHARED', root + '/../shared')
    golden, reference = root + '/tests/golden/checkpoints/', shared + '/reference/'
    # file, description, width, classes: implicits; one class; RepConv; auxiliary rows; EMA and optimizer
    models = [(golden + 'x-legacy.pt', 'training/yolov7x', 0.125, 5), (golden + 'tiny-silu.pt', None, 0, 0),
              (reference + 'v7-best.pt', 'training/yolov7', 0.25, 3),
              (reference + 'w6-train.pt', 'training/yolov7-w6', 0.125, 5)]
    if torch is None:
        print('1..0 # SKIP no torch and numpy for this Python')
        return 0
    warnings.filterwarnings('ignore')  # that the classes' source is another
    stand_in()
    n = failed = 0
    for path, config_name, width, n_classes in models:
        name = os.path.basename(path)
        if not os.path.exists(path):
            n += 1
            print(f'ok {n} - {name} # SKIP {path} is not here')
            continue
        with tempfile.TemporaryDirectory() as folder:
            write_images(folder + '/in.safetensors')
            config = write_config(root, folder, config_name, width, n_classes) if config_name else None
            expected = forward(tool, path, folder)
            for form, needs_config, bound, write in forms(load(path), config is not None):
                n += 1
                try:
                    with torch.no_grad():
                        write(folder + '/form')
                    found = forward(tool, folder + '/form', folder, config if needs_config else None)
                    compare(found, expected, bound)
                    print(f'ok {n} - {name}: {form}')
                except AssertionError as e:
                    print(f'# {e}\nnot ok {n} - {name}: {form}')
                    failed = 1
    print(f'1..{n}')
    return failed


sys.exit(main())
