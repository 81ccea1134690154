#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints how long it takes from the first byte of a checkpoint to the first detections.

usage: load.py TOOL WRITER CONFIG [--size 640] [--rounds 3] [--device D] [--results FILE]
WRITER makes a stripped checkpoint of CONFIG. It is loaded with the caches that shaders are kept in
empty (cold) and filled (warm), and, in turn with these, by PyTorch where that is installed, which
folds batch norms and branches and computes nothing yet. Before that every step is compared with plain
C on the same device.
A benchmark: the exit status is 0 whatever the figures are, 1 where a program fails.
"""
import argparse
import json
import pathlib
import statistics
import tempfile

import tool

TARGET_S = {'cold': 8.0, 'warm': 1.0}  # on lavapipe

# Without the time to import torch. Folds as training does before it exports: a convolution of 1 x 1
# and an identity are centred in 3 x 3.
PEER = '''
import json, sys, time, torch
start = time.perf_counter()
tensors = {k: v.float() for k, v in torch.load(sys.argv[1], map_location='cpu').items()}
def fold(conv, bn):
    scale = tensors[bn + '.weight'] / torch.sqrt(tensors[bn + '.running_var'] + 1e-3)
    return conv * scale[:, None, None, None], tensors[bn + '.bias'] - scale * tensors[bn + '.running_mean']
n_folded = 0
for name in list(tensors):
    if name.endswith('.conv.weight') and name[:-11] + 'bn.weight' in tensors:
        fold(tensors[name], name[:-11] + 'bn')
    elif name.endswith('.rbr_dense.0.weight'):
        at = name[:-len('rbr_dense.0.weight')]
        weight, bias = fold(tensors[name], at + 'rbr_dense.1')
        small, small_bias = fold(tensors[at + 'rbr_1x1.0.weight'], at + 'rbr_1x1.1')
        weight += torch.nn.functional.pad(small, [1, 1, 1, 1])
        bias += small_bias
        if at + 'rbr_identity.weight' in tensors:
            eye = torch.nn.init.dirac_(torch.empty_like(weight))
            weight += fold(eye, at + 'rbr_identity')[0]
    else:
        continue
    n_folded += 1
print(json.dumps({'s': time.perf_counter() - start, 'n': n_folded, 'peer': 'torch ' + torch.__version__}))
'''


def load(a, checkpoint, caches):
    return tool.bench(a.tool, str(checkpoint), a.device,
                      ['--config', a.config, '--runs=1', '--warmup=0', f'--size={a.size}'],
                      MESA_SHADER_CACHE_DIR=str(caches), XDG_CACHE_HOME=str(caches),
                      __GL_SHADER_DISK_CACHE_PATH=str(caches))


def print_ours(state, results):
    load_s = statistics.median(r['load_ms'] for r in results) / 1e3
    first_s = statistics.median(r['first_ms'] for r in results) / 1e3
    print(f'  caches {state}: {load_s + first_s:.2f} s, of it loading {load_s:.2f}, the first frame {first_s:.2f}; '
          f'target {TARGET_S[state]:.1f} s on lavapipe: {(load_s + first_s) / TARGET_S[state]:.2f} of it')
    return load_s + first_s


def main():
    p = argparse.ArgumentParser()
    p.add_argument('tool')
    p.add_argument('writer')
    p.add_argument('config')
    p.add_argument('--size', type=int, default=640)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--device')
    p.add_argument('--results')
    a = p.parse_args()
    python = tool.python_with_torch()

    tool.check_kernels(a.tool, a.config, a.device)
    cold, warm, theirs = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = pathlib.Path(folder) / 'model.pt'
        tool.run([a.writer, a.config, str(checkpoint)])
        for i in range(a.rounds):
            caches = pathlib.Path(folder) / f'caches{i}'
            caches.mkdir()
            cold.append(load(a, checkpoint, caches))
            warm.append(load(a, checkpoint, caches))
            if python:
                theirs.append(json.loads(tool.run([python, '-c', PEER, str(checkpoint)])))
        size_mb = checkpoint.stat().st_size / 1e6

    print(f'{a.config}, {size_mb:.0f} MB, {a.size}x{a.size} on {cold[0]["device"]}, medians of {a.rounds}:')
    cold_s, warm_s = print_ours('cold', cold), print_ours('warm', warm)
    seconds = None
    if theirs:
        seconds = statistics.median(r['s'] for r in theirs)
        print(f'  {theirs[0]["peer"]} loads and folds {theirs[0]["n"]} convolutions in {seconds:.2f} s and has detected nothing yet: '
              f'ratio ours, warm / theirs {warm_s / seconds:.2f}')
    tool.keep(a.results, 'load', mb=size_mb, cold_s=cold_s, warm_s=warm_s, torch_s=seconds)


main()
