# SPDX-License-Identifier: LGPL-2.1-or-later
"""A RabbitMQ and workers of yolov7-fleet in network namespaces of their own.

A hub has the broker and a bridge; each worker is in a namespace with one cable to it, which can be
cut. Nothing listens outside of them, so ports are the usual ones. All of it is removed at the end,
also what an earlier run that was killed has left.

What is analysed is seen in the files that the cameras' publishers write, not in what workers say.
"""
import atexit
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

BROKER = '/usr/lib/rabbitmq/bin/rabbitmq-server'
CTL = '/usr/lib/rabbitmq/bin/rabbitmqctl'
PREFIX = 'yvfleet'
PASSWORD = 'correct-horse'
HUB_ADDRESS = '10.77.0.1'
START_S = 180
TEST_SOURCE = 'test:ball,width=64,height=64,framerate=2/1'


def run(*words, **options):
    return subprocess.run(words, check=True, text=True, capture_output=True, **options)


def missing():
    """Why there can be no lab here, or None."""
    if os.geteuid() != 0:
        return 'network namespaces need root'
    if not shutil.which('ip'):
        return 'there is no ip: apt-get install iproute2'
    if not os.path.exists(BROKER):
        return 'there is no broker: apt-get install rabbitmq-server'
    name = f'{PREFIX}-{os.getpid()}-try'
    tried = subprocess.run(['ip', 'netns', 'add', name], text=True, capture_output=True)
    if tried.returncode != 0:
        return f'no network namespaces: {tried.stderr.strip()}'
    bridge = subprocess.run(['ip', '-n', name, 'link', 'add', 'br0', 'type', 'bridge'], text=True,
                            capture_output=True)
    subprocess.run(['ip', 'netns', 'del', name])
    return None if bridge.returncode == 0 else f'no bridge: {bridge.stderr.strip()}'


def remove_namespace(name):
    pids = subprocess.run(['ip', 'netns', 'pids', name], text=True, capture_output=True).stdout
    for pid in pids.split():
        if int(pid) == os.getpid():
            continue
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    subprocess.run(['ip', 'netns', 'del', name], capture_output=True)


def remove_leftovers():
    names = subprocess.run(['ip', 'netns', 'list'], text=True, capture_output=True).stdout
    for line in names.splitlines():
        name = line.split()[0] if line.split() else ''
        parts = name.split('-')
        if parts[0] == PREFIX and len(parts) == 3 and not os.path.exists(f'/proc/{parts[1]}'):
            remove_namespace(name)


def enter(namespace):
    """Moves this thread, and what it starts, into a namespace."""
    with open(f'/run/netns/{namespace}') as file:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file.fileno(), 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), 'setns')


def wait_until(condition, timeout_s, what):
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f'{what}: not within {timeout_s} s')
        time.sleep(0.05)


class Broker:
    """Its data survives stop() and start()."""

    def __init__(self, lab):
        self.lab = lab
        self.folder = lab.folder / 'broker'
        self.folder.mkdir()
        (self.folder / 'rabbitmq.conf').write_text(
            f'listeners.tcp.default = 5672\ndefault_user = fleet\ndefault_pass = {PASSWORD}\n'
            'loopback_users = none\nlog.console = false\ndisk_free_limit.absolute = 50MB\n')
        # What docs/fleet.md has people install.
        (self.folder / 'conf.d').mkdir()
        shutil.copy(lab.root / 'examples/fleet/rabbitmq.conf', self.folder / 'conf.d/50-yolov7-fleet.conf')
        (self.folder / 'plugins').write_text('[].\n')
        self.process = None

    def environment(self):
        folder = str(self.folder)
        return dict(os.environ, HOME=folder, RABBITMQ_NODENAME='fleet@localhost',
                    RABBITMQ_MNESIA_BASE=folder + '/data', RABBITMQ_LOG_BASE=folder + '/log',
                    RABBITMQ_ENABLED_PLUGINS_FILE=folder + '/plugins',
                    RABBITMQ_CONFIG_FILE=folder + '/rabbitmq',
                    RABBITMQ_CONFIG_FILES=folder + '/conf.d',
                    RABBITMQ_ADVANCED_CONFIG_FILE=folder + '/advanced.config',
                    RABBITMQ_CONF_ENV_FILE=folder + '/none-env.conf',
                    RABBITMQ_PID_FILE=folder + '/pid',
                    # Two cores are shared with everything else: threads that spin gain nothing.
                    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none')

    def start(self):
        began = time.monotonic()
        log = self.folder / 'out'
        with open(log, 'w') as out:
            self.process = subprocess.Popen([BROKER], env=self.environment(), cwd=self.folder, stdout=out,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            start_new_session=True)

        def is_up():
            if self.process.poll() is not None:
                raise RuntimeError('the broker ended: ' + log.read_text()[-2000:])
            return 'completed with' in log.read_text()
        wait_until(is_up, START_S, 'the broker is up')
        # Queues come later than the broker says, by seconds after it was killed.
        wait_until(lambda: self.lab.command('failed', ok=False).returncode == 0, START_S,
                   'queues are there')
        return time.monotonic() - began

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """As an administrator would: what is durable is written."""
        self.ctl('stop')
        self.process.wait()

    def ctl(self, *words):
        return run(CTL, '-n', 'fleet@localhost', *words, env=self.environment()).stdout


class Worker:
    def __init__(self, lab, name, index, settings=''):
        self.lab = lab
        self.name = name
        self.namespace = lab.namespace(name)
        self.cable = f'p{index}'
        self.folder = lab.folder / name
        self.folder.mkdir()
        self.log = lab.folder / f'{name}.log'
        self.config = lab.folder / f'{name}.yaml'
        self.write_config(settings)
        self.process = None
        run('ip', 'netns', 'add', self.namespace)
        run('ip', 'link', 'add', 'eth0', 'netns', self.namespace, 'type', 'veth', 'peer', 'name',
            self.cable, 'netns', lab.hub)
        run('ip', '-n', lab.hub, 'link', 'set', self.cable, 'master', 'br0', 'up')
        run('ip', '-n', self.namespace, 'addr', 'add', f'10.77.0.{10 + index}/24', 'dev', 'eth0')
        run('ip', '-n', self.namespace, 'link', 'set', 'eth0', 'up')
        run('ip', '-n', self.namespace, 'link', 'set', 'lo', 'up')

    def write_config(self, settings):
        base = dict(broker=f'amqp://fleet@{HUB_ADDRESS}', name=self.name, capacity=9)
        base.update(settings or {})
        lines = [f'{key}: {json.dumps(value)}' for key, value in base.items()]
        self.config.write_text('\n'.join(lines) + f'''
allow: {{sources: [test, rtsp]}}
defaults:
  yolov7: {{config-file: {self.lab.root}/tests/faults/model.yaml, input-size: 64,
    label-file: {self.lab.folder}/labels}}
  yolov7publish:
    {{method: file, file-format: json-lines, file-path: "{self.folder}/{{name}}.jsonl"}}
''')

    def start(self, **environment):
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(
                ['ip', 'netns', 'exec', self.namespace, self.lab.program, 'worker',
                 str(self.config)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=os.environ | environment)

    def start_in_trouble(self, **troubles):
        """With fleet-trouble.c: hang_start='street'."""
        folder = self.lab.folder / 'trouble'
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for what, whom in troubles.items():
            (folder / what.replace('_', '-')).write_text(whom)
        self.start(LD_PRELOAD=self.lab.trouble, YV_FLEET_TROUBLE=str(folder))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=60)

    def cut(self):
        run('ip', '-n', self.lab.hub, 'link', 'set', self.cable, 'down')

    def heal(self):
        run('ip', '-n', self.lab.hub, 'link', 'set', self.cable, 'up')

    def n_said(self, text):
        return self.log.read_text().count(text) if self.log.exists() else 0

    def wait_said(self, text, n=1, timeout_s=60):
        def has_said():
            if self.n_said(text) >= n:
                return True
            if self.process.poll() is not None:
                raise RuntimeError(f'{self.name} has ended with {self.process.returncode}')
            return False
        wait_until(has_said, timeout_s, f'{self.name} says "{text}"')


class Watch(threading.Thread):
    """Notes when each file of each worker grew."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab = lab
        self.sizes = {}
        self.times = {}  # (worker, camera) -> [when]
        self.is_over = False

    def run(self):
        while not self.is_over:
            for worker in list(self.lab.workers):
                self.look(worker)
            time.sleep(0.05)

    def look(self, worker):
        now = time.monotonic()
        for entry in os.scandir(worker.folder):
            key = worker.name, entry.name.removesuffix('.jsonl')
            try:
                size = entry.stat().st_size
            except FileNotFoundError:
                continue
            if size != self.sizes.get(key, 0) and size > 0:
                self.times.setdefault(key, []).append(now)
            self.sizes[key] = size

    def last(self, camera, workers):
        return max((self.times[key][-1] for key in list(self.times)
                    if key[1] == camera and key[0] in workers), default=float('-inf'))

    def is_analysed(self, camera, workers, within_s=1.5):
        return time.monotonic() - self.last(camera, workers) < within_s

    def holders(self):
        """Names of the workers that wrote last of some camera."""
        newest = {}
        for (worker, camera), times in list(self.times.items()):
            newest[camera] = max(newest.get(camera, (0, '')), (times[-1], worker))
        return {worker for _, worker in newest.values()}

    def longest_gap(self, camera):
        times = sorted(t for key in self.times if key[1] == camera for t in self.times[key])
        return max((b - a for a, b in zip(times, times[1:])), default=float('inf'))

    def longest_overlap(self, camera, pause_s=1.5):
        """Of two workers that both write, with pauses below pause_s."""
        spans = []
        for key in self.times:
            if key[1] != camera:
                continue
            times = self.times[key]
            begin = times[0]
            for a, b in zip(times, times[1:]):
                if b - a >= pause_s:
                    spans.append((begin, a))
                    begin = b
            spans.append((begin, times[-1]))
        spans.sort()
        longest = 0
        for i, (_, end) in enumerate(spans):
            for other in spans[i + 1:]:
                if other[0] > end:
                    break
                longest = max(longest, min(end, other[1]) - other[0])
        return longest


class Lab:
    def __init__(self, program):
        remove_leftovers()
        self.program = os.path.abspath(program)
        self.root = pathlib.Path(__file__).resolve().parents[2]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='yv-fleet-'))
        self.workers = []
        self.hub = self.namespace('hub')
        self.made = [self.hub]
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        run('ip', 'netns', 'add', self.hub)
        run('ip', '-n', self.hub, 'link', 'set', 'lo', 'up')
        run('ip', '-n', self.hub, 'link', 'add', 'br0', 'type', 'bridge')
        run('ip', '-n', self.hub, 'addr', 'add', f'{HUB_ADDRESS}/24', 'dev', 'br0')
        run('ip', '-n', self.hub, 'link', 'set', 'br0', 'up')
        enter(self.hub)
        os.environ['YV_FLEET_PASSWORD'] = PASSWORD
        os.environ['YV_FLEET_BROKER'] = f'amqp://fleet@{HUB_ADDRESS}'
        (self.folder / 'labels').write_text('person\ncar\n')
        self.broker = Broker(self)
        self.watch = Watch(self)

    def namespace(self, name):
        return f'{PREFIX}-{os.getpid()}-{name}'

    def add_worker(self, name, settings=None):
        worker = Worker(self, name, len(self.workers) + 1, settings)
        self.made.append(worker.namespace)
        self.workers.append(worker)
        return worker

    def command(self, *words, stdin='', ok=True):
        done = subprocess.run([self.program, *words], input=stdin, text=True, capture_output=True,
                              timeout=60)
        if ok and done.returncode != 0:
            raise RuntimeError(f'{words}: {done.returncode}: {done.stderr}')
        return done

    def explain(self):
        """What workers said last, for a test that failed."""
        for worker in self.workers:
            if worker.log.exists():
                for line in worker.log.read_text().splitlines()[-15:]:
                    print(f'# {worker.name}: {line}')

    def add_camera(self, name, fps=2, **more):
        camera = dict(name=name, source=f'test:ball,width=64,height=64,framerate={fps}/1', **more)
        done = self.command('add', '-', stdin=json.dumps(camera), ok=False)
        while 'not ready, as after a start; try again' in done.stderr:  # there is no other sign of it
            time.sleep(0.2)
            done = self.command('add', '-', stdin=json.dumps(camera), ok=False)
        if done.returncode != 0:
            raise RuntimeError(f'add {name}: {done.returncode}: {done.stderr}')
        return done

    def close(self):
        self.watch.is_over = True
        for name in reversed(self.made):
            remove_namespace(name)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.made = []


class Fleet:
    """The lab, and a client of its broker that says whatever it likes."""

    def __init__(self, lab):
        import pika
        self.pika = pika
        self.lab = lab

    def channel(self):
        credentials = self.pika.PlainCredentials('fleet', PASSWORD)
        parameters = self.pika.ConnectionParameters(HUB_ADDRESS, credentials=credentials)
        return self.pika.BlockingConnection(parameters).channel()

    def publish(self, bodies, exchange='', key='yolov7.cameras', headers=None):
        channel = self.channel()
        if len(bodies) < 100:
            channel.confirm_delivery()
        properties = self.pika.BasicProperties(delivery_mode=2, headers=headers)
        for body in bodies:
            channel.basic_publish(exchange, key, body, properties)
        channel.connection.close()

    def n_ready(self, queue):
        channel = self.channel()
        n = channel.queue_declare(queue, passive=True).method.message_count
        channel.connection.close()
        return n

    def version(self):
        channel = self.channel()
        version = channel.connection._impl.server_properties['version']
        channel.connection.close()
        return version.decode() if isinstance(version, bytes) else version

    def empty(self):
        """Queues are new, also where the broker has not noticed yet that a worker was killed."""
        channel = self.channel()
        for queue in ('yolov7.cameras', 'yolov7.failed'):
            channel.queue_delete(queue)
        channel.connection.close()
        self.lab.command('failed')

    def failed(self):
        return self.lab.command('failed').stdout.splitlines()

    def summary(self):
        return self.lab.command('list').stdout.splitlines()[-1]

    def wait_summary(self, text, timeout_s=60):
        wait_until(lambda: self.summary() == text, timeout_s, f'list says "{text}"')


def camera(name, **more):
    return json.dumps(dict(name=name, source=TEST_SOURCE, **more)).encode()


def start_worker(fleet, index=0, trouble=None, **settings):
    """trouble: {what: to whom}, of fleet-trouble.c."""
    worker = fleet.lab.workers[index]
    worker.write_config(settings)
    n = worker.n_said('connected with')
    if trouble is None:
        worker.start()
    else:
        worker.start_in_trouble(**trouble)
    worker.wait_said('connected with', n + 1)
    return worker


def end_worker(worker):
    assert worker.end() == 0, 'a worker that is asked to end says 0'


def judge(fleet, number, test):
    if len(sys.argv) > 3 and test.__name__ not in sys.argv[3:]:
        print(f'ok {number} - {test.__name__} # SKIP')
        return True
    began = time.monotonic()
    worker = fleet.lab.workers[0]
    worker.n_said_before = worker.n_said(': taken')
    worker.n_lost_before = worker.n_said('the broker is lost')
    try:
        test(fleet)
        fine = True
    except Exception:
        for line in traceback.format_exc().splitlines():
            print('#', line)
        fleet.lab.explain()
        fine = False
    for worker in fleet.lab.workers:
        if worker.process and worker.process.poll() is None:
            worker.kill()
    fleet.empty()
    print(f'{"ok" if fine else "not ok"} {number} - {test.__name__} # {time.monotonic() - began:.1f} s',
          flush=True)
    return fine


def run_tests(tests):
    """usage: TEST PROGRAM TROUBLE [NAME...]: each function is a test; all share a broker."""
    why = missing()
    try:
        import pika # noqa: F401
    except ImportError:
        why = why or 'there is no pika: apt-get install python3-pika'
    if why:
        print(f'1..0 # SKIP {why}')
        return 0
    lab = Lab(sys.argv[1])
    lab.trouble = os.path.abspath(sys.argv[2])
    fleet = Fleet(lab)
    n_failed = 0
    print(f'1..{len(tests)}')
    try:
        print(f'# the broker was up after {lab.broker.start():.1f} s')
        lab.add_worker('w1')
        lab.add_worker('w2')
        lab.command('list')
        for i, test in enumerate(tests):
            n_failed += not judge(fleet, i + 1, test)
    finally:
        lab.close()
    return 1 if n_failed else 0
