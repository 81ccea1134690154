#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The demo's job on 30 frames of the demo's clip, against a stored result; and, where ../shared is there,
on frames that upstream's detect.py was run on, against what that found.

usage: test-demo.py TOOL SOURCE_ROOT [--update]
"""
import glob
import json
import os
import subprocess
import sys

CLIP = '/usr/share/doc/opencv-doc/examples/data/vtest.avi'


def detect(tool, root, files, *options):
    command = [tool, 'detect', root + '/models/pets-tiny.pt', *files, '--json', *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f'exit status {done.returncode}: {done.stderr.strip()[-400:]}')
    return [json.loads(line) for line in done.stdout.splitlines()]


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / max(a[2] * a[3] + b[2] * b[3] - both, 1e-9)


def compare(name, ours, theirs, worst):
    """Both are lists of (x, y, w, h, confidence); each of ours takes the nearest of theirs."""
    assert len(ours) == len(theirs), f'{name}: {len(ours)} detections, expected {len(theirs)}'
    left = list(theirs)
    for box in ours:
        best = max(left, key=lambda other: iou(box, other))
        left.remove(best)
        worst['iou'] = min(worst['iou'], iou(box, best))
        worst['confidence'] = max(worst['confidence'], abs(box[4] - best[4]))
        worst['sum'] += abs(box[4] - best[4])
        worst['n'] += 1


def judge(worst, what):
    mean = worst['sum'] / max(worst['n'], 1)
    print(f'# {what}: {worst["n"]} detections, lowest IoU {worst["iou"]:.5f}, confidence off by at most '
          f'{worst["confidence"]:.5f}, {mean:.6f} on average')
    assert worst['n'] > 0, 'nothing was detected'
    assert worst['iou'] >= 0.98, 'a box is elsewhere'
    assert worst['confidence'] <= 0.01 and mean <= 0.002, 'confidences differ'


def boxes(record):
    return [(d['x'], d['y'], d['w'], d['h'], d['confidence']) for d in record['detections']]


def the_clip_gives_the_stored_boxes(tool, root, update):
    stored = root + '/tests/golden/vtest-30.json'
    found = [[[round(v, 3) for v in box] for box in boxes(r)] for r in detect(tool, root, [CLIP], '--max-frames', '30')]
    assert len(found) == 30, f'{len(found)} frames, expected 30'
    if update:
        with open(stored, 'w', encoding='ascii') as f:
            f.write('[\n' + ',\n'.join(json.dumps(frame) for frame in found) + '\n]\n')
    with open(stored, encoding='ascii') as f:
        expected = json.load(f)
    worst = {'iou': 1, 'confidence': 0, 'sum': 0, 'n': 0}
    for i, (ours, theirs) in enumerate(zip(found, expected)):
        compare(f'frame {i}', ours, theirs, worst)
    judge(worst, '30 frames of the clip')


def frames_give_what_upstream_found(tool, root, shared):
    with open(shared + '/demo/detect.json', encoding='ascii') as f:
        expected = json.load(f)['frames']
    worst = {'iou': 1, 'confidence': 0, 'sum': 0, 'n': 0}
    for record in detect(tool, root, sorted(glob.glob(shared + '/demo/images/val/*.png'))):
        name = os.path.basename(record['file'])
        theirs = [(b[0], b[1], b[2] - b[0], b[3] - b[1], b[4]) for b in expected[name]]
        compare(name, boxes(record), theirs, worst)
    judge(worst, '40 frames, against upstream')


def main():
    tool, root = sys.argv[1:3]
    shared = os.environ.get('YV_SHARED', root + '/../shared')
    tests = [('the clip gives the stored boxes', os.path.exists(CLIP), f'{CLIP} of package opencv-doc is not here',
              lambda: the_clip_gives_the_stored_boxes(tool, root, '--update' in sys.argv)),
             ('frames give what upstream found', os.path.exists(shared + '/demo/detect.json'), 'no shared folder here',
              lambda: frames_give_what_upstream_found(tool, root, shared))]
    failed = 0
    for n, (name, possible, why, run) in enumerate(tests, 1):
        if not possible:
            print(f'ok {n} - {name} # SKIP {why}')
            continue
        try:
            run()
            print(f'ok {n} - {name}')
        except AssertionError as e:
            print(f'# {e}\nnot ok {n} - {name}')
            failed = 1
    print(f'1..{len(tests)}')
    return failed


sys.exit(main())
