#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a fleet makes of hostile messages, of cameras that never play, and of removals that nobody
hears.

usage: fleet-bad.py PROGRAM TROUBLE [TEST...]
"""
import json
import sys
import time

import fleetlab
from fleetlab import camera, end_worker, start_worker


# ---- messages ----------------------------------------------------------------------------------

BAD_CAMERAS = [
    (b'', 'JSON'),
    (b'\0\0\0\0', 'JSON'),
    (b'\xff\xfe{}', 'not UTF-8'),
    (b'hello', 'JSON'),
    (b'[' * 60000, 'nests more'),
    (b'{"a":' * 5000, 'nests more'),
    (b'[]', 'not a JSON object'),
    (b'{"name": "x"', 'JSON'),
    (b'{}', "'name' is missing"),
    (b'{"name": 7}', "'name' is no string"),
    (b'{"name": "../../etc/passwd", "source": "test:ball"}', 'is not allowed'),
    (b'{"name": "a\\nb", "source": "test:ball"}', 'is not allowed'),
    (b'{"name": "a\\u001b[2J", "source": "test:ball"}', 'is not allowed'),
    (b'{"name": "%s", "source": "test:ball"}' % (b'n' * 70), 'is not allowed'),
    (b'{"name": "x"}', 'source'),
    (b'{"name": "x", "source": {"a": 1}}', 'source'),
    (b'{"name": "x", "source": "/etc/passwd"}', 'of the kind "file"'),
    (b'{"name": "x", "source": "file:///dev/zero"}', 'of the kind "file"'),
    (b'{"name": "x", "source": "test:ball", "yolov7": {"model-file": "/etc/passwd"}}',
     'model-file is none of the properties'),
    (b'{"name": "x", "source": "test:ball", "yolov7publish": {"file-path": "/etc/cron.d/x"}}',
     'file-path is none of the properties'),
    (b'{"name": "x", "source": "test:ball", "yolov7tracker": {"zones": "/etc/shadow"}}',
     'zones is "/etc/shadow"'),
    (b'{"name": "x", "source": "test:ball", "filesink": {"location": "/tmp/x"}}', 'has no key'),
    (b'{"name": "x", "source": "test:ball", "added": "yesterday"}', "'added' is no number"),
    (b'{"name": "x", "source": "test:ball", "added": 1e999}', ''),
    (b' ' * 300000, '300000 bytes'),
]


def bad_messages_are_put_away_with_their_reason(fleet):
    worker = start_worker(fleet)
    fleet.publish([body for body, _ in BAD_CAMERAS])
    fleetlab.wait_until(lambda: fleet.n_ready('yolov7.failed') == len(BAD_CAMERAS), 60,
                        f'{len(BAD_CAMERAS)} messages are put away')
    said = fleet.failed()
    for _, expected in BAD_CAMERAS:
        assert any(expected in line for line in said), f'no reason has "{expected}": {said}'
    assert not any('\x1b' in line for line in said)
    fleet.publish([camera('good')])
    fleet.wait_summary(f'1 running, 0 waiting for a worker, {len(BAD_CAMERAS)} failed')
    end_worker(worker)


def odd_headers_are_passed_over(fleet):
    worker = start_worker(fleet)
    for value in ('many', -7, {'a': [1, 2, {'b': None}]}, 2**62, True, b'\xff' * 5000):
        fleet.publish([camera('odd')], headers={'yolov7-attempts': value, 'x-delivery-count': value,
                                                'yolov7-reason': value})
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    end_worker(worker)


def bad_notes_are_passed_over(fleet):
    worker = start_worker(fleet)
    fleet.publish([b'', b'[' * 50000, b'{"note": "remove"}', b'{"note": "halt"}', b'\xff',
                   b'{"note": "remove", "name": "../x", "at": 1}', b' ' * 200000,
                   b'{"note": "list", "reply-to": "yolov7.no-such-queue"}',
                   b'{"note": "held", "name": "a", "added": 99999999999, "id": "zzz"}'],
                  key='yolov7.control')
    fleet.publish([b'{"note": "remove", "name": "a", "at": 1795987800000}'], key='yolov7.removals')
    fleet.publish([camera('a')])
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    end_worker(worker)


def ten_thousand_cameras_wait(fleet):
    worker = start_worker(fleet, capacity=3)
    fleet.publish([camera(f'many-{i}') for i in range(10000)])
    fleet.wait_summary('3 running, 9997 waiting for a worker, 0 failed', 120)
    assert worker.n_said(': taken') - worker.n_said_before == 3, 'takes as many as it has room for'
    end_worker(worker)


# ---- cameras -----------------------------------------------------------------------------------

def camera_that_never_plays_is_put_away(fleet):
    worker = start_worker(fleet, patience=1, attempts=2)
    lab = fleet.lab
    lab.command('add', '-', stdin='{"name": "dead", "source": "rtsp://u:geheim@127.0.0.1:9/x"}')
    fleet.wait_summary('0 running, 0 waiting for a worker, 1 failed')
    said = fleet.failed()
    assert said[0].startswith('dead: failed 2 times, last on w1: no frame was analysed'), said
    assert 'geheim' not in worker.log.read_text() + ''.join(said)
    assert lab.command('retry', 'other', ok=False).returncode == 1
    assert lab.command('retry', 'dead').stdout == 'dead added\n'
    fleetlab.wait_until(lambda: worker.n_said('camera dead: attempt 2 failed') == 2, 60,
                        'it is tried twice more')
    end_worker(worker)


def camera_that_hangs_ends_its_worker(fleet):
    lab = fleet.lab
    worker = start_worker(fleet, trouble={'hang_start': 'stuck'}, patience=5, attempts=0)
    lab.add_camera('fine')
    worker.wait_said('camera fine: playing')
    lab.add_camera('stuck')
    worker.wait_said('camera stuck: taken')
    assert worker.process.wait(timeout=60) == 1
    assert worker.n_said('camera stuck did not end within 10 s') == 1
    other = start_worker(fleet, 1)
    fleet.wait_summary('2 running, 0 waiting for a worker, 0 failed')
    end_worker(other)


def second_signal_ends_at_once(fleet):
    worker = start_worker(fleet, trouble={'hang_end': 'one'})
    fleet.lab.add_camera('one')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    n = worker.n_said('yolov7-fleet: ends\n')
    worker.process.terminate()
    worker.wait_said('yolov7-fleet: ends\n', n + 1)
    worker.process.terminate()
    assert worker.process.wait(timeout=60) == 1
    assert worker.n_said('ends at once') == 1


def device_that_fails_ends_its_worker_and_no_camera(fleet):
    lab = fleet.lab
    names = [f'good-{i}' for i in range(9)]
    worker = start_worker(fleet, trouble={'fail': '*'}, attempts=1)
    fleet.publish([camera(name) for name in names])
    assert worker.process.wait(timeout=60) == 1
    assert worker.n_said('and so does a test picture, so this worker ends') == 1
    fleet.wait_summary('0 running, 9 waiting for a worker, 0 failed')
    # Where the device works it is the camera.
    other = start_worker(fleet, 1, trouble={'fail': 'good-3'}, attempts=1)
    fleet.wait_summary('8 running, 0 waiting for a worker, 1 failed')
    said = fleet.failed()
    assert said[0].startswith('good-3: failed 1 times, last on w2: '), said
    end_worker(other)


def worker_goes_on_while_the_device_is_tried(fleet):
    lab = fleet.lab
    worker = start_worker(fleet, trouble={'fail': 'ill', 'hang_start': 'bench'}, attempts=1)
    for name in ('ill', 'ill-too'):
        (lab.folder / 'trouble/fail').write_text(name)
        lab.add_camera(name)
        worker.wait_said(f'camera {name}: its analysis failed, so one of a test picture is tried')
    lab.command('remove', 'ill-too')
    worker.wait_said('camera ill-too: removed')
    lab.add_camera('well')
    worker.wait_said('camera well: playing')
    assert worker.n_said('camera ill: attempt 1 failed') == 0, 'the device is still tried'
    (lab.folder / 'trouble/hang-start').unlink()
    worker.wait_said('camera ill: attempt 1 failed')
    fleet.wait_summary('1 running, 0 waiting for a worker, 1 failed')
    end_worker(worker)


def removal_reaches_a_camera_that_waits(fleet):
    lab = fleet.lab
    worker = start_worker(fleet, capacity=1)
    lab.add_camera('first')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    lab.add_camera('second')
    fleet.wait_summary('1 running, 1 waiting for a worker, 0 failed')
    lab.command('remove', 'second')
    lab.command('remove', 'first')
    fleet.wait_summary('0 running, 0 waiting for a worker, 0 failed')
    assert worker.n_said('camera second: taken') == 0
    end_worker(worker)


def removal_is_known_to_a_worker_that_starts_later(fleet):
    lab = fleet.lab
    lab.add_camera('gone')
    lab.add_camera('again')
    lab.command('remove', 'gone', 'again')
    lab.add_camera('again')
    worker = start_worker(fleet)
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    assert worker.n_said('camera gone: taken') == 0
    assert worker.n_said('camera again: taken') == 1
    end_worker(worker)


def later_message_replaces_the_earlier(fleet):
    lab = fleet.lab
    one, two = lab.workers[:2]
    start_worker(fleet, capacity=1)
    lab.add_camera('twice')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    n = two.n_said('connected with')
    two.start()
    two.wait_said('connected with', n + 1)
    fleet.publish([camera('twice')]) # the first worker has no room
    fleetlab.wait_until(lambda: one.n_said('camera twice: a later message') == 1, 60,
                        'the first one lets go')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    fleet.publish([camera('twice', added=5)]) # older than both
    fleetlab.wait_until(lambda: fleet.summary() == '1 running, 0 waiting for a worker, 0 failed'
                        and 'w2 ' in lab.command('list').stdout, 60, 'the later one stays')
    end_worker(one)
    end_worker(two)
    fleet_names = [line for line in lab.command('list').stdout.splitlines() if 'twice' in line]
    assert fleet_names == [], fleet_names
    assert fleet.n_ready('yolov7.cameras') == 1, 'one message is left of three'


def change_reaches_a_fleet_that_is_full(fleet):
    lab = fleet.lab
    worker = start_worker(fleet, capacity=1)
    lab.add_camera('full')
    worker.wait_said('camera full: playing')
    lab.add_camera('full', fps=1)
    worker.wait_said('camera full: removed, or added anew')
    worker.wait_said('source test:ball,width=64,height=64,framerate=1/1')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    end_worker(worker)


def time_to_come_is_refused_and_keeps_no_other_away(fleet):
    worker = start_worker(fleet, capacity=1)
    now = time.time()
    fleet.publish([camera('ms', added=now * 1000), camera('far', added=9e10)] +
                  [camera(f'early-{i}', added=now + 7200) for i in range(3)] + [camera('in-time')])
    fleet.wait_summary('1 running, 0 waiting for a worker, 2 failed')
    said = fleet.failed()
    assert 'no milliseconds' in said[0] and "camera far: 'added' is 8" in said[1], said
    assert worker.n_said('camera in-time: taken') == 1
    worker.wait_said('camera early-2: was added 7')
    end_worker(worker)


def scarce_room_is_used_up(fleet):
    workers = [start_worker(fleet, i, capacity=4) for i in range(2)]
    fleet.publish([camera(f'scarce-{i}') for i in range(9)])
    fleet.wait_summary('8 running, 1 waiting for a worker, 0 failed')
    workers[0].kill()
    fleetlab.wait_until(lambda: fleet.n_ready('yolov7.cameras') == 5, 60, 'five wait')
    start_worker(fleet, capacity=4)
    fleet.wait_summary('8 running, 1 waiting for a worker, 0 failed')
    for worker in workers:
        end_worker(worker)


def removal_and_change_reach_a_worker_that_is_cut_off(fleet):
    lab = fleet.lab
    one, two = start_worker(fleet), lab.workers[1]
    for name in ('cut-removed', 'cut-changed'):
        lab.add_camera(name)
        one.wait_said(f'camera {name}: playing')
    start_worker(fleet, 1)
    one.cut()
    try:
        lab.command('remove', 'cut-removed')
        lab.add_camera('cut-changed', fps=1)
        one.wait_said('the broker is lost', one.n_lost_before + 1)
        two.wait_said('camera cut-removed: was removed')
        n = one.n_said('connected with')
    finally:
        one.heal()
    one.wait_said('connected with', n + 1)
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    assert two.n_said('camera cut-removed: taken') == 0
    assert two.n_said('camera cut-changed: taken') == 1
    end_worker(one)
    end_worker(two)


def camera_that_kills_is_put_away_and_none_beside_it(fleet):
    """What systemd does is done here. Whoever dies within a moment may not have said what it took,
    so there are more starts than deaths."""
    lab = fleet.lab
    other = start_worker(fleet, 1, capacity=1)
    lab.add_camera('innocent')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    worker = lab.workers[0]
    worker.write_config({})
    n_starts = 0
    fleet.publish([camera(name) for name in ('killer', 'beside-0', 'beside-1')])
    while not fleet.failed():
        worker.start_in_trouble(crash='killer')
        n_starts += 1
        fleetlab.wait_until(lambda: worker.process.poll() is not None or fleet.failed(), 90,
                            'it dies or the camera is put away')
    assert 11 <= n_starts <= 30, n_starts
    said = fleet.failed()
    assert len(said) == 1 and said[0].startswith('killer: '), said
    assert 'workers died soon after they had taken it, 10 times' in said[0], said
    fleet.wait_summary('3 running, 0 waiting for a worker, 1 failed')
    # Tried again where it does no harm it begins anew.
    end_worker(worker)
    lab.command('retry', 'killer')
    start_worker(fleet)
    fleet.wait_summary('4 running, 0 waiting for a worker, 0 failed')
    end_worker(worker)
    end_worker(other)


def attempts_are_forgotten(fleet):
    """As after a minute of analysis, on whatever worker; the note is our own here."""
    worker = start_worker(fleet, patience=1, attempts=5)
    now = int(time.time())
    for name, failed_s in (('mended', now - 60), ('ill', now)):
        fleet.publish([b'{"note": "forget", "name": "%s", "at": %d}' % (name.encode(), now - 30)],
                      key='yolov7.control')
        fleet.publish([json.dumps(dict(name=name, source='rtsp://127.0.0.1:9/x')).encode()],
                      headers={'yolov7-attempts': 3, 'yolov7-failed-at': failed_s})
    worker.wait_said('camera mended: attempt 1 failed')
    worker.wait_said('camera ill: attempt 4 failed')
    end_worker(worker)


def message_that_can_not_be_put_away_stops_nothing(fleet):
    worker = start_worker(fleet)
    fleet.publish([camera('goes-on')])
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    channel = fleet.channel()
    channel.queue_delete('yolov7.failed')
    fleet.publish([b'nonsense'])
    worker.wait_said('the broker took no message for yolov7.failed: there is no such queue')
    fleet.wait_summary('1 running, 0 waiting for a worker, 0 failed')
    assert worker.n_said('the broker is lost') == worker.n_lost_before
    end_worker(worker)


def slow_worker_gives_one_back(fleet):
    lab = fleet.lab
    worker = start_worker(fleet, capacity=9, **{'slow-below': 100, 'slow-after': 1})
    for i in range(2):
        # More than this device can do: 640 x 360 at 1000 a second.
        lab.command('add', '-', stdin=json.dumps(dict(
            name=f'fast-{i}', source='test:ball,width=640,height=360,framerate=1000/1')))
    worker.wait_said('given back, because this worker is too slow')
    fleet.wait_summary('1 running, 1 waiting for a worker, 0 failed')
    end_worker(worker)


def metrics_tell_what_is_held(fleet):
    worker = start_worker(fleet, **{'metrics-port': 9471, 'capacity': 5})
    fleet.publish([b'nonsense', camera('seen')])
    fleet.wait_summary('1 running, 0 waiting for a worker, 1 failed')

    def read():
        return fleetlab.run('ip', 'netns', 'exec', worker.namespace, '/usr/bin/python3', '-c',
                            'import urllib.request as r;'
                            'print(r.urlopen("http://127.0.0.1:9471/metrics").read().decode())'
                            ).stdout.splitlines()
    fleetlab.wait_until(lambda: any(line.startswith('yolov7_camera_analysed_frames_total{') and
                                    float(line.split()[-1]) > 0 for line in read()), 60,
                        'analysed frames are counted')
    lines = read()
    for line in ('yolov7_fleet_connected 1', 'yolov7_fleet_capacity_cameras 5',
                 'yolov7_fleet_held_cameras 1', 'yolov7_fleet_cameras_total{what="taken"} 1',
                 'yolov7_fleet_bad_messages_total{what="camera"} 1',
                 'yolov7_camera_up{camera="seen"} 1'):
        assert line in lines, (line, lines)
    assert not any(fleetlab.PASSWORD in line for line in lines)
    end_worker(worker)


if __name__ == '__main__':
    sys.exit(fleetlab.run_tests([
        bad_messages_are_put_away_with_their_reason, odd_headers_are_passed_over,
        bad_notes_are_passed_over, ten_thousand_cameras_wait,
        camera_that_never_plays_is_put_away, camera_that_hangs_ends_its_worker,
        second_signal_ends_at_once, device_that_fails_ends_its_worker_and_no_camera,
        worker_goes_on_while_the_device_is_tried, removal_reaches_a_camera_that_waits,
        removal_is_known_to_a_worker_that_starts_later, later_message_replaces_the_earlier,
        change_reaches_a_fleet_that_is_full, time_to_come_is_refused_and_keeps_no_other_away,
        scarce_room_is_used_up,
        removal_and_change_reach_a_worker_that_is_cut_off, camera_that_kills_is_put_away_and_none_beside_it,
        attempts_are_forgotten, message_that_can_not_be_put_away_stops_nothing,
        slow_worker_gives_one_back, metrics_tell_what_is_held]))
