#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the time per image against the batch and against the input size, as tables and as a plot.

usage: scaling.py TOOL CONFIG CHECKPOINT [--batches 1,2,4,8,16,32] [--sizes 320,...,1280]
                  [--batch-size 640] [--rounds 3] [--runs 3] [--warmup 1] [--device D] [--svg FILE]
                  [--results FILE]
Right before every point the first one of its kind is measured again, so that a machine that changes
its speed while this runs changes the milliseconds and hardly the ratios; and of several rounds the
least time counts, since other programs on the machine can only add to it.
First it checks the device: each step of CONFIG against plain C, and with CHECKPOINT, whose weights
are real, that pictures in every batch give what they give alone.
A benchmark: the exit status is 0 whatever the figures are, 1 where a program fails.
"""
import argparse
import array
import json
import math
import pathlib
import random
import struct
import sys
import tempfile

import tool

WIDTH, HEIGHT, MARGIN = 420, 300, 56
CHECKED_SIZE = 64
# Of a head, ||a - b|| / ||b||: a batch may have other kernels, which round otherwise, in fp16 too.
# Pictures lie further apart than that, or the check would be none.
BOUND = 1e-2


def write_images(path, images):
    """safetensors, of arrays of float."""
    n_bytes = 4 * sum(map(len, images))
    header = json.dumps({'images': {'dtype': 'F32', 'shape': [len(images), 3, CHECKED_SIZE, CHECKED_SIZE],
                                    'data_offsets': [0, n_bytes]}}).encode()
    path.write_bytes(struct.pack('<Q', len(header)) + header + b''.join(i.tobytes() for i in images))


def read_last(path):
    """The first head of the last image."""
    content = path.read_bytes()
    (n,) = struct.unpack('<Q', content[:8])
    head = json.loads(content[8:8 + n])['head.0']
    begin, end = head['data_offsets']
    start = begin + (end - begin) // head['shape'][0] * (head['shape'][0] - 1)
    return array.array('f', content[8 + n + start:8 + n + end])


def distance(a, b):
    return math.dist(a, b) / math.hypot(*b)


def check_batches(a, batches):
    """The last picture of each batch against the same picture alone."""
    random.seed(1)
    images = [array.array('f', (random.random() for _ in range(3 * CHECKED_SIZE ** 2))) for _ in range(max(batches))]
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / 'in.safetensors', pathlib.Path(folder) / 'out.safetensors'

        def forward(some):
            write_images(source, some)
            tool.run([a.tool, 'forward', a.checkpoint, str(source), '-o', str(target), *tool.device_arguments(a.device)])
            return read_last(target)

        first = forward(images[:1])
        for batch in batches:
            alone = forward(images[batch - 1:batch])
            error = distance(forward(images[:batch]), alone)
            if not error <= BOUND:
                sys.exit(f'the last picture of a batch of {batch} gives another head than alone: {error:.1e} of it')
            if batch > 1 and distance(alone, first) < 2 * BOUND:
                sys.exit(f'pictures 1 and {batch} give the same: {a.checkpoint} is none to check with')
    print(f'checked: the last picture of batches of {", ".join(map(str, batches))} gives what it gives alone')


def bench(a, size, batch):
    return tool.bench(a.tool, a.config, a.device,
                      [f'--size={size}', f'--batch={batch}', f'--runs={a.runs}', f'--warmup={a.warmup}'])


def measure(a, points):
    """Rows of (ms an image, GFLOP/s, of the time of the first point, device), of the least times."""
    least = [{} for _ in points]
    for _ in range(a.rounds):
        for point, best in zip(points, least):
            for name, (size, batch) in (('first', points[0]), ('this', point)):
                r = bench(a, size, batch)
                if name not in best or r['total_ms'] < best[name]['total_ms']:
                    best[name] = r
    rows = []
    for best in least:
        first, this = best['first'], best['this']
        tool.keep(a.results, 'scaling', **this)
        rows.append((this['total_ms'] / this['batch'], this['network_gflop_per_image'] * this['batch'] / this['network_ms'] * 1e3,
                     this['total_ms'] / this['batch'] / (first['total_ms'] / first['batch']), this['device']))
    return rows


def print_table(head, labels, rows, first):
    print(f'| {head} | ms an image | of {first} | GFLOP/s |\n|---|---|---|---|')
    for label, (ms, gflops, ratio, _) in zip(labels, rows):
        print(f'| {label} | {ms:.2f} | {ratio:.2f} | {gflops:.1f} |')
    print()


def text(x, y, words, anchor='middle'):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def draw(left, title, labels, ratios):
    """One line over evenly spaced labels, from 0 to what is highest."""
    top = max(max(ratios) * 1.1, 1.1)
    step = (WIDTH - 2 * MARGIN) / max(len(labels) - 1, 1)
    points = [(left + MARGIN + i * step, HEIGHT - MARGIN - r / top * (HEIGHT - 2 * MARGIN)) for i, r in enumerate(ratios)]
    parts = [text(left + WIDTH / 2, 24, title)]
    parts += [f'<path d="M{left + MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{left + WIDTH - MARGIN}" fill="none" stroke="#9ea8b8"/>']
    parts += [f'<path d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in points)}" fill="none" stroke="#0a4dad" stroke-width="2"/>']
    for (x, y), label, ratio in zip(points, labels, ratios):
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#0a4dad"/>', text(x, y - 9, f'{ratio:.2f}'),
                  text(x, HEIGHT - MARGIN + 17, label)]
    return parts


def write_plot(path, parts):
    with open(path, 'w', encoding='ascii') as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{HEIGHT}" '
                   f'font-family="sans-serif" font-size="12" fill="#21242b">\n<rect width="100%" height="100%" fill="white"/>\n')
        file.write('\n'.join(parts) + '\n</svg>\n')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('tool')
    p.add_argument('config')
    p.add_argument('checkpoint')
    p.add_argument('--batches', default='1,2,4,8,16,32')
    p.add_argument('--sizes', default='320,480,640,960,1280')
    p.add_argument('--batch-size', type=int, default=640, help='px of the pictures of a batch')
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--runs', type=int, default=3)
    p.add_argument('--warmup', type=int, default=1)
    p.add_argument('--device')
    p.add_argument('--svg')
    p.add_argument('--results')
    a = p.parse_args()
    batches, sizes = ([int(n) for n in values.split(',')] for values in (a.batches, a.sizes))

    tool.check_kernels(a.tool, a.config, a.device)
    check_batches(a, batches)
    by_batch = measure(a, [(a.batch_size, batch) for batch in batches])
    by_size = measure(a, [(size, 1) for size in sizes])
    print(f'{a.config} on {by_batch[0][3]}, the least of {a.rounds} rounds, each the median of {a.runs} runs:\n')
    print_table(f'batch at {a.batch_size} px', batches, by_batch, f'batch {batches[0]}')
    print_table('size in px, batch 1', sizes, by_size, f'{sizes[0]} px')
    if a.svg:
        per_pixel = [row[2] / (size / sizes[0]) ** 2 for row, size in zip(by_size, sizes)]
        write_plot(a.svg, draw(0, f'time an image, of batch {batches[0]}, over the batch', batches, [r[2] for r in by_batch]) +
                   draw(WIDTH, f'time a pixel, of {sizes[0]} px, over the input size', sizes, per_pixel))


main()
