#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints how long it takes from the first byte of a checkpoint to the first detections.

usage: load.py TOOL WRITER CONFIG [--size 640] [--rounds 3] [--device D]
WRITER makes a stripped checkpoint of CONFIG. It is loaded with the caches that shaders are kept in
empty (cold) and filled (warm), and, in turn with these, by PyTorch where that is installed, which
folds batch norms and branches and computes nothing yet.
A benchmark: the exit status is 0 whatever the figures are, 1 where a program fails.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

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


def run(command, **environment):
    usable = str(len(os.sched_getaffinity(0)))
    done = subprocess.run(command, env={'OMP_NUM_THREADS': usable} | os.environ | environment,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f'{command[0]}: exit status {done.returncode}: {done.stderr.strip()[-300:]}')
    return done.stdout


def load(a, checkpoint, caches):
    command = [a.tool, 'bench', str(checkpoint), '--config', a.config, '--json', '--runs=1', '--warmup=0',
               f'--size={a.size}']
    command += ['--device', a.device] if a.device else []
    return json.loads(run(command, MESA_SHADER_CACHE_DIR=str(caches), XDG_CACHE_HOME=str(caches)))


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
    a = p.parse_args()
    has_torch = subprocess.run(['/usr/bin/python3', '-c', 'import torch'], capture_output=True).returncode == 0

    cold, warm, theirs = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = pathlib.Path(folder) / 'model.pt'
        run([a.writer, a.config, str(checkpoint)])
        for i in range(a.rounds):
            caches = pathlib.Path(folder) / f'caches{i}'
            caches.mkdir()
            cold.append(load(a, checkpoint, caches))
            warm.append(load(a, checkpoint, caches))
            if has_torch:
                theirs.append(json.loads(run(['/usr/bin/python3', '-c', PEER, str(checkpoint)])))
        size_mb = checkpoint.stat().st_size / 1e6

    print(f'{a.config}, {size_mb:.0f} MB, {a.size}x{a.size} on {cold[0]["device"]}, medians of {a.rounds}:')
    print_ours('cold', cold)
    ours = print_ours('warm', warm)
    if theirs:
        seconds = statistics.median(r['s'] for r in theirs)
        print(f'  {theirs[0]["peer"]} loads and folds {theirs[0]["n"]} convolutions in {seconds:.2f} s and has detected nothing yet: '
              f'ratio ours, warm / theirs {ours / seconds:.2f}')
    else:
        print('  no PyTorch here (Debian: python3-torch): our figures alone')


main()
