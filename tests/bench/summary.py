#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what gpu.sh measured beside what was asked, as Markdown for docs/performance.md and as JSON.

usage: summary.py MACHINE OUT     (a text about the machine; a folder with results.jsonl, profiles.jsonl)
Writes OUT/summary.md and OUT/summary.json. What was not measured is said to be missing.
"""
import json
import pathlib
import statistics
import sys

# Of an H200: our whole frame over PyTorch's network, at most; and ms an image to aim at.
ASKED = {
    ('yolov7', 640, 1): (0.6, 0.45),
    ('yolov7', 640, 32): (0.9, 0.30),
    ('yolov7-tiny', 640, 1): (None, 0.20),
    ('yolov7-tiny', 640, 32): (None, None),
    ('yolov7-w6', 1280, 8): (0.9, None),
}
STAGES = ('upload', 'letterbox', 'network', 'decode', 'readback', 'nms', 'total', 'host_cpu')


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def key_of(r):
    return pathlib.Path(r.get('cfg') or r['model']).stem, int(r.get('width') or r['size']), int(r['batch'])


def median(results, name):
    return statistics.median(r[name] for r in results)


def is_of_network(step):
    """Not a step from frames or to candidates, which are no pictures: their time is another stage's."""
    return any(step['in']) and any(step['out'])


def figure(key, ours, theirs, profile, ceilings):
    """One row: numbers, None where they are missing."""
    model, size, batch = key
    ratio_asked, goal_ms = ASKED.get(key, (None, None))
    row = {'model': model, 'size': size, 'batch': batch, 'ratio_asked': ratio_asked, 'goal_ms': goal_ms,
           'ms': None, 'torch_ms': None, 'ratio': None, 'network_ratio': None, 'tflops': None, 'gb_per_s': None,
           'of_matrix_rate': None, 'of_bandwidth': None}
    if ours:
        network_ms = median(ours, 'network_ms')
        row['ms'] = median(ours, 'total_ms') / batch
        row['stages_ms'] = {stage: median(ours, stage + '_ms') for stage in STAGES}
        row['tflops'] = ours[0]['network_gflop_per_image'] * batch / network_ms
        if profile:
            row['gb_per_s'] = sum(step['bytes'] for step in profile['steps'] if is_of_network(step)) / network_ms / 1e6
    if theirs:
        row['torch_ms'] = median(theirs, 'median_ms') / batch
    if ours and theirs:
        row['ratio'] = row['ms'] / row['torch_ms']
        row['network_ratio'] = network_ms / batch / row['torch_ms']
    if ours and ceilings:
        row['of_matrix_rate'] = row['tflops'] / ceilings['tflops']
        if profile:
            row['of_bandwidth'] = row['gb_per_s'] / ceilings['gb_per_s']
    return row


def number(value, form='{:.2f}', missing='missing'):
    return missing if value is None else form.format(value)


def print_figures(rows, out):
    out.append('| network | ours, ms an image | goal | PyTorch | ours / PyTorch | asked | networks alone | of the matrix rate '
               '| of the bandwidth |\n|---|---|---|---|---|---|---|---|---|')
    for r in rows:
        out.append(f'| {r["model"]} {r["size"]} batch {r["batch"]} | {number(r["ms"], "{:.3f}")} | {number(r["goal_ms"], missing="-")} '
                   f'| {number(r["torch_ms"], "{:.3f}")} | {number(r["ratio"])} '
                   f'| {number(r["ratio_asked"], "<= {:.1f}", "-")} | {number(r["network_ratio"])} '
                   f'| {number(r["of_matrix_rate"], "{:.0%}")} | {number(r["of_bandwidth"], "{:.0%}")} |')
    out.append('\nOurs is the whole frame: upload, letterbox, network, decode, readback, suppression; PyTorch\'s is the network. '
               'Shares are of the network\'s time.\n')


def print_stages(rows, out):
    out.append('| ms a batch | ' + ' | '.join(STAGES) + ' |\n|---' + '|---' * len(STAGES) + '|')
    for r in rows:
        if 'stages_ms' in r:
            out.append(f'| {r["model"]} {r["size"]} batch {r["batch"]} | ' +
                       ' | '.join(f'{r["stages_ms"][stage]:.3f}' for stage in STAGES) + ' |')
    out.append('')


def main():
    machine, folder = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2])
    results, profiles = read_lines(folder / 'results.jsonl'), read_lines(folder / 'profiles.jsonl')
    parts = {}
    for r in results:
        parts.setdefault(r['part'], []).append(r)
    ceilings = parts.get('ceilings', [None])[0]
    keys = sorted(set(map(key_of, parts.get('ours', []))))
    is_device_asked = not keys or bool(set(keys) & set(ASKED))
    rows = [figure(key, [r for r in parts.get('ours', []) if key_of(r) == key], [r for r in parts.get('torch', []) if key_of(r) == key],
                   next((p for p in profiles if key_of(p) == key), None), ceilings)
            for key in (list(ASKED) if is_device_asked else []) + [k for k in keys if k not in ASKED]]

    out = ['```text', machine.strip(), '```\n']
    print_figures(rows, out)
    print_stages(rows, out)
    out.append(f'Ceilings: {ceilings["tflops"]:.3g} TFLOP/s in {ceilings["dtype"]}, {ceilings["gb_per_s"]:.0f} GB/s.' if ceilings
               else 'Ceilings: missing.')
    for r in parts.get('load', []):
        torch = number(r['torch_s'], '; PyTorch loads and folds in {:.2f} s', '')
        out.append(f'Load, {r["mb"]:.0f} MB to the first detections: caches cold {r["cold_s"]:.2f} s, warm {r["warm_s"]:.2f} s{torch}.')
    (folder / 'summary.md').write_text('\n'.join(out) + '\n')
    (folder / 'summary.json').write_text(json.dumps(
        {'machine': machine, 'figures': rows, 'ceilings': ceilings, 'load': parts.get('load', [])}, indent=1) + '\n')


main()
