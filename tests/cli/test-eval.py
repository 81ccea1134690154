#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`yolov7 eval` on pictures made here, with what the model itself finds in them as labels; and, where ../shared is
there, on the frames that upstream's test.py was run on, against what that measured.

usage: test-eval.py TOOL SOURCE_ROOT
"""
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

W, H, N_IMAGES = 120, 80, 9


def run(tool, *arguments):
    return subprocess.run([tool, 'eval', *arguments], capture_output=True, text=True, check=False)


def evaluate(tool, *arguments):
    """(the line of all classes as numbers, COCO's twelve figures, all of stdout)"""
    done = run(tool, *arguments)
    if done.returncode:
        raise AssertionError(f'exit status {done.returncode}: {done.stderr.strip()[-400:]}')
    row = re.search(r'^ *all (.*)$', done.stdout, re.M)
    coco = [float(v) for v in re.findall(r'@\[ IoU=.* = (-?[0-9.]+)$', done.stdout, re.M)]
    return [float(v) for v in row.group(1).split()] if row else None, coco, done.stdout


def read(path, mode='r'):
    with open(path, mode) as f:
        return f.read()


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb' if isinstance(content, bytes) else 'w') as f:
        f.write(content)


def png(w, h, pixel):
    rows = b''.join(b'\0' + b''.join(bytes(pixel(x, y)) for x in range(w)) for y in range(h))

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    head = struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


def make_pictures(folder):
    """Rectangles of all colours; every third picture stands upright, so that batches differ in shape."""
    sizes = {}
    for i in range(N_IMAGES):
        rng = random.Random(i)
        w, h = (H, W) if i % 3 == 2 else (W, H)
        boxes = [(rng.randrange(w), rng.randrange(h), rng.randrange(10, 50), [rng.randrange(256) for _ in range(3)])
                 for _ in range(6)]

        def pixel(x, y):
            inside = [c for (bx, by, s, c) in boxes if 0 <= x - bx < s and 0 <= y - by < s]
            return inside[-1] if inside else (x, 2 * y, 99)
        write(f'{folder}/images/{i + 1}.png', png(w, h, pixel))
        sizes[i + 1] = (w, h)
    return sizes


class Folder:
    """Pictures and a data.yaml; at first with labels that nothing meets."""

    def __init__(self, tool, root, path, model, n_classes):
        self.tool, self.path, self.model = tool, path, f'{root}/tests/golden/checkpoints/{model}'
        self.sizes = make_pictures(path)
        self.data = path + '/data.yaml'
        write(self.data, f'path: .\nval: images\nnc: {n_classes}\n')
        write(path + '/labels/1.txt', '0 0.5 0.5 0.9 0.9\n')

    def evaluate(self, *arguments, data=None):
        out = self.path + '/out'
        return evaluate(self.tool, self.model, '--data', data or self.data, '--size', '160', '-o', out, *arguments)

    def detections(self, *arguments):
        path = self.path + '/found.json'
        self.evaluate('--json', path, *arguments)
        return json.loads(read(path))

    def label_best(self):
        """What the model is surest of becomes the truth."""
        found = sorted(self.detections(), key=lambda d: -d['score'])
        labels = [d for d in found if d['score'] > found[60]['score']]
        for i, (w, h) in self.sizes.items():
            best = [d for d in labels if d['image_id'] == i]
            write(f'{self.path}/labels/{i}.txt', ''.join(
                f"{d['category_id']} {(x + bw / 2) / w:.7f} {(y + bh / 2) / h:.7f} {bw / w:.7f} {bh / h:.7f}\n"
                for d in best for x, y, bw, bh in [d['bbox']]))
        return labels


def write_coco(folder, labels):
    path = folder.path + '/annotations/instances_val.json'
    write(path, json.dumps({
        'images': [{'id': i, 'file_name': f'{i}.png'} for i in folder.sizes],
        'categories': [{'id': 10 * i + 1, 'name': f'class{i}'} for i in range(5)],
        'annotations': [{'image_id': d['image_id'], 'category_id': 10 * d['category_id'] + 1, 'bbox': d['bbox'],
                         'area': d['bbox'][2] * d['bbox'][3], 'iscrowd': 0} for d in labels]}))
    return path


def own_detections_as_labels_are_found_again(folder):
    labels = folder.label_best()
    row, coco, text = folder.evaluate()
    print(f'# {len(labels)} labels: mAP@.5 {row[4]}, mAP@.5:.95 {row[5]}, COCO AP {coco[0]}')
    assert row[0] == N_IMAGES and row[1] == len(labels), text
    assert len(coco) == 12, text
    assert row[4] > 0.99 and row[5] > 0.99, 'labels were not found again'  # test.py's last point is lower
    assert coco[0] > 0.999 and coco[8] > 0.999, 'labels were not found again by COCO\'s measure'
    for name in ('pr_curve.svg', 'confusion_matrix.svg'):
        assert '</svg>' in read(f'{folder.path}/out/{name}'), name


def coco_json_gives_the_same_figures(folder):
    labels = folder.label_best()
    row, coco, _ = folder.evaluate()
    path = write_coco(folder, labels)
    row_of_json, coco_of_json, _ = folder.evaluate('--images', folder.path + '/images', data=path)
    print(f'# mAP@.5:.95 {row[5]} and {row_of_json[5]}, AP {coco[0]} and {coco_of_json[0]}')
    assert row == row_of_json, (row, row_of_json)
    assert coco == coco_of_json, (coco, coco_of_json)


def only_test_pys_measure_cuts_labels_off_at_the_edges(folder):
    """Labels at the left edge are drawn twice as wide: cut off they are as before, and COCO cuts nothing off."""
    labels = folder.label_best()
    drawn = [dict(d, bbox=[-w, y, 2 * w, h] if x == 0 else [x, y, w, h]) for d in labels for x, y, w, h in [d['bbox']]]
    assert drawn != labels, 'no label touches the edge'
    images = ('--images', folder.path + '/images')
    row, coco, _ = folder.evaluate(*images, data=write_coco(folder, labels))
    row_of_drawn, coco_of_drawn, _ = folder.evaluate(*images, data=write_coco(folder, drawn))
    print(f'# {sum(a != b for a, b in zip(drawn, labels))} labels beyond the edge: mAP@.5:.95 {row_of_drawn[5]}, without '
          f'{row[5]}; AP {coco_of_drawn[0]}, without {coco[0]}')
    assert row == row_of_drawn, (row, row_of_drawn)
    assert coco_of_drawn[0] < coco[0], (coco, coco_of_drawn)


def two_runs_are_equal(folder):
    first = folder.detections('--batch', '4')
    assert first == folder.detections('--batch', '4')
    assert len({d['category_id'] for d in first}) > 1


def a_picture_without_an_ending_is_named_whole(folder):
    write(folder.path + '/data.v2/images/frame', read(folder.path + '/images/1.png', 'rb'))
    write(folder.path + '/data.v2/labels/frame.txt', '0 0.5 0.5 0.5 0.5\n')
    write(folder.path + '/data.v2/list.txt', 'images/frame\n')
    write(folder.path + '/data.v2/data.yaml', 'val: list.txt\nnc: 5\n')
    path = folder.path + '/found.json'
    folder.evaluate('--json', path, data=folder.path + '/data.v2/data.yaml')
    assert {d['image_id'] for d in json.loads(read(path))} == {'frame'}


def speed_is_told(folder):
    _, _, text = folder.evaluate('--task', 'speed', '--batch', '2')
    assert re.search(r'^Speed: [0-9.]+/[0-9.]+/[0-9.]+ ms inference/NMS/total per 160x160 image at batch-size 2$',
                     text, re.M), text
    assert 'mAP' not in text


def bad_arguments_are_told(folder):
    cases = [
        ((folder.model,), 2, 'expected --data'),
        ((folder.model, '--data', folder.data, '--task', 'study'), 2, "--task is 'study'"),
        ((folder.model, '--data', folder.data, '--images', folder.path), 2, "--images is for COCO's JSON"),
        ((folder.model, '--data', folder.data, '--batch', '0'), 2, '--batch is 0'),
        ((folder.model, '--data', folder.data, '--conf', '2'), 2, '--conf is 2'),
        ((folder.model, '--data', folder.data, '--conf', '-0.5'), 2, '--conf is -0.5'),
        ((folder.model, '--data', folder.data, '--conf', '-1'), 2, '--conf is -1'),
        ((folder.model, '--data', folder.data, '--iou', 'nan'), 2, '--iou is nan'),
        ((folder.model, '--data', folder.data, '--iou', '-0.1'), 2, '--iou is -0.1'),
        ((folder.model, '--data', folder.data, '--size', '100000', '-o', folder.path), 1, 'input-size is 100000'),
        ((folder.model, 'more', '--data', folder.data), 2, 'expected one MODEL'),
        ((folder.model, '--data', '/nowhere.yaml', '-o', folder.path), 1, '/nowhere.yaml: '),
        ((folder.model, '--data', folder.data, '-o', folder.data), 1, 'data.yaml: can\'t make this folder'),
        (('/no-model.pt', '--data', folder.data, '--size', '160', '-o', folder.path, '--json', '/nowhere/p.json'), 1,
         '/nowhere/p.json: can\'t write'),  # told before anything is loaded
    ]
    for arguments, status, message in cases:
        done = run(folder.tool, *arguments)
        assert done.returncode == status and message in done.stderr, (arguments, done.returncode, done.stderr)


def what_is_read_is_never_replaced(folder):
    """By other names of the same files, too."""
    labels = write_coco(folder, folder.label_best())
    model, other = folder.path + '/model.pt', folder.path + '/other.json'
    shutil.copy(folder.model, model)
    for data, path in ((labels, labels), (labels, model), (labels, folder.path + '/images/1.png'),
                       (folder.data, folder.data), (folder.data, folder.path + '/labels/1.txt')):
        os.path.lexists(other) and os.remove(other)
        os.link(path, other)
        before = read(path, 'rb')
        images = ('--images', folder.path + '/images') if data == labels else ()
        for name in (path, other):
            done = run(folder.tool, model, '--data', data, *images, '--size', '160', '-o', folder.path, '--json', name)
            message = f'{name}: the result would replace it; give --json another file'
            assert done.returncode == 1 and message in done.stderr, (name, done.returncode, done.stderr)
            assert read(path, 'rb') == before, name
    os.remove(other)


def a_run_that_fails_leaves_no_results(folder):
    path = folder.path + '/new.json'
    done = run(folder.tool, '/no-model.pt', '--data', folder.data, '-o', folder.path, '--json', path)
    assert done.returncode == 1 and not os.path.exists(path), (done.returncode, done.stderr)
    write(path, 'mine')
    done = run(folder.tool, '/no-model.pt', '--data', folder.data, '-o', folder.path, '--json', path)
    assert done.returncode == 1 and read(path) == 'mine', (done.returncode, done.stderr)


def other_names_are_warned_of(folder):
    data = folder.path + '/named.yaml'
    write(data, 'val: images\nnames: [a, b, c, d, e]\n')
    done = run(folder.tool, folder.model, '--data', data, '--size', '160', '-o', folder.path)
    assert done.returncode == 0 and 'named.yaml: class 0 is "a", the model\'s is' in done.stderr, done.stderr


def a_terminal_sees_the_progress(folder):
    parent, child = os.openpty()
    arguments = [folder.tool, 'eval', folder.model, '--data', folder.data, '--size', '160', '--batch', '4', '-o',
                 folder.path]
    done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=child, check=False)
    os.close(child)
    seen = os.read(parent, 65536).decode()
    os.close(parent)
    bars = re.findall(r'\r\[([#.]{30})\] (\d+)/9 images, [0-9.]+ images/s, [0-9]+ s left', seen)
    assert done.returncode == 0 and len(bars) >= 3 and bars[-1] == ('#' * 30, '9'), seen
    assert [int(n) for _, n in bars] == sorted(int(n) for _, n in bars), seen
    assert seen.endswith('\r' + ' ' * 79 + '\r'), repr(seen[-100:])
    assert 'images/s' not in run(*arguments[:1], *arguments[2:]).stderr, 'a file sees it, too'


def a_spoilt_picture_is_told(folder):
    path = folder.path + '/images/3.png'
    content = read(path, 'rb')
    write(path, content[:len(content) // 2])
    done = run(folder.tool, folder.model, '--data', folder.data, '--size', '160', '-o', folder.path)
    write(path, content)
    assert done.returncode == 1 and 'images/3.png: ' in done.stderr, (done.returncode, done.stderr)


def frames_measure_as_upstream_does(tool, root, shared, folder):
    expected = json.loads(read(shared + '/demo/upstream.json'))
    arguments = [root + '/models/pets-tiny.pt', '--data', shared + '/demo/data.yaml', '-o', folder]
    fp32, _, text = evaluate(tool, *arguments, '--precision', 'fp32', '--batch', '7', '--json', folder + '/7.json')
    print('\n'.join('# ' + line for line in text.splitlines()))
    for name, got in zip(('P', 'R', 'mAP50', 'mAP50_95'), fp32[2:]):
        print(f'# {name}: {got}, upstream {expected[name]:.4f}')
    assert abs(fp32[4] - expected['mAP50']) <= 0.002 and abs(fp32[5] - expected['mAP50_95']) <= 0.002

    evaluate(tool, *arguments, '--precision', 'fp32', '--batch', '1', '--json', folder + '/1.json')
    assert read(folder + '/7.json') == read(folder + '/1.json'), 'a picture alone gives other detections'
    print('# batches of 7 and of 1: the same detections')

    fp16, _, _ = evaluate(tool, *arguments, '--precision', 'fp16', '--batch', '7')
    print(f'# fp16: mAP@.5 {fp16[4]}, mAP@.5:.95 {fp16[5]}')
    assert abs(fp16[4] - fp32[4]) <= 0.002 and abs(fp16[5] - fp32[5]) <= 0.002


def main():
    tool, root = sys.argv[1:3]
    shared = os.environ.get('YV_SHARED', root + '/../shared')
    with tempfile.TemporaryDirectory() as path:
        calm = Folder(tool, root, path + '/calm', 'tiny-silu.pt', 1)
        wild = Folder(tool, root, path + '/wild', 'x-legacy.pt', 5)  # boxes of no width, cut off by edges
        tests = [(own_detections_as_labels_are_found_again.__name__, own_detections_as_labels_are_found_again, (calm,))]
        tests += [(t.__name__, t, (wild,)) for t in (
            coco_json_gives_the_same_figures, only_test_pys_measure_cuts_labels_off_at_the_edges, two_runs_are_equal, a_picture_without_an_ending_is_named_whole,
            speed_is_told, bad_arguments_are_told, what_is_read_is_never_replaced,
            a_run_that_fails_leaves_no_results, other_names_are_warned_of, a_terminal_sees_the_progress,
            a_spoilt_picture_is_told)]
        tests.append(('frames_measure_as_upstream_does', frames_measure_as_upstream_does,
                      (tool, root, shared, path + '/frames') if os.path.isdir(shared + '/demo') else None))
        failed = 0
        for i, (name, test, arguments) in enumerate(tests, 1):
            try:
                if arguments:
                    test(*arguments)
                print(f'ok {i} - {name}' + ('' if arguments else ' # SKIP no folder of measurements'), flush=True)
            except AssertionError as error:
                failed += 1
                print(f'# {error}\nnot ok {i} - {name}', flush=True)
        print(f'1..{len(tests)}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
