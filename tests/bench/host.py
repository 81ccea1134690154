#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the CPU time that a frame takes of the thread that submits and collects it.

usage: host.py TOOL MODEL [--size 640] [--batch 1,8] [--runs 20] [--device D]
lavapipe computes in threads of its own, which do not count. Copying the frame and suppression are
given apart: one grows with the frame, the other with what is found in it. Each batch is run twice,
with frames that are copied and with frames in memory that the device reads. Before that every step is compared
with plain C on the same device.
A benchmark: the exit status is 0 whatever the figures are, 1 where a program fails.
"""
import argparse
import itertools

import tool

TARGET_US = 50


def main():
    p = argparse.ArgumentParser()
    p.add_argument('tool')
    p.add_argument('model')
    p.add_argument('--size', type=int, default=640)
    p.add_argument('--batch', default='1,8')
    p.add_argument('--runs', type=int, default=20)
    p.add_argument('--device')
    a = p.parse_args()

    tool.check_kernels(a.tool, a.model, a.device)
    for batch, in_place in itertools.product([int(text) for text in a.batch.split(',')], (False, True)):
        r = tool.bench(a.tool, a.model, a.device, [f'--size={a.size}', f'--batch={batch}', f'--runs={a.runs}'] +
                       (['--in-place'] if in_place else []))
        host, copy, nms = (r[name] * 1e3 / batch for name in ('host_cpu_ms', 'upload_ms', 'nms_ms'))
        where = 'frames in memory of the device' if in_place else 'frames copied'
        print(f'{a.model} {a.size}x{a.size} batch {batch} on {r["device"]}, {where}: host {host:.0f} us of CPU time '
              f'a frame: copying it {copy:.0f}, suppression {nms:.0f}, all else {host - copy - nms:.0f}; '
              f'target {TARGET_US} us: {host / TARGET_US:.2f} of it', flush=True)


main()
