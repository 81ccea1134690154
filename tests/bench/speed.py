#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints how fast a model runs here, beside PyTorch on the same machine where that is installed.

usage: speed.py TOOL CONFIG [--size 640] [--batch 1[,N...]] [--runs 20] [--rounds 3] [--device D]
                [--peer torch_peer.py] [--target MS] [--results FILE]
The two programs take turns, so that both see the same machine; medians of the rounds are compared.
Before that every step of the model is compared with plain C on the same device. Where lavapipe of
Mesa 22.3 has AVX-512 it is measured with vectors of 512 bits, too, which it uses only if told to.
--results appends every measurement to a file as a line of JSON.
A benchmark: the exit status is 0 whatever the figures are, 1 where a program fails.
"""
import argparse
import json
import os
import re
import statistics

import tool


def has_wide_vectors(program):
    """Only Mesa 22.3 computes the right numbers with them; beside a GPU nobody asks for the CPU."""
    devices = re.findall(r'^\d+: .*', tool.run([program, '--help']), re.MULTILINE)
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        return 'avx512f' in file.read() and len(devices) == 1 and 'llvmpipe Mesa 22.3' in devices[0]


def run_peer(a):
    command = [tool.python_with_torch(), a.peer, a.config, f'--size={a.size}', f'--batch={a.batch}', f'--runs={a.peer_runs}']
    return [json.loads(line) for line in tool.run(command).splitlines() if line.startswith('{')]


def measure(a, batches, variants, has_peer):
    """Rounds of every variant at every batch, then of the peer: {(variant, batch): [result]}."""
    results = {}
    for _ in range(a.rounds):
        for name, environment in variants.items():
            for batch in batches:
                r = tool.bench(a.tool, a.config, a.device, [f'--size={a.size}', f'--batch={batch}', f'--runs={a.runs}'],
                               **environment)
                results.setdefault((name, batch), []).append(r)
                tool.keep(a.results, name, cfg=a.config, **r)
        for r in run_peer(a) if has_peer else []:
            results.setdefault(('torch', r['batch']), []).append(r)
            tool.keep(a.results, 'torch', **r)
    return results


def print_ours(a, name, batch, results):
    total = statistics.median(r['total_ms'] for r in results)
    network = statistics.median(r['network_ms'] for r in results)
    r = results[0]
    print(f'{a.config} {a.size}x{a.size} batch {batch} on {r["device"]}, {r["precision"]}'
          f'{", vectors of 512 bits" if name == "wide" else ""}:')
    print(f'  total {total:.2f} ms, network {network:.2f} ms, {r["network_gflop_per_image"] * batch / network:.3f} TFLOP/s, '
          f'load {r["load_ms"]:.0f} ms')
    if a.target:
        print(f'  target {a.target:.0f} ms: {total / a.target:.2f} of it')
    return total, network


def print_ratios(total, network, theirs):
    median = statistics.median(r['median_ms'] for r in theirs)
    r = theirs[0]
    print(f'  {r["peer"]} on {r["device"]}, {r["dtype"]}: network {median:.2f} ms; ours / theirs: '
          f'networks {network / median:.2f}, our total / their network {total / median:.2f}')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('tool')
    p.add_argument('config')
    p.add_argument('--size', type=int, default=640)
    p.add_argument('--batch', default='1')
    p.add_argument('--runs', type=int, default=20)
    p.add_argument('--peer-runs', type=int, default=200, help='on a CPU it does a fortieth of them, at least 3')
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--device')
    p.add_argument('--peer')
    p.add_argument('--target', type=float, help='ms of a whole batch that are asked for')
    p.add_argument('--results')
    a = p.parse_args()
    batches = [int(text) for text in a.batch.split(',')]

    variants = {'ours': {}}
    if has_wide_vectors(a.tool):
        variants['wide'] = {'LP_NATIVE_VECTOR_WIDTH': '512'}
    for environment in variants.values():
        tool.check_kernels(a.tool, a.config, a.device, **environment)
    has_peer = bool(a.peer and os.path.exists(a.peer) and tool.python_with_torch())
    results = measure(a, batches, variants, has_peer)

    for batch in batches:
        for name in variants:
            total, network = print_ours(a, name, batch, results[name, batch])
            if has_peer:
                print_ratios(total, network, results['torch', batch])


main()
