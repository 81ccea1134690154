# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every benchmark does with `yolov7` and with PyTorch: start them, check, keep what came out.

Each exits with status 1 and says why where a program fails.
"""
import functools
import json
import os
import subprocess
import sys

# Left to itself PyTorch may use one thread, and with one it leaves oneDNN and is ten times slower.
ENVIRONMENT = {'OMP_NUM_THREADS': str(len(os.sched_getaffinity(0)))} | os.environ


def run(command, **environment):
    """What a program prints."""
    done = subprocess.run(command, env=ENVIRONMENT | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-600:]
        sys.exit(f'{" ".join(command)}: exit status {done.returncode}: {said}')
    return done.stdout


def model_arguments(model):
    return ['--config', model] if model.endswith('.yaml') else [model]


def device_arguments(device):
    return ['--device', device] if device else []


def bench(tool, model, device, options, **environment):
    """`yolov7 bench` of a checkpoint or a description, as a dictionary."""
    return json.loads(run([tool, 'bench', *model_arguments(model), '--json', *options, *device_arguments(device)],
                          **environment))


def check_kernels(tool, model, device, **environment):
    """No figure of a device that computes something else: each step of the model against plain C."""
    run([tool, 'selftest', *model_arguments(model), '--size=64', *device_arguments(device)], **environment)


@functools.cache
def python_with_torch():
    """A Python that has PyTorch, or None: the one that runs this may be another than the system's."""
    look = 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ("torch", "yaml"))))'  # importing takes seconds
    for python in ('python3', '/usr/bin/python3'):
        found = subprocess.run([python, '-c', look], capture_output=True, check=False)
        if found.returncode == 0:
            return python
    print('no PyTorch here (Debian: python3-torch python3-yaml): our figures alone')
    return None


def keep(path, part, **figures):
    """Appends a line of JSON to the file of results, where one is wanted."""
    if path:
        with open(path, 'a', encoding='utf-8') as file:
            file.write(json.dumps({'part': part} | figures) + '\n')
