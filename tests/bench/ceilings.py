#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what the device could do at most, as PyTorch reaches it: matrix products and copying.

usage: ceilings.py [--quick] [--results FILE]
The product is of 8192 x 8192 matrices of random numbers in float16 on CUDA (zeros are faster there),
of 1024 x 1024 in float32 on a CPU; the copy counts bytes read and written. Medians of 20 runs after 3.
Where another Python than this one has PyTorch, that one does it; where none has, nothing is printed but that.
"""
import argparse
import importlib.util
import os
import statistics
import sys
import time

import tool


def time_ms(torch, is_cuda, function):
    times = []
    for i in range(23):
        if is_cuda:
            torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        if is_cuda:
            torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[3:])


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--quick', action='store_true')
    p.add_argument('--results')
    a = p.parse_args()
    if not importlib.util.find_spec('torch'):
        python = tool.python_with_torch()
        if not python:
            sys.exit(0)
        os.execvp(python, [python, *sys.argv])
    import torch

    is_cuda = torch.cuda.is_available()
    device, dtype = ('cuda', torch.float16) if is_cuda else ('cpu', torch.float32)
    n = 256 if a.quick else 8192 if is_cuda else 1024
    n_bytes = 1 << (22 if a.quick else 32 if is_cuda else 27)

    left, right = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    source, target = (torch.zeros(n_bytes, device=device, dtype=torch.uint8) for _ in range(2))
    tflops = 2 * n ** 3 / time_ms(torch, is_cuda, lambda: left @ right) / 1e9
    gb_per_s = 2 * n_bytes / time_ms(torch, is_cuda, lambda: target.copy_(source)) / 1e6
    print(f'matrix products {tflops:.2f} TFLOP/s in {dtype}, copying {gb_per_s:.0f} GB/s on {device}')
    tool.keep(a.results, 'ceilings', tflops=tflops, gb_per_s=gb_per_s, dtype=str(dtype), device=device)


main()
