#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what the element yolov7 costs beside `yolov7 bench`, and what elements gain that share a model.

usage: elements.py TOOL ELEMENT_SPEED TINY PETS [--rounds 5] [--device D]
TINY is a model description, of which a quarter of the width is taken, with random weights: nothing is found. The
ways that are compared take turns, so that a machine that is slow for a while is slow for all; the median of the
rounds' ratios counts. Before that every step of the models is compared with plain C on the same device.
The exit status is 1 where a figure is below what is asked, or a program fails.
"""
import argparse
import json
import pathlib
import re
import statistics
import sys
import tempfile

import tool

ASKED_ONE = 0.95  # of bench: one stream
ASKED_SHARED = 1.5  # of elements that share nothing: 16 that share
ASKED_BENCH = 0.85  # of bench at the same batch size: the same
N_STREAMS = 16
BATCH = 8


def narrow(description, folder):
    path = pathlib.Path(folder) / 'tiny-narrow.yaml'
    text = pathlib.Path(description).read_text(encoding='utf-8')
    path.write_text(re.sub('(?m)^width_multiple:.*$', 'width_multiple: 0.25', text), encoding='utf-8')
    return str(path)


class Ways:
    """Programs that take turns, each with the frames a second that it reached in each round."""

    def __init__(self, a):
        self.a = a
        self.ways = {}
        self.figures = {}

    def add_bench(self, name, model, size, batch, runs):
        options = [f'--size={size}', f'--batch={batch}', f'--runs={runs}', '--in-flight=2']
        self.ways[name] = lambda: tool.bench(self.a.tool, model, self.a.device, options)['images_per_s']

    def add_element(self, name, model, size, streams, frames, properties):
        which = 'config-file' if model.endswith('.yaml') else 'model-file'
        properties = f'{which}="{model}" input-size={size} {properties}'
        properties += f' device="{self.a.device}"' if self.a.device else ''
        command = [self.a.element_speed, str(streams), str(frames), str(size), properties]
        self.ways[name] = lambda: self.note(name, json.loads(tool.run(command)))

    def note(self, name, result):
        print(f'  {name}: {json.dumps(result)}', flush=True)
        return result['frames_per_s']

    def measure(self):
        self.figures = {name: [] for name in self.ways}
        for _ in range(self.a.rounds):
            for name, way in self.ways.items():
                self.figures[name].append(way())

    def median(self, name):
        return statistics.median(self.figures[name])

    def judge(self, what, name, other, asked):
        """Of the same round, so that both had the machine at about the same time."""
        ratios = sorted(x / y for x, y in zip(self.figures[name], self.figures[other]))
        ratio = statistics.median(ratios)
        verdict = 'reached' if ratio >= asked else 'MISSED'
        print(f'{what}: {self.median(name):.1f} / {self.median(other):.1f} frames/s = {ratio:.2f} '
              f'({ratios[0]:.2f} to {ratios[-1]:.2f}), asked >= {asked}: {verdict}', flush=True)
        return ratio >= asked


def one_stream(a, name, model, size, frames):
    ways = Ways(a)
    ways.add_bench('bench', model, size, 1, frames)
    ways.add_element('element', model, size, 1, frames, '')
    ways.measure()
    return ways.judge(f'one stream, {name} at {size}, element / bench', 'element', 'bench', ASKED_ONE)


def many_streams(a, name, model, size, frames):
    ways = Ways(a)
    ways.add_element('shared', model, size, N_STREAMS, frames, f'batch-size={BATCH}')
    ways.add_element('apart', model, size, N_STREAMS, frames, 'model-instance-id=%u batch-size=1')
    ways.add_bench('bench', model, size, BATCH, frames * N_STREAMS // BATCH)
    ways.add_bench('singles', model, size, 1, frames * N_STREAMS)
    ways.measure()
    what = f'{N_STREAMS} streams, {name} at {size}'
    print(f'{what}: batches of {BATCH} give bench {ways.median("bench") / ways.median("singles"):.2f} of its frames/s')
    good = ways.judge(f'{what}, shared / apart', 'shared', 'apart', ASKED_SHARED)
    return ways.judge(f'{what}, shared / bench of batches of {BATCH}', 'shared', 'bench', ASKED_BENCH) and good


def main():
    p = argparse.ArgumentParser()
    p.add_argument('tool')
    p.add_argument('element_speed')
    p.add_argument('tiny')
    p.add_argument('pets')
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--frames', type=int, default=200)
    p.add_argument('--device')
    a = p.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        tiny = narrow(a.tiny, folder)
        tool.check_kernels(a.tool, tiny, a.device)
        tool.check_kernels(a.tool, a.pets, a.device)
        good = one_stream(a, 'yolov7-tiny of width 0.25', tiny, 160, 2 * a.frames)
        good = one_stream(a, 'pets-tiny', a.pets, 320, a.frames // 2) and good
        good = many_streams(a, 'yolov7-tiny of width 0.25', tiny, 160, a.frames // 4) and good
    sys.exit(not good)


main()
