#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The detection modes of `yolov7 detect`, each against a second implementation of letterbox, suppression
and mapping back (spec 4.1 to 4.3) around the rows that `yolov7 forward` writes on the reference; on the reference and on Vulkan.

usage: test-modes.py TOOL SOURCE_ROOT
"""
import array
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

STRIDE = 32  # of both models
FIVE, ONE = 'x-legacy.pt', 'tiny-silu.pt'  # so many classes
IOU = 0.45


# ---- the picture --------------------------------------------------------------------------------

def pixel(x, y, c):
    return int(128 + 110 * math.sin(0.09 * x + 0.11 * y + c) * math.cos(0.07 * y - 0.13 * x + 2 * c))


def write_png(path, picture):
    rows = b''.join(b'\0' + bytes(v for p in row for v in p) for row in picture)
    chunks = ((b'IHDR', struct.pack('>IIBBBBB', len(picture[0]), len(picture), 8, 2, 0, 0, 0)),
              (b'IDAT', zlib.compress(rows)), (b'IEND', b''))
    with open(path, 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n')
        for kind, data in chunks:
            f.write(struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data)))


def enlarged(picture):
    """To twice the size as OpenCV's INTER_LINEAR: a pixel lies a quarter from the nearest one."""
    h, w = len(picture), len(picture[0])

    def near_and_far(i, n):
        far = min(i // 2 + 1, n - 1) if i % 2 else max(i // 2 - 1, 0)
        return i // 2, far

    def at(x, y, c):
        (x0, x1), (y0, y1) = near_and_far(x, w), near_and_far(y, h)
        near, far = (3 * picture[row][x0][c] + picture[row][x1][c] for row in (y0, y1))
        return (near * 3 // 4 + far // 4 + 2) // 4
    return [[tuple(at(x, y, c) for c in range(3)) for x in range(2 * w)] for y in range(2 * h)]


# ---- the letterbox ------------------------------------------------------------------------------

def letterbox(picture, size, square, scale_up):
    """The tensor as rows of pixels; and what maps x, y back."""
    h, w = len(picture), len(picture[0])
    side = -(-size // STRIDE) * STRIDE
    gain = min(side / h, side / w)
    if not scale_up:
        gain = min(gain, 1)
    assert gain in (1, 2), 'the only ones that this test can resample'
    if gain == 2:
        picture = enlarged(picture)
    dw, dh = side - len(picture[0]), side - len(picture)
    if not square:
        dw, dh = dw % STRIDE, dh % STRIDE
    grey = (114, 114, 114)
    width = len(picture[0]) + dw
    rows = [[grey] * (dw // 2) + row + [grey] * (dw - dw // 2) for row in picture]
    rows = [[grey] * width] * (dh // 2) + rows + [[grey] * width] * (dh - dh // 2)

    def back(x, y):
        return min(max((x - dw / 2) / gain, 0), w), min(max((y - dh / 2) / gain, 0), h)
    return rows, back


# ---- the network --------------------------------------------------------------------------------

def write_images(path, rows):
    values = array.array('f', (p[c] / 255 for c in range(3) for row in rows for p in row))
    header = json.dumps({'images': {'dtype': 'F32', 'shape': [1, 3, len(rows), len(rows[0])],
                                    'data_offsets': [0, 4 * len(values)]}}).encode()
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(header)) + header + values.tobytes())


def read_pred(path):
    with open(path, 'rb') as f:
        data = f.read()
    start = 8 + struct.unpack('<Q', data[:8])[0]
    tensor = json.loads(data[8:start])['pred']
    begin, end = tensor['data_offsets']
    values, n = array.array('f', data[start + begin:start + end]), tensor['shape'][2]
    return [values[i:i + n] for i in range(0, len(values), n)]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f'{" ".join(command)}: {done.returncode}: {done.stderr}'
    return done


# ---- suppression --------------------------------------------------------------------------------

def candidates(rows, mode):
    for row in rows:
        if not row[4] > mode.conf:
            continue
        box = (row[0] - row[2] / 2, row[1] - row[3] / 2, row[0] + row[2] / 2, row[1] + row[3] / 2)
        classes = row[5:]
        if len(classes) == 1 and not mode.multiply:
            scores = {0: row[4]}  # the objectness alone
        elif mode.multi_label:
            scores = {k: row[4] * c for k, c in enumerate(classes)}
        else:
            best = max(range(len(classes)), key=lambda k: classes[k])
            scores = {best: row[4] * classes[best]}
        yield from ((s, k, box) for k, s in scores.items() if s > mode.conf and (mode.wanted is None or k in mode.wanted))


def overlap(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def suppress(found, agnostic):
    kept = []
    for score, k, box in sorted(found, key=lambda f: -f[0]):
        if not any((agnostic or k == other) and overlap(box, b) > IOU for _, other, b in kept):
            kept.append((score, k, box))
    return kept


# ---- both sides ---------------------------------------------------------------------------------

class Mode:
    def __init__(self, model, w, h, *options, size=192, square=False, scale_up=True, agnostic=False,
                 multi_label=False, multiply=False, wanted=None, conf=0.2, warns=''):
        self.model, self.options = model, ('--size', str(size), *options)
        self.picture = [[tuple(pixel(x, y, c) for c in range(3)) for x in range(w)] for y in range(h)]
        self.size, self.square, self.scale_up = size, square, scale_up
        self.agnostic, self.multi_label, self.multiply = agnostic, multi_label, multiply
        self.wanted, self.conf, self.warns = wanted, conf, warns

    def expected(self, tool, golden, folder):
        rows, back = letterbox(self.picture, self.size, self.square, self.scale_up)
        write_images(folder + '/in.safetensors', rows)
        run(tool, 'forward', golden + self.model, folder + '/in.safetensors', '-o',
            folder + '/out.safetensors', '--device', 'reference')
        found = candidates(read_pred(folder + '/out.safetensors'), self)
        boxes = [(s, k, *back(*b[:2]), *back(*b[2:])) for s, k, b in suppress(found, self.agnostic)]
        return [b for b in boxes if b[4] > b[2] and b[5] > b[3]]

    def found(self, tool, golden, folder, device):
        path = folder + '/picture.png'
        write_png(path, self.picture)
        done = run(tool, 'detect', golden + self.model, path, '--json', *device,
                   '--conf', str(self.conf), '--max-det', '5000', *self.options)
        assert self.warns in done.stderr, f'"{self.warns}" is not in "{done.stderr}"'
        return [(d['confidence'], d['class'], d['x'], d['y'], d['x'] + d['w'], d['y'] + d['h'])
                for d in json.loads(done.stdout)['detections']]


def same(a, b):
    return a[1] == b[1] and abs(a[0] - b[0]) < 1e-4 and all(abs(x - y) < 0.02 for x, y in zip(a[2:], b[2:]))


def n_same(a, b):
    return sum(any(same(x, y) for y in b) for x in a)


MODES = {
    'plain': Mode(FIVE, 192, 128),
    'agnostic': Mode(FIVE, 192, 128, '--agnostic-nms', agnostic=True),
    'multi-label': Mode(FIVE, 192, 128, '--multi-label', multi_label=True),
    'classes': Mode(FIVE, 192, 128, '--classes', '1,4', wanted=(1, 4)),
    'one class': Mode(ONE, 96, 64),
    'one class, multiplied': Mode(ONE, 96, 64, '--multiply-one-class', multiply=True, conf=0.1),
    'square': Mode(ONE, 96, 64, '--square', square=True),
    'not scaled up': Mode(ONE, 96, 64, '--no-scale-up', scale_up=False),
    'square and not scaled up': Mode(ONE, 96, 64, '--square', '--no-scale-up', square=True, scale_up=False),
    'another size': Mode(ONE, 96, 64, size=96),
    'a raised size': Mode(ONE, 96, 64, size=180, warns="--size 180 is no multiple of the model's stride, 32: 192"),
}
UNLIKE = {'one class, multiplied': 'one class',
          'agnostic': 'plain', 'multi-label': 'plain', 'classes': 'plain', 'square': 'one class',
          'not scaled up': 'one class', 'square and not scaled up': 'square', 'another size': 'one class'}


def check(name, expected, found, results):
    print(f'# {len(expected)} expected, {len(found)} found, {n_same(expected, found)} the same')
    assert len(expected) > 3, 'too little to tell'
    assert len(found) == len(expected) == n_same(expected, found), 'other detections than the specification says'
    results[name] = found
    if name in UNLIKE:
        other = results[UNLIKE[name]]
        assert n_same(found, other) < max(len(found), len(other)), f'the same as {UNLIKE[name]}'


def has_vulkan(tool):
    return re.search(r'^0: ', run(tool, '--help').stdout, re.MULTILINE) is not None


def main():
    tool, root = sys.argv[1:3]
    golden = root + '/tests/golden/checkpoints/'
    devices = {'reference': ('--device', 'reference')}
    if has_vulkan(tool):
        devices['Vulkan'] = ('--precision', 'fp32')
    elif os.environ.get('YV_REQUIRE_VULKAN'):
        sys.exit('no Vulkan device, but YV_REQUIRE_VULKAN is set')
    failed, n, results = 0, 0, {device: {} for device in devices}
    with tempfile.TemporaryDirectory() as folder:
        for name, mode in MODES.items():
            expected = mode.expected(tool, golden, folder)
            for device, options in devices.items():
                n += 1
                try:
                    check(name, expected, mode.found(tool, golden, folder, options), results[device])
                    print(f'ok {n} - {name} on {device}')
                except (AssertionError, KeyError) as e:
                    print(f'# {e}\nnot ok {n} - {name} on {device}')
                    failed = 1
    print(f'1..{n}')
    return failed


sys.exit(main())
