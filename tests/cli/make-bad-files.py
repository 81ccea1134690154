#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes one file of every kind that a user might give by mistake, or an attacker on purpose.

usage: make-bad-files.py CHECKPOINT.pt FOLDER
CHECKPOINT.pt is a good one (zip container, whole module); what is made from it is spoilt in one place.
"""
import json
import os
import struct
import sys
import zipfile


def entries(path):
    with zipfile.ZipFile(path) as z:
        return {name: z.read(name) for name in z.namelist()}


def write_zip(path, files):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as z:
        for name, data in files.items():
            z.writestr(name, data)


def write(path, data):
    with open(path, 'wb') as f:
        f.write(data)


def safetensors(tensors):
    header, data = {}, b''
    for name, (shape, values) in tensors.items():
        raw = struct.pack(f'<{len(values)}f', *values)
        header[name] = {'dtype': 'F32', 'shape': shape, 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + data


CALLS_SYSTEM = b'\x80\x02cos\nsystem\nX\x07\x00\x00\x00echo hi\x85R.'


def spoilt_checkpoints(good, out):
    files = entries(good)
    root = next(n for n in files if n.endswith('/data.pkl')).rsplit('/', 1)[0]
    pickle = files[root + '/data.pkl']
    largest = max((n for n in files if '/data/' in n), key=lambda n: len(files[n]))

    write_zip(f'{out}/os-system.pt', {'archive/data.pkl': CALLS_SYSTEM, 'archive/version': b'3\n'})
    write(f'{out}/os-system-legacy.pt',
          b'\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.' + CALLS_SYSTEM)
    write_zip(f'{out}/short-storage.pt', {**files, largest: files[largest][:-64]})
    write_zip(f'{out}/nan.pt', {**files, largest: files[largest][:100] + b'\x00\x7e' + files[largest][102:]})
    write_zip(f'{out}/infinite.pt', {**files, largest: files[largest][:-2] + b'\x00\x7c'})
    assert b'models.common\nMP\n' in pickle
    write_zip(f'{out}/unknown-module.pt',
              {**files, root + '/data.pkl': pickle.replace(b'models.common\nMP\n', b'models.common\nZZ\n')})
    write_zip(f'{out}/torchscript.pt', {'m/code/__torch__/m.py': b'class M: pass', 'm/constants.pkl': b'\x80\x02).',
                                        'm/data.pkl': pickle, 'm/version': b'3\n'})
    whole = open(good, 'rb').read()
    end = whole.rindex(b'PK\x01\x02')  # the last row of the directory; its checksum is at 16
    write(f'{out}/wrong-sum.pt', whole[:end + 16] + bytes(255 - b for b in whole[end + 16:end + 20]) + whole[end + 20:])
    for n, part in enumerate((4, 1000, len(whole) // 3, len(whole) - 30000, len(whole) - 1)):
        write(f'{out}/truncated-{n}.pt', whole[:part])


def foreign_files(out):
    write(f'{out}/empty.pt', b'')
    write(f'{out}/text.pt', b'weights: see the shared drive\n' * 20)
    write(f'{out}/page.pt', b'<!DOCTYPE html><html><body>404 not found</body></html>\n')
    write(f'{out}/lfs.pt', b'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 75587165\n')
    write(f'{out}/darknet.weights', struct.pack('<iiiq', 0, 2, 5, 32013312) + struct.pack('<64f', *range(64)))
    write_zip(f'{out}/no-checkpoint.pt', {'holiday/picture.txt': b'beach'})
    write(f'{out}/state.safetensors', safetensors({'model.0.conv.weight': ([1, 3, 1, 1], [1, 2, 3])}))
    os.mkdir(f'{out}/folder.pt')


HEAD = "nc: 1\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors:\n  - [10,13, 16,30, 33,23]\n"


def state_dict(tensors):
    """A bare state dict as torch.save writes it: a pickle of name to view, and a storage each."""
    def text(value):
        raw = value.encode()
        return b'X' + struct.pack('<I', len(raw)) + raw

    def numbers(values):
        return b'(' + b''.join(b'J' + struct.pack('<i', v) for v in values) + b't'

    files, items = {}, b''
    for key, (name, shape) in enumerate(tensors.items()):
        n = 1
        for side in shape:
            n *= side
        strides = [1]
        for side in reversed(shape[1:]):
            strides.insert(0, strides[0] * side)
        storage = (b'(' + text('storage') + b'ctorch\nFloatStorage\n' + text(str(key)) + text('cpu') +
                   b'J' + struct.pack('<i', n) + b'tQ')
        items += (text(name) + b'ctorch._utils\n_rebuild_tensor_v2\n(' + storage + b'K\x00' + numbers(shape) +
                  numbers(strides) + b'\x89ccollections\nOrderedDict\n)RtR')
        files[f'archive/data/{key}'] = struct.pack(f'<{n}f', *(0.01 * (1 + i % 7) for i in range(n)))
    files['archive/data.pkl'] = b'\x80\x02ccollections\nOrderedDict\n)R(' + items + b'u.'
    return files


def bare_state_dicts(out):
    """Of the network that good.yaml describes, and of another."""
    tensors = {'model.0.conv.weight': (8, 3, 3, 3), 'model.1.m.0.weight': (18, 8, 1, 1), 'model.1.m.0.bias': (18,)}
    tensors.update({f'model.0.bn.{name}': (8,) for name in ('weight', 'bias', 'running_mean', 'running_var')})
    write_zip(f'{out}/state-dict.pt', state_dict(tensors))
    write_zip(f'{out}/other-state-dict.pt', state_dict({**tensors, 'model.0.conv.weight': (8, 3, 5, 5)}))


def bad_configs(out):
    def config(name, rows, head='[[0], 1, Detect, [nc, anchors]]'):
        write(f'{out}/{name}.yaml', (HEAD + f'backbone:\n  [{rows}]\nhead:\n  [{head}]\n').encode())

    config('good', '[-1, 1, Conv, [8, 3, 2]]')
    config('forward-reference', '[-1, 1, Conv, [8, 3, 2]], [[-1, 5], 1, Concat, [1]]')
    config('unknown-module', '[-1, 1, Conv, [8, 3, 2]], [-1, 1, FancyConv, [8]]')
    write(f'{out}/syntax.yaml', (HEAD + 'backbone:\n  [[-1, 1, Conv, [8, 3, 2]\nhead: {\n').encode())
    write(f'{out}/not-a-model.yaml', b'services:\n  camera: {}\n')


def main():
    good, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    spoilt_checkpoints(good, out)
    foreign_files(out)
    bare_state_dicts(out)
    bad_configs(out)


main()
