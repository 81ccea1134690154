#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`yolov7 inspect` as text, as JSON and as a picture, for every description in cfg/.

usage: test-inspect.py TOOL SOURCE_ROOT
"""
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree

SVG = '{http://www.w3.org/2000/svg}'


def run(*command, status=0):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, f'{command[1:]}: exit status {done.returncode}: {done.stderr[-400:]}'
    return done


def descriptions(root):
    found = sorted(glob.glob(root + '/cfg/*/*.yaml'))
    assert found, 'no description in cfg/'
    return found


def is_box(path):
    """Of all that is filled only the boxes of rows have round corners. Cairo says fill in one of two ways."""
    filled = 'fill:rgb' in path.get('style', '') or path.get('fill', '').startswith('rgb')
    return filled and path.get('d').count('C') == 4


def row_boxes(svg):
    paths = xml.etree.ElementTree.parse(svg).getroot().iter(SVG + 'path')
    return sum(map(is_box, paths))


def every_description_has_a_picture(tool, root, folder):
    for cfg in descriptions(root):
        rows = len(json.loads(run(tool, 'inspect', '--config', cfg, '--json').stdout)['layers'])
        svg = os.path.join(folder, 'model.svg')
        done = run(tool, 'inspect', '--config', cfg, '--graph', svg)
        assert not done.stdout and not done.stderr, 'a picture is written without words'
        boxes = row_boxes(svg)
        print(f'# {os.path.relpath(cfg, root)}: {rows} rows, {boxes} boxes, {os.path.getsize(svg)} bytes')
        assert boxes == 2 * rows, f'{cfg}: {boxes} boxes, expected {rows} as trained and as deployed'


def a_picture_that_cannot_be_written_is_an_error(tool, root, folder):
    missing = folder + '/gone/model.svg'
    done = run(tool, 'inspect', root + '/models/pets-tiny.pt', '--graph', missing, status=1)
    assert missing in done.stderr and 'No such file' in done.stderr and not done.stdout, done.stderr
    full = folder + '/full.svg'
    os.symlink('/dev/full', full)
    done = run(tool, 'inspect', root + '/models/pets-tiny.pt', '--graph', full, status=1)
    assert full in done.stderr and 'No space' in done.stderr, done.stderr


def a_picture_overwrites_no_model(tool, root, folder):
    model, best = root + '/models/pets-tiny.pt', folder + '/best.pt'
    for file in best, folder + '/model.svg':  # the second is a model whatever its name says
        shutil.copy(model, file)
    os.symlink('model.svg', folder + '/link.svg')
    config = folder + '/config.svg'
    shutil.copy(root + '/cfg/deploy/yolov7-tiny.yaml', config)
    before = {name: pathlib.Path(folder, name).read_bytes() for name in os.listdir(folder)}
    for wrong in [model, '-g', best], [best, '-g', best], [model, '-g', folder + '/g.png'], \
            [folder + '/model.svg', '-g', folder + '/model.svg'], \
            [folder + '/model.svg', '-g', folder + '/link.svg'], ['-c', config, '-g', config]:
        done = run(tool, 'inspect', *wrong, status=2)
        assert '--graph' in done.stderr and not done.stdout, done.stderr
    assert {name: pathlib.Path(folder, name).read_bytes() for name in os.listdir(folder)} == before


def the_table_is_aligned_and_complete(tool, root, _folder):
    widest = 0
    for cfg in descriptions(root):
        lines = run(tool, 'inspect', '--config', cfg).stdout.splitlines()
        table = lines[2:lines.index('', 2)]
        widest = max(widest, *map(len, lines))
        assert table[0].split()[0] == 'row' and table[0].endswith('MFLOP'), table[0]
        rows = [line for line in table[1:] if line[:4].strip()]
        assert [int(row.split()[0]) for row in rows] == list(range(len(rows))), cfg
        for name in 'from', 'module', 'as trained', 'as deployed':
            column = table[0].index(name)
            assert all(row[column - 2:column] == '  ' for row in table[1:] if len(row) > column), f'{cfg}: {name}'
        assert all(len(row) == len(table[0]) for row in rows if row[-1].isdigit() and '.' in row.split()[-1]), cfg
    print(f'# the widest line has {widest} characters')
    assert widest <= 180


def rows_sum_up_to_the_totals(tool, root, _folder):
    for cfg in descriptions(root):
        info = json.loads(run(tool, 'inspect', '--config', cfg, '--json').stdout)
        layers = info['layers']
        for name in 'parameters_trained', 'parameters_deployed':
            assert sum(layer[name] for layer in layers) == info[name], (cfg, name)
        for rows, total in ('flops', 'gflop'), ('flops_trained', 'gflop_trained'):
            assert abs(sum(layer[rows] for layer in layers) / 1e9 - info[total]) < 1e-6, (cfg, total)
        for layer in layers:
            assert layer['deployed'] or not layer['from_deployed'], (cfg, layer['row'])
            assert all(row < layer['row'] for row in layer['from'] + layer['from_deployed']), (cfg, layer['row'])


def a_model_equals_itself(tool, root, _folder):
    model = root + '/models/pets-tiny.pt'
    done = run(tool, 'inspect', '--diff', '--exit-code', model, model)
    assert 'As deployed: equal\n' in done.stdout and 'weights: all 1507798 are equal' in done.stdout, done.stdout
    told = json.loads(run(tool, 'inspect', '--diff', '--json', model, model).stdout)
    assert told['deployed'] == 'equal' and len(told['layers']) == 78, told['deployed']
    assert all(setting['equal'] for setting in told['settings'])


def two_models_differ_and_the_status_tells_on_request(tool, root, _folder):
    models = root + '/models/pets-tiny.pt', root + '/tests/golden/checkpoints/tiny-silu.pt'
    done = run(tool, 'inspect', '--diff', *models)
    assert 'As deployed: different' in done.stdout and 'leaky_relu 0.1 -> silu' in done.stdout, done.stdout
    assert max(map(len, done.stdout.splitlines())) < 200, 'a line is too long to be read'
    assert len(done.stdout.splitlines()) < 100, 'long lists are to be cut'
    run(tool, 'inspect', '--diff', '--exit-code', *models, status=3)
    told = json.loads(run(tool, 'inspect', '--diff', '--exit-code', '--json', *models, status=3).stdout)
    assert told['deployed'] == 'different'
    assert any(tensor['shape_a'] != tensor['shape_b'] for tensor in told['tensors'])


def what_cannot_be_compared_is_an_error(tool, root, folder):
    model, text = root + '/models/pets-tiny.pt', folder + '/text.pt'
    with open(text, 'w', encoding='ascii') as f:
        f.write('no model\n')
    for pair in (model, text), (text, model), (model, folder + '/gone.pt'):
        done = run(tool, 'inspect', '--diff', *pair, status=1)
        assert folder in done.stderr and not done.stdout, done.stderr
    for wrong in ['--diff', model], ['--diff', model, model, model], ['--exit-code', model], \
            ['--diff', model, model, '--graph', folder + '/x.svg']:
        done = run(tool, 'inspect', *wrong, status=2)
        assert '--diff' in done.stderr and not done.stdout, done.stderr


def main():
    tool, root = sys.argv[1:3]
    tests = [every_description_has_a_picture, a_picture_that_cannot_be_written_is_an_error,
             a_picture_overwrites_no_model,
             the_table_is_aligned_and_complete, rows_sum_up_to_the_totals, a_model_equals_itself,
             two_models_differ_and_the_status_tells_on_request,
             what_cannot_be_compared_is_an_error]
    failed = 0
    for n, test in enumerate(tests, 1):
        name = test.__name__.replace('_', ' ')
        try:
            with tempfile.TemporaryDirectory() as folder:
                test(tool, root, folder)
            print(f'ok {n} - {name}')
        except Exception:  # whatever it is, the test failed
            print('# ' + traceback.format_exc().replace('\n', '\n# ') + f'\nnot ok {n} - {name}')
            failed = 1
    print(f'1..{len(tests)}')
    return failed


sys.exit(main())
