#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How well and how fast `yolov7 track` follows the public detections of eleven sequences of MOTChallenge 2015, with
one setting, scored by ../shared/bench/mot_eval.py; or, with --clip PROGRAM MODEL CLIP, how well the pipeline
yolov7 ! yolov7tracker follows the people of the demo's clip in frames 596 to 795, which no training has seen.

usage: tracking.py TOOL SOURCE_ROOT [--speed] [OPTION of `yolov7 track`...]
       tracking.py --clip PROGRAM MODEL CLIP SOURCE_ROOT

Prints all figures and fails below those that were asked for; only --speed judges frames a second. Skipped without
../shared, or without numpy and scipy, which mot_eval.py needs.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

LEAST = {'MOTA': 41, 'IDF1': 51}
LEAST_OF_CLIP = {'MOTA': 70, 'IDF1': 65}
CLIP_FRAMES = range(596, 796)
LEAST_FRAMES_PER_S = 20000


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(0)


def scoring_python():
    """mot_eval.py needs numpy and scipy: the python of this script may be one without."""
    for python in (sys.executable, '/usr/bin/python3'):
        if subprocess.run([python, '-c', 'import numpy, scipy'], capture_output=True, check=False).returncode == 0:
            return python
    return skip('there is no python3 with numpy and scipy')


def score(shared, pairs):
    """The figures of all pairs together; those of each are printed."""
    python = scoring_python()
    out = subprocess.run([python, shared + '/bench/mot_eval.py', *pairs], capture_output=True, text=True, check=True).stdout
    print('# ' + out.strip().replace('\n', '\n# '))
    return {name: float(value) for name, value in re.findall(r'(MOTA|IDF1) +(-?[\d.]+)', out.splitlines()[-1])}


def judge(figures, least):
    print('1..%d' % len(least))
    failed = 0
    for i, (name, bound) in enumerate(least.items(), 1):
        good = figures[name] >= bound
        failed += not good
        print(f'{"ok" if good else "not ok"} {i} - {name} is {figures[name]:.1f}, expected {bound} or more')
    return failed > 0


def track(tool, sequence, folder, options):
    """The ground truth and the result of a sequence, and its frames and ms."""
    result = f'{folder}/{os.path.basename(sequence)}.txt'
    done = subprocess.run([tool, 'track', sequence + '/det/det.txt', '-o', result, *options], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    n_frames, ms = re.match(r'(\d+) frames.* in ([\d.]+) ms of', done.stdout).groups()
    print(f'# {os.path.basename(sequence):16} {done.stdout.strip()}')
    return [sequence + '/gt/gt.txt', result], int(n_frames), float(ms)


def follow_sequences(tool, root, options):
    shared = os.environ.get('YV_SHARED', root + '/../shared')
    sequences = sorted(glob.glob(shared + '/mot/*/'))
    speed = '--speed' in options
    options = [option for option in options if option != '--speed']
    if not sequences:
        skip(f'{shared}/mot is not there')
    pairs, n_frames, total_ms = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for sequence in sequences:
            pair, n, ms = track(tool, sequence.rstrip('/'), folder, options)
            pairs += pair
            n_frames += n
            total_ms += ms
        figures = score(shared, pairs)
    figures['frames a second'] = n_frames / total_ms * 1000
    print(f'# {n_frames} frames in {total_ms:.1f} ms of tracking: {figures["frames a second"]:.0f} frames/s on one core')
    return judge(figures, {**LEAST, **({'frames a second': LEAST_FRAMES_PER_S} if speed else {})})


def keep_frames(lines, path):
    with open(path, 'w', encoding='ascii') as f:
        f.writelines(line + '\n' for line in lines if int(line.split(',')[0]) in CLIP_FRAMES)


def follow_clip(program, model, clip, root):
    shared = os.environ.get('YV_SHARED', root + '/../shared')
    truth = shared + '/mot/PETS09-S2L1/gt/gt.txt'
    if not os.path.exists(truth):
        skip(f'{truth} is not there')
    if not os.path.exists(clip):
        skip(f'{clip} is not there')
    scoring_python()
    done = subprocess.run([program, model, clip], stdout=subprocess.PIPE, text=True, check=True)
    lines = done.stdout.split()
    print(f'# {len(lines)} boxes in {lines[-1].split(",")[0]} frames')
    with tempfile.TemporaryDirectory() as folder, open(truth, encoding='ascii') as f:
        keep_frames(f.read().split(), folder + '/gt.txt')
        keep_frames(lines, folder + '/result.txt')
        return judge(score(shared, [folder + '/gt.txt', folder + '/result.txt']), LEAST_OF_CLIP)


if sys.argv[1] == '--clip':
    sys.exit(follow_clip(*sys.argv[2:6]))
sys.exit(follow_sequences(sys.argv[1], sys.argv[2], sys.argv[3:]))
