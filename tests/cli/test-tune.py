#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`yolov7 tune` as a user meets it. What it refuses and takes is tests/model/test-tune.c's business.

usage: test-tune.py TOOL SOURCE_ROOT
"""
import json
import os
import re
import subprocess
import sys
import tempfile

tool, root = sys.argv[1:3]
SMALL = [root + '/models/pets-tiny.pt', '--size', '32']


def run(*arguments, **environment):
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, 'XDG_CACHE_HOME': home, 'YV_CACHE': 'on', **environment})


def tune(*arguments, **environment):
    done = run('tune', *arguments, **environment)
    assert done.returncode == 0, f'exit status {done.returncode}: {done.stdout[-800:]} {done.stderr}'
    return done.stdout


def has_device():
    return re.search(r'^0: ', run('--help').stdout, re.MULTILINE) is not None


def the_table_names_what_is_taken_and_where_it_is_kept():
    text = tune(*SMALL)
    assert 'GFLOP/s  taken' in text and 'conv_tile' in text and 'WRONG' not in text, text
    assert re.search(r'^(\d+) of \1 distinct convolutions tuned at 32x32 px, batch 1', text, re.MULTILINE), text
    assert 'could not be kept' not in text, text
    kept = [name for name in os.listdir(home + '/gst-yolov7') if name.startswith('tuning-')]
    assert len(kept) == 1, kept


def json_tells_the_same():
    found = json.loads(tune(*SMALL, '--json', '--batch', '2'))
    assert found['kept'] and found['batch'] == 2 and found['wrong'] == 0, found
    assert found['tuned'] == found['distinct'] == len(found['convolutions']), found
    assert found['taken_ms'] <= found['usual_ms'], found
    for layer in found['convolutions']:
        ways = {way['way']: way for way in layer['ways']}
        assert layer['taken'] in ways and layer['usual'] in ways and 'conv_tile' in ways, layer
        assert all(way['share_of_bound'] <= 1 and way['us'] > 0 for way in ways.values()), layer


def a_model_that_was_tuned_still_computes_the_same():
    bench = json.loads(run('bench', *SMALL, '--json', '--runs', '1', '--warmup', '0').stdout)
    assert bench['width'] == 32, bench
    tested = run('selftest', *SMALL, '--precision', 'fp32')
    assert tested.returncode == 0 and 'FAIL' not in tested.stdout, tested.stdout


def no_time_changes_nothing():
    found = json.loads(tune('--config', root + '/cfg/deploy/yolov7-tiny.yaml', '--size', '64', '--budget', '0.001',
                            '--json'))
    assert found['tuned'] < found['distinct'], found
    assert found['convolutions'][-1]['taken'] is None and not found['convolutions'][-1]['ways'], found


def without_a_cache_it_says_so():
    assert 'could not be kept' in tune(*SMALL, '--budget', '0.001', YV_CACHE='off')
    assert 'could not be kept' in tune(*SMALL, '--budget', '0.001', XDG_CACHE_HOME='/proc/none')


def what_makes_no_sense_is_refused():
    for arguments, status, words in (
            ([], 2, 'expected one MODEL'),
            ([*SMALL, '--batch', '0'], 2, '--batch is 0'),
            ([*SMALL, '--budget', '-1'], 2, '--budget -1'),
            ([*SMALL, '--budget', 'nan'], 2, '--budget nan'),
            ([SMALL[0], '--size', '33'], 1, 'multiples of 32'),
            ([*SMALL, '--batch', '257'], 1, '256'),
            ([*SMALL, '--device', 'reference'], 1, 'reference')):
        done = run('tune', *arguments)
        assert done.returncode == status and words in done.stderr, (arguments, done)


TESTS = [the_table_names_what_is_taken_and_where_it_is_kept, json_tells_the_same,
         a_model_that_was_tuned_still_computes_the_same, no_time_changes_nothing,
         without_a_cache_it_says_so, what_makes_no_sense_is_refused]
with tempfile.TemporaryDirectory() as home:
    if not has_device():
        if os.environ.get('YV_REQUIRE_VULKAN'):
            sys.exit('no Vulkan device, but YV_REQUIRE_VULKAN is set')
        print('1..0 # SKIP no Vulkan device')
        sys.exit(0)
    print(f'1..{len(TESTS)}')
    failed = 0
    for i, test in enumerate(TESTS, 1):
        name = test.__name__.replace('_', ' ')
        try:
            test()
            print(f'ok {i} - {name}')
        except AssertionError as error:
            print('# ' + str(error).replace('\n', '\n# '))
            print(f'not ok {i} - {name}')
            failed += 1
sys.exit(failed > 0)
