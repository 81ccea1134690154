#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the time per image against the batch and against the input size, as tables and as a plot.

usage: scaling.py TOOL CONFIG [--batches 1,2,4,8,16,32] [--sizes 320,...,1280] [--batch-size 640]
                  [--runs 3] [--warmup 1] [--device D] [--svg FILE]
Every point is beside the first one of its kind, measured again right before it, so that a machine
that changes its speed while this runs changes the milliseconds and hardly the ratios.
A benchmark: the exit status is 0 whatever the figures are, 1 where a program fails.
"""
import argparse
import json
import subprocess
import sys

WIDTH, HEIGHT, MARGIN = 420, 300, 56


def bench(a, size, batch):
    command = [a.tool, 'bench', '--config', a.config, '--json', f'--size={size}', f'--batch={batch}',
               f'--runs={a.runs}', f'--warmup={a.warmup}'] + (['--device', a.device] if a.device else [])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f'{" ".join(command)}: exit status {done.returncode}: {done.stderr.strip()[-300:]}')
    return json.loads(done.stdout)


def measure(a, points):
    """Rows of (ms an image, GFLOP/s, time of the first point / time of this one, both an image)."""
    rows = []
    for size, batch in points:
        first = bench(a, *points[0])['total_ms'] / points[0][1]
        r = bench(a, size, batch)
        rows.append((r['total_ms'] / batch, r['gflop_per_image'] * batch / r['network_ms'] * 1e3,
                     r['total_ms'] / batch / first, r['device']))
    return rows


def print_table(head, labels, rows):
    print(f'| {head} | ms an image | an image, of the first | GFLOP/s |\n|---|---|---|---|')
    for label, (ms, gflops, ratio, _) in zip(labels, rows):
        print(f'| {label} | {ms:.1f} | {ratio:.2f} | {gflops:.1f} |')
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
    p.add_argument('--batches', default='1,2,4,8,16,32')
    p.add_argument('--sizes', default='320,480,640,960,1280')
    p.add_argument('--batch-size', type=int, default=640, help='px of the pictures of a batch')
    p.add_argument('--runs', type=int, default=3)
    p.add_argument('--warmup', type=int, default=1)
    p.add_argument('--device')
    p.add_argument('--svg')
    a = p.parse_args()
    batches, sizes = ([int(n) for n in values.split(',')] for values in (a.batches, a.sizes))

    by_batch = measure(a, [(a.batch_size, batch) for batch in batches])
    by_size = measure(a, [(size, 1) for size in sizes])
    print(f'{a.config} on {by_batch[0][3]}, medians of {a.runs}:\n')
    print_table(f'batch at {a.batch_size}', batches, by_batch)
    print_table('size, batch 1', sizes, by_size)
    if a.svg:
        per_pixel = [row[2] / (size / sizes[0]) ** 2 for row, size in zip(by_size, sizes)]
        write_plot(a.svg, draw(0, f'time an image, of batch {batches[0]}, over the batch', batches, [r[2] for r in by_batch]) +
                   draw(WIDTH, f'time a pixel, of {sizes[0]} px, over the input size', sizes, per_pixel))


main()
