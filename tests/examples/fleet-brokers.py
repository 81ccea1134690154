#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a fleet makes of brokers that lie, refuse, stop and die; TLS; and the commands in docs/fleet.md.

usage: fleet-brokers.py PROGRAM TROUBLE [TEST...]
"""
import os
import re
import socket
import subprocess
import sys
import threading
import time

import fleetlab
from fleetlab import camera, end_worker, start_worker


# ---- brokers -----------------------------------------------------------------------------------

def broker_that_restarts_loses_nothing(fleet):
    worker = start_worker(fleet)
    for i in range(3):
        fleet.lab.add_camera(f'kept-{i}')
    fleet.wait_summary('3 running, 0 waiting for a worker, 0 failed')
    fleet.lab.broker.kill()
    worker.wait_said('the broker is lost', worker.n_lost_before + 1)
    fleet.lab.broker.start()
    fleet.wait_summary('3 running, 0 waiting for a worker, 0 failed', 90)
    end_worker(worker)


def broker_that_takes_messages_back_is_survived(fleet):
    """What a RabbitMQ before 3.12 does after 30 minutes, unless it is told otherwise."""
    broker = fleet.lab.broker
    conf = broker.folder / 'advanced.config'
    shipped = broker.folder / 'conf.d/50-yolov7-fleet.conf'
    text = shipped.read_text()
    broker.stop()
    shipped.unlink()
    conf.write_text('[{rabbit, [{consumer_timeout, 4000}, {channel_tick_interval, 1000}]}].\n')
    broker.start()
    try:
        worker = start_worker(fleet)
        fleet.lab.add_camera('long')
        fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
        version = tuple(int(n) for n in fleet.version().split('.')[:2])
        if version < (3, 12):
            worker.wait_said('the broker is lost', worker.n_lost_before + 1)
            worker.wait_said('camera long: taken', 2)
        else:
            # The queue's own argument counts.
            time.sleep(10)
            assert worker.n_said('the broker is lost') == worker.n_lost_before
        fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
        end_worker(worker)
    finally:
        broker.stop()
        conf.unlink()
        shipped.write_text(text)
        broker.start()


def broker_that_is_low_on_memory_stops_nothing(fleet):
    lab = fleet.lab
    one, two = start_worker(fleet), start_worker(fleet, 1)
    lab.add_camera('alarmed')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    holder, other = (one, two) if one.n_said('camera alarmed: taken') else (two, one)
    n_lost = other.n_said('the broker is lost')
    lab.broker.ctl('set_vm_memory_high_watermark', '0.0001')
    try:
        added = lab.command('add', '-', stdin=camera('late').decode(), ok=False)
        assert added.returncode == 1 and 'has not taken a message yet: low on memory' in added.stderr, added
        holder.kill()
        other.wait_said('camera alarmed: playing')
        other.wait_said('the broker takes no messages (low on memory)')
    finally:
        lab.broker.ctl('set_vm_memory_high_watermark', '0.4')
    other.wait_said('the broker takes messages again')
    lab.command('remove', 'late') # RabbitMQ 4 has read it by then
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    assert other.n_said('the broker is lost') == n_lost
    end_worker(other)


def refused(fleet, config, *expected):
    """A worker that can't ever work says so, and ends."""
    worker = fleet.lab.workers[0]
    worker.write_config(config)
    before = worker.log.read_text()
    worker.start()
    assert worker.process.wait(timeout=120) == 1
    said = worker.log.read_text()[len(before):]
    for text in expected:
        assert text in said, f'"{text}" is not in: {said}'
    return said


def wrong_password_ends_a_worker(fleet):
    os.environ['YV_FLEET_PASSWORD'] = 'wrong-secret'
    try:
        said = refused(fleet, {}, 'ACCESS_REFUSED')
        tried = fleet.lab.command('list', ok=False)
    finally:
        os.environ['YV_FLEET_PASSWORD'] = fleetlab.PASSWORD
    assert tried.returncode == 1 and 'ACCESS_REFUSED' in tried.stderr, tried.stderr
    assert 'wrong-secret' not in said + tried.stderr


def unknown_vhost_ends_a_worker(fleet):
    refused(fleet, {'broker': f'amqp://fleet@{fleetlab.HUB_ADDRESS}/nowhere'}, 'nowhere')


def queue_of_another_kind_ends_a_worker(fleet):
    channel = fleet.channel()
    channel.queue_delete('yolov7.cameras')
    channel.queue_declare('yolov7.cameras', durable=True)
    channel.connection.close()
    try:
        refused(fleet, {}, 'PRECONDITION_FAILED', 'yolov7.cameras', 'x-queue-type')
        added = fleet.lab.command('add', '-', stdin=camera('x').decode(), ok=False)
        assert added.returncode == 1 and 'PRECONDITION_FAILED' in added.stderr
    finally:
        channel = fleet.channel()
        channel.queue_delete('yolov7.cameras')
        channel.connection.close()
        fleet.lab.command('list')


def model_that_is_none_ends_a_worker(fleet):
    worker = fleet.lab.workers[0]
    worker.write_config({})
    text = worker.config.read_text()
    broken = fleet.lab.folder / 'broken.pt'
    broken.write_bytes(b'no checkpoint')
    worker.config.write_text(text.replace('config-file: ' + str(fleet.lab.root) +
                                          '/tests/faults/model.yaml', f'model-file: {broken}'))
    worker.start()
    assert worker.process.wait(timeout=120) == 1
    assert 'broken.pt' in worker.log.read_text()


class Liar(threading.Thread):
    """Takes connections and says something; keeps them open where it is to be silent."""

    def __init__(self, says, closes):
        super().__init__(daemon=True)
        self.says, self.closes = says, closes
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.kept = []

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            try:
                peer.sendall(self.says)
            except OSError:
                pass
            if self.closes:
                peer.close()
            else:
                self.kept.append(peer)


# What a broker begins with.
START = (b'\x01\0\0\0\0\0\x1a\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US\xce')
LIES = [
    ('closes at once', b'', True),
    ('speaks HTTP', b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', True),
    ('speaks another AMQP', b'AMQP\0\1\0\0', True),
    ('sends garbage', bytes(range(256)) * 64, False),
    ('announces 4 GiB', b'\x01\0\0\xff\xff\xff\xff' + b'\0' * 64, False),
    ('stops in the middle', START[:17], False),
    ('says nothing', b'', False),
]


def lying_brokers_are_told_and_left(fleet):
    for what, says, closes in LIES:
        liar = Liar(says, closes)
        liar.start()
        began = time.monotonic()
        tried = subprocess.run([fleet.lab.program, 'list', '--broker',
                                f'amqp://x@127.0.0.1:{liar.port}'], text=True, capture_output=True,
                               timeout=120)
        took = time.monotonic() - began
        liar.socket.close()
        assert tried.returncode == 1 and f'127.0.0.1:{liar.port}' in tried.stderr, (what, tried)
        assert took < 30, f'{what}: {took:.1f} s'


def worker_waits_for_a_broker_that_is_away(fleet):
    worker = fleet.lab.workers[0]
    worker.write_config({'broker': 'amqp://x@127.0.0.1:9'})
    n = worker.n_said("127.0.0.1:9/: can't connect")
    worker.start()
    worker.wait_said("127.0.0.1:9/: can't connect", n + 2)
    end_worker(worker)


# ---- TLS ---------------------------------------------------------------------------------------

def make_certificates(folder):
    def openssl(*words):
        fleetlab.run('openssl', *words, cwd=folder)
    key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    for name in ('ca', 'other'):
        openssl('req', '-x509', *key, '-keyout', f'{name}.key', '-out', f'{name}.crt', '-days', '2',
                '-subj', f'/CN={name}')
    (folder / 'names').write_text('subjectAltName=DNS:localhost\n')
    openssl('req', *key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key',
            '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.crt')


def tls_trusts_only_the_right_broker(fleet):
    broker = fleet.lab.broker
    make_certificates(broker.folder)
    broker.stop()
    conf = broker.folder / 'rabbitmq.conf'
    conf.write_text(conf.read_text() + f'''
listeners.ssl.default = 5671
ssl_options.cacertfile = {broker.folder}/ca.crt
ssl_options.certfile = {broker.folder}/server.crt
ssl_options.keyfile = {broker.folder}/server.key
''')
    broker.start()

    def listed(uri, *more):
        return fleet.lab.command('list', '--broker', uri, *more, ok=False)
    right = listed('amqps://fleet@localhost', '--ca-file', str(broker.folder / 'ca.crt'))
    assert right.returncode == 0, right.stderr
    for uri, ca in (('amqps://fleet@localhost', 'other.crt'), ('amqps://fleet@127.0.0.1', 'ca.crt'),
                    ('amqps://fleet@localhost', 'gone.crt'), ('amqps://fleet@localhost', None),
                    ('amqps://fleet@localhost:5672', 'ca.crt')):
        words = ['--ca-file', str(broker.folder / ca)] if ca else []
        wrong = listed(uri, *words)
        assert wrong.returncode == 1 and wrong.stderr, (uri, ca)


# ---- what the documentation says ---------------------------------------------------------------

def documented_lines(root):
    """Each line of each block of sh."""
    text = (root / 'docs/fleet.md').read_text()
    blocks = re.findall(r'^```sh\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    return [line.split('   #')[0] for block in blocks for line in block.splitlines()]


def make_scene(lab):
    """A folder with what the lines name: the sources, and the configuration that is shipped."""
    scene = lab.folder / 'scene'
    scene.mkdir()
    (scene / 'examples').symlink_to(lab.root / 'examples')
    text = (lab.root / 'examples/fleet/fleet.yaml').read_text()
    assert 'model-file: best.pt' in text and 'broker.example' in text, text
    text = text.replace('model-file: best.pt', f'config-file: {lab.root}/tests/faults/model.yaml, '
                        f'input-size: 64, label-file: {lab.folder}/labels')
    text = text.replace('fleet@broker.example', f'reader@{fleetlab.HUB_ADDRESS}')
    (scene / 'fleet.yaml').write_text(text.replace('broker.example', fleetlab.HUB_ADDRESS))
    return scene


def commands_of_the_documentation_work(fleet):
    """With a user of its own, in their order."""
    lab, broker = fleet.lab, fleet.lab.broker
    scene = make_scene(lab)
    environment = broker.environment() | {
        'URI': f'amqp://reader:SECRET@{fleetlab.HUB_ADDRESS}',
        'PATH': f'{os.path.dirname(lab.program)}:{os.environ["PATH"]}'}
    for name in ('YV_FLEET_BROKER', 'YV_FLEET_PASSWORD'):
        environment.pop(name)
    worker, n_run = None, 0
    for line in documented_lines(lab.root):
        line = re.sub('^rabbitmqctl (add_user|set_permissions) fleet',
                      rf'{fleetlab.CTL} -n fleet@localhost \1 reader', line)
        for documented, here in (('/etc/rabbitmq', str(broker.folder)), ('/usr/share/gst-yolov7', 'examples'),
                                 ('fleet@broker.example', f'reader@{fleetlab.HUB_ADDRESS}')):
            line = line.replace(documented, here)
        exported = dict(re.findall(r'(\w+)=(\S+)', line)) if line.startswith('export ') else {}
        environment.update(exported)
        n_run += 1
        if 'yolov7-fleet worker' in line:
            worker = lab.workers[0]
            n = worker.n_said('connected with')
            with open(worker.log, 'a') as log:
                worker.process = subprocess.Popen(
                    ['ip', 'netns', 'exec', worker.namespace, 'bash', '-c', 'exec env ' + line],
                    cwd=scene, env=environment, stdout=log, stderr=log)
            worker.wait_said('connected with', n + 1)
            continue
        if 'retry' in line:
            fleet.publish([b'{"name": "ill", "source": "rtsp://127.0.0.1:9/x"}'], key='yolov7.failed')
        done = subprocess.run(['bash', '-c', line], cwd=scene, env=environment, text=True,
                              capture_output=True, timeout=60)
        assert done.returncode == 0, (line, done.stderr)
        if 'retry' in line:
            assert done.stdout == 'ill added\n', done
            lab.command('remove', 'ill')
        if 'rtsp://' in line:
            fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
        if 'remove' in line:
            fleet.wait_summary('0 running, 0 waiting for a worker, 0 failed')
    assert n_run >= 12, f'{n_run} lines are run'
    end_worker(worker)
    assert '{consumer_timeout,31536000000}' in broker.ctl('environment')


if __name__ == '__main__':
    sys.exit(fleetlab.run_tests([
        broker_that_restarts_loses_nothing, broker_that_takes_messages_back_is_survived,
        broker_that_is_low_on_memory_stops_nothing,
        wrong_password_ends_a_worker, unknown_vhost_ends_a_worker, queue_of_another_kind_ends_a_worker,
        model_that_is_none_ends_a_worker, lying_brokers_are_told_and_left,
        worker_waits_for_a_broker_that_is_away, tls_trusts_only_the_right_broker,
        commands_of_the_documentation_work]))
