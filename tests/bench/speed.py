#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints how fast a model runs here, beside PyTorch on the same machine where that is installed.

usage: speed.py TOOL CONFIG [--size 640] [--batch 1] [--rounds 3] [--device D] [--peer torch_peer.py]
                [--target MS]
The two programs take turns, so that both see the same machine; medians of the rounds are compared.
A benchmark: the exit status is 0 whatever the figures are, 1 where a program fails.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys


# Left to itself PyTorch may use one thread, and with one it leaves oneDNN and is ten times slower.
ENVIRONMENT = {'OMP_NUM_THREADS': str(len(os.sched_getaffinity(0)))} | os.environ


def last_line(command):
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f'{" ".join(command)}: exit status {done.returncode}: {done.stderr.strip()[-300:]}')
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    p = argparse.ArgumentParser()
    p.add_argument('tool')
    p.add_argument('config')
    p.add_argument('--size', type=int, default=640)
    p.add_argument('--batch', type=int, default=1)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--device')
    p.add_argument('--peer')
    p.add_argument('--target', type=float, help='ms of a whole batch that are asked for')
    a = p.parse_args()

    ours = [a.tool, 'bench', '--config', a.config, '--json', f'--size={a.size}', f'--batch={a.batch}']
    ours += ['--device', a.device] if a.device else []
    peer = ['/usr/bin/python3', a.peer, a.config, f'--size={a.size}', f'--batch={a.batch}'] if a.peer else None
    if peer and not (os.path.exists(a.peer) and
                     subprocess.run(['/usr/bin/python3', '-c', 'import torch, yaml'], capture_output=True).returncode == 0):
        print('no PyTorch here (Debian: python3-torch python3-yaml), or no peer program: our figures alone')
        peer = None

    mine, theirs = [], []
    for _ in range(a.rounds):
        mine.append(last_line(ours))
        if peer:
            theirs.append(last_line(peer))

    total = statistics.median(r['total_ms'] for r in mine)
    network = statistics.median(r['network_ms'] for r in mine)
    print(f'{a.config} {a.size}x{a.size} batch {a.batch} on {mine[0]["device"]}, {mine[0]["precision"]}:')
    print(f'  total {total:.1f} ms, network {network:.1f} ms, {mine[0]["gflop_per_image"] * a.batch / network * 1e3:.1f} GFLOP/s, '
          f'load {mine[0]["load_ms"]:.0f} ms')
    if a.target:
        print(f'  target {a.target:.0f} ms: {total / a.target:.2f} of it')
    if theirs:
        median = statistics.median(r['median_ms'] for r in theirs)
        print(f'  {theirs[0]["peer"]} on {theirs[0]["device"]}, {theirs[0]["dtype"]}: network {median:.1f} ms; '
              f'ratio ours / theirs {network / median:.2f}')


main()
