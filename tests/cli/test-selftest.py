#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`yolov7 selftest` as a user meets it. That it finds faults is tests/model/test-selftest.c's business.

usage: test-selftest.py TOOL SOURCE_ROOT
"""
import json
import os
import re
import subprocess
import sys

tool, root = sys.argv[1:3]
KERNELS = {'letterbox', 'conv', 'maxpool', 'upsample', 'copy', 'eltwise', 'reorg', 'decode'}
ACTS = {'silu', 'leaky_relu', 'relu', 'relu6', 'hardswish', 'mish', 'sigmoid'}


def selftest(*arguments):
    done = subprocess.run([tool, 'selftest', *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f'exit status {done.returncode}: {done.stdout[-800:]} {done.stderr}'
    return done.stdout


def has_device():
    text = subprocess.run([tool, '--help'], capture_output=True, text=True, check=True).stdout
    return re.search(r'^0: ', text, re.MULTILINE) is not None


def without_a_model_every_kernel_is_tested():
    found = json.loads(selftest('--json', '--size', '96'))
    kernels = {step['kernel'].split('_')[0] for step in found['steps']}
    acts = {word for step in found['steps'] for word in step['what'].split()} & ACTS
    kernels.discard('winograd')  # on CPUs
    assert kernels == KERNELS, kernels ^ KERNELS
    assert acts == ACTS, acts ^ ACTS
    assert found['size'] == 96 and found['failed'] == 0 and found['untested'] == 0
    assert found['tested'] == len(found['steps'])
    assert all(step['wrong'] == 0 and step['share_of_bound'] <= 1 for step in found['steps'])
    for precision in {step['precision'] for step in found['steps']}:
        worst = max((s for s in found['steps'] if s['precision'] == precision),
                    key=lambda step: step['relative_error'])
        print(f'# {precision}: {found["tested"]} steps, largest relative error '
              f'{worst["relative_error"]:.2g} ({worst["kernel"]})')


def a_model_of_its_own_in_one_precision():
    text = selftest(root + '/models/pets-tiny.pt', '--size', '64', '--precision', 'fp32')
    assert 'seed 1' in text and 'pets-tiny.pt' in text, text
    assert 'ok   fp32 conv_' in text and 'fp16' not in text and 'FAIL' not in text, text
    assert 'all as the reference computes them' in text.splitlines()[-1], text


def a_description_without_weights():
    text = selftest('--config', root + '/cfg/deploy/yolov7-tiny.yaml', '--size', '32', '--seed', '7')
    assert 'seed 7' in text, text


def a_seed_is_told_as_it_was_given():
    small = ['--config', root + '/cfg/deploy/yolov7-tiny.yaml', '--size', '32', '--precision', 'fp32']
    assert 'seed -1\n' in selftest(*small, '--seed', '-1')
    assert json.loads(selftest(*small, '--seed', '-1', '--json'))['seed'] == -1


def the_reference_is_refused_without_a_table():
    done = subprocess.run([tool, 'selftest', '--device', 'reference'], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and not done.stdout and 'reference' in done.stderr, done


TESTS = [without_a_model_every_kernel_is_tested, a_model_of_its_own_in_one_precision,
         a_description_without_weights, a_seed_is_told_as_it_was_given,
         the_reference_is_refused_without_a_table]
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
