#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""yolov7-web as other programs meet it: players, those who ask for what is not there, those who mean
harm, those who never read; and configurations that make no sense.

usage: test-http.py YOLOV7_WEB SOURCE_ROOT
"""
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import webserver  # noqa: E402
from webserver import Raw  # noqa: E402

CLIP = os.environ.get('YV_CLIP', '/usr/share/doc/opencv-doc/examples/data/vtest.avi')
CONFIG = """\
port: 0
hosts: [cameras.example.org, dotted.example.]
linger: 3
cameras:
  - name: street
    source: {clip}
    bitrate: 1500
    yolov7: {{model-file: {root}/models/pets-tiny.pt, input-size: 192}}
    yolov7tracker: {{zones: {folder}/zones.json}}
  - name: gone
    source: rtsp://127.0.0.1:9/stream
    yolov7: {{model-file: {root}/models/pets-tiny.pt, input-size: 192}}
"""


def circle(i):
    """A zone with as many points as there may be: it makes records long."""
    x = 0.2 + 0.05 * i
    return [[round(x + 0.1 * math.cos(k / 32 * math.pi), 6), round(0.5 + 0.1 * math.sin(k / 32 * math.pi), 6)]
            for k in range(64)]


class Test:
    def __init__(self, program, root, folder):
        self.program, self.folder, self.root = program, folder, root
        with open(folder + '/zones.json', 'w', encoding='utf-8') as file:
            json.dump({'zones': [{'name': f'zone {i}', 'polygon': circle(i)} for i in range(10)]}, file)
        with open(folder + '/config.yaml', 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(clip=CLIP, root=root, folder=folder))
        self.server = webserver.Server(program, folder + '/config.yaml', folder + '/server.log')
        # Those who hold connections; whether they are let go is seen at the end.
        self.idle = {
            'says nothing': Raw(self.server, b''),
            'says it slowly': Raw(self.server, b'GET / HTTP/1.1\r\nHost: localhost\r\nX-'),
            'has a long body': Raw(self.server, b'GET / HTTP/1.1\r\nHost: localhost\r\n'
                                                b'Content-Length: 99999999999\r\n\r\nabc'),
            'goes on after one answer': Raw(self.server, b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
        }
        question = b'GET /cameras/gone/live.m3u8 HTTP/1.1\r\nHost: localhost\r\n\r\n'
        self.patient = Raw(self.server, question)
        Raw(self.server, question).socket.close()  # who asked, and went
        self.asleep = Raw(self.server, b'GET /events?camera=street HTTP/1.1\r\nHost: localhost\r\n\r\n', 1)

    def playlist(self):
        texts = []

        def is_there():
            status, headers, text = self.server.get('/cameras/street/live.m3u8')
            assert status in (200, 503), status
            assert headers['Cache-Control'] == 'no-store'
            assert status == 200 or headers['Retry-After'] == '1'
            texts.append(text.decode())
            return status == 200 and text.count(b'#EXTINF') >= 2
        self.server.wait_for('a playlist', is_there)
        return texts[-1]

    def the_page_is_served(self):
        status, headers, text = self.server.get('/')
        assert status == 200 and text.startswith(b'<!DOCTYPE html>')
        assert headers['Cache-Control'] == 'no-cache'
        assert "default-src 'none'" in headers['Content-Security-Policy']
        assert 'unsafe' not in headers['Content-Security-Policy'] and headers['X-Content-Type-Options'] == 'nosniff'
        for name in re.findall(r'(?:src|href)="([^"#]+)"', text.decode()):
            status, part_headers, _ = self.server.get('/' + name)
            assert status == 200, name
            again = self.server.get('/' + name, headers={'If-None-Match': part_headers['ETag']})
            assert again[0] == 304 and again[2] == b'', name
            assert self.server.get('/' + name, headers={'If-None-Match': '"other"'})[0] == 200
        assert self.server.get('/', method='HEAD')[2] == b''

    def nothing_comes_from_elsewhere(self):
        """No part of the page names another host, or needs what its policy forbids."""
        folder = self.root + '/examples/web/page'
        for name in os.listdir(folder):
            with open(f'{folder}/{name}', encoding='utf-8') as file:
                text = file.read().replace('http://www.w3.org/2000/svg', '')
            for bad in ('http://', 'https://', '//cdn', 'eval(', 'innerHTML', 'style="', 'onclick='):
                assert bad not in text, f'{name} has {bad}'

    def a_player_gets_video(self):
        playlist = self.playlist()
        names = [line for line in playlist.splitlines() if line and not line.startswith('#')]
        init = re.search('URI="([^"]+)"', playlist).group(1)
        pieces = []
        for name in (init, *names):
            status, headers, bytes_ = self.server.get('/cameras/street/' + name)
            assert status == 200 and headers['Content-Type'] == 'video/mp4'
            assert headers['Cache-Control'] == 'private, max-age=60'
            assert self.server.get('/cameras/street/' + name)[2] == bytes_
            pieces.append(bytes_)
        self.check_media(pieces)

    def check_media(self, pieces):
        if not shutil.which('ffprobe'):
            print('# there is no ffprobe to look at the media')
            return
        path = self.folder + '/video.mp4'
        with open(path, 'wb') as file:
            file.write(b''.join(pieces))
        done = subprocess.run(['ffprobe', '-v', 'error', '-show_entries', 'stream=codec_name,width,height,time_base',
                               '-show_entries', 'packet=pts,duration,flags', '-of', 'json', path],
                              capture_output=True, text=True, check=True)
        media = json.loads(done.stdout)
        assert not done.stderr.strip(), done.stderr
        stream = media['streams'][0]
        assert (stream['codec_name'], stream['width'], stream['height']) == ('h264', 768, 576)
        assert stream['time_base'] == '1/90000'
        times = [packet['pts'] for packet in media['packets']]
        assert times == sorted(set(times)) and media['packets'][0]['flags'].startswith('K')
        print(f'# {len(times)} frames in {len(pieces) - 1} segments, {(times[-1] - times[0]) / 90000:.1f} s')

    def without_video_players_are_told(self):
        answer = self.patient.answer()
        assert answer.startswith(b'HTTP/1.1 503 ') and b'Retry-After: 1\r\n' in answer, answer

    def media_time_is_the_records_time(self):
        """Each frame of a segment that was analysed has a record with exactly its time."""
        if not shutil.which('ffprobe'):
            return
        listener = webserver.Listener(self.server, 'street')
        playlist = self.playlist()
        with open(self.folder + '/video.mp4', 'wb') as file:
            for name in [re.search('URI="([^"]+)"', playlist).group(1)] + [
                    line for line in playlist.splitlines() if line and not line.startswith('#')]:
                file.write(self.server.get('/cameras/street/' + name)[2])
        text = subprocess.run(['ffprobe', '-v', 'error', '-show_entries', 'packet=pts', '-of', 'csv=p=0',
                               self.folder + '/video.mp4'], capture_output=True, text=True, check=True).stdout
        times = [int(word.strip(',')) for word in text.split()]
        self.server.wait_for('records up to the end of the video',
                             lambda: max(listener.records, default=0) * 9 // 100000 >= times[-1])
        listener.connection.close()
        inside = [t for t in listener.records if times[0] <= t * 9 // 100000 <= times[-1]]
        off = [min(abs(t * 9 / 100000 - time) for time in times) for t in inside]
        print(f'# {len(inside)} records in {len(times)} frames, off by at most {max(off) / 0.09:.1f} us')
        assert len(inside) >= 3 and max(off) <= 0.6, 'a record has the time of no frame'

    def what_is_not_there_is_not_found(self):
        name = re.findall('^[0-9a-f].*m4s$', self.playlist(), re.M)[0]
        for path in ('/nothing', '/index.html/', '/app.js/x', '/../../etc/passwd', '/..%2f..%2fetc/passwd',
                     '/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd', '/cameras/', '/cameras/street',
                     '/cameras/street/', '/cameras/nobody/live.m3u8', '/cameras/street/../street/live.m3u8x',
                     '/cameras/street/nothing.m4s', '/cameras/street/' + name + '%00', '/cameras/%00/live.m3u8',
                     '/cameras/street/' + name.replace('-', '-0'), '/cameras//live.m3u8', '/cameras/STREET/live.m3u8',
                     '/cameras/street/live.m3u8/', '/events/', '/metrics/x', '/%ff%fe', '/' + 'a' * 50000,
                     '/events?camera=nobody', '/events?camera=' + 'x' * 50000, '/events?camera=%00'):
            status, headers, text = self.server.get(path)
            assert status in (400, 404), f'{path[:80]}: {status}'
            assert b'root:' not in text
        for path in ('/events?camera=street', '/events'):
            assert self.server.get(path, method='HEAD')[0] == 404

    def other_hosts_are_refused(self):
        """Names that somebody may point at us; addresses can't be pointed anywhere."""
        name = socket.gethostname()
        for host in ('localhost', 'LocalHost.', f'localhost:{self.server.port}', '127.0.0.1', '127.0.0.1:80', '[::1]',
                     '[::1]:8080', '[fe80::1]:80', '10.1.2.3', name, name + '.local:1', 'cameras.example.org',
                     'Cameras.Example.Org.:443', 'dotted.example', 'dotted.example.'):
            for path in ('/', '/cameras', '/metrics', '/app.js'):
                status, headers, _ = self.server.get(path, headers={'Host': host})
                assert status == 200, f'{host}{path}: {status}'
                assert headers['Cross-Origin-Resource-Policy'] == 'same-origin'
        for host in ('evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example', 'localhosts',
                     'cameras.example.org.evil.example', 'x.cameras.example.org', '', ':80', '[', '[]', '[evil.example]',
                     '127.0.0.1@evil.example', 'a' * 5000):
            for path in ('/', '/cameras', '/metrics', '/cameras/street/live.m3u8', '/events?camera=street', '/nothing'):
                status, headers, text = self.server.get(path, headers={'Host': host})
                assert status in (400, 421), f'{host}{path}: {status}'
                assert b'street' not in text and (status == 400 or b'hosts:' in text)
        answer = Raw(self.server, b'GET /cameras HTTP/1.0\r\n\r\n').answer()  # no browser
        assert re.match(rb'HTTP/1.[01] 200 ', answer), answer

    def other_methods_are_refused(self):
        for method in ('POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'):
            for path in ('/', '/cameras', '/cameras/street/live.m3u8', '/events?camera=street', '/metrics'):
                status = self.server.get(path, method=method)[0]
                assert status in (405, 501), f'{method} {path}: {status}'

    def nonsense_is_survived(self):
        head = b'GET / HTTP/1.1\r\nHost: localhost\r\n'
        for text in (b'\0\1\2\3\r\n\r\n', b'GET\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n', b'\x16\x03\x01\x02\x00' * 50,
                     head + b'Content-Length: -1\r\n\r\n', head + b'Content-Length: 1\r\nContent-Length: 2\r\n\r\n',
                     head + b'Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
                     head + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n', head + b'X: ' + b'a' * 1000000 + b'\r\n\r\n',
                     head + b'X: y\r\n' * 60000 + b'\r\n', b'G' * 300000, b'GET /' + b'a' * 2000000,
                     b'GET http://elsewhere/ HTTP/1.1\r\nHost: b\r\n\r\n', b'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
                     head + b'Range: bytes=' + b'0-,' * 20000 + b'0-\r\n\r\n',
                     head + b'If-None-Match: ' + b'"a",' * 10000 + b'"b"\r\n\r\n'):
            connection = Raw(self.server, text)
            connection.end()
            answer = connection.answer()
            assert answer == b'' or answer.startswith(b'HTTP/1.'), answer[:80]
            assert len(answer) < 1000000
        assert self.server.get('/')[0] == 200

    def who_went_is_forgotten(self):
        """A descriptor each, otherwise; libsoup 3.2 would keep them."""
        before = self.n_sockets()
        for text in (b'', b'GET / HT', b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', b'nonsense\r\n\r\n'):
            for _ in range(25):
                connection = Raw(self.server, text)
                connection.end()
                connection.answer()
        for _ in range(25):
            self.server.get('/cameras')
        # A camera's source comes and goes, too.
        self.server.wait_for('they are closed', lambda: self.n_sockets() <= before + 5, 25)

    def n_sockets(self):
        folder, n = f'/proc/{self.server.process.pid}/fd', 0
        for name in os.listdir(folder):
            try:
                n += os.readlink(f'{folder}/{name}').startswith('socket:')
            except OSError:
                pass  # closed meanwhile
        return n

    def a_large_body_is_not_kept(self):
        before = self.resident_bytes()
        connection = Raw(self.server, b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000000\r\n\r\n')
        block = bytes(1 << 20)
        connection.socket.settimeout(5)
        try:
            for _ in range(200):
                connection.socket.sendall(block)
        except OSError:
            pass
        connection.socket.close()
        grown = self.resident_bytes() - before
        print(f'# 200 MiB of a body: memory grew by {grown / 1e6:.1f} MB')
        assert grown < 60e6, 'it is kept'

    def resident_bytes(self):
        with open(f'/proc/{self.server.process.pid}/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def video_ends_when_nobody_watches(self):
        last = re.findall('-([0-9]+).m4s', self.playlist())[-1]
        assert self.server.metric('yolov7_web_encoding') == 1
        self.server.wait_for('the encoder rests', lambda: self.server.metric('yolov7_web_encoding') == 0, 30)
        again = re.findall('-([0-9]+).m4s', self.playlist())
        assert int(again[0]) > int(last), 'numbers came again'

    def who_does_not_read_is_dropped(self):
        name = 'yolov7_web_dropped_viewers_total'
        self.server.wait_for('the viewer that is asleep', lambda: self.server.metric(name) == 1, 90)
        self.asleep.socket.close()

    def who_holds_a_connection_is_let_go(self):
        for what, connection in self.idle.items():
            self.server.wait_for(what, connection.is_closed, 60)
            connection.socket.close()

    def it_ends_in_order(self):
        listener = webserver.Listener(self.server, 'street')
        assert self.server.stop() == 0
        listener.thread.join(30)
        assert not listener.thread.is_alive(), 'a viewer was left behind'


BAD = [
    ('cameras: []\n', 'config.yaml:1:'),
    ('port: 0\n', 'cameras'),
    ('port: 70000\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1:.*65535'),
    ('port: many\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1:'),
    ('max-encoders: 0\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1:.*max-encoders.*1 to 1000'),
    ('hosts: cams.example\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1: hosts has .*a list'),
    ('hosts:\n  - ok.example\n  - a:80\ncameras: [{name: a, source: "test:ball"}]\n',
     'config.yaml:3: hosts has .a:80.; expected a name without port'),
    ('hosts: [""]\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1: hosts has'),
    ('hosts: ["."]\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1: hosts has'),
    ('hosts: [a.example..]\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1: hosts has'),
    ('linger: 0\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1:'),
    ('bitrate: 1000\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1:.*bitrate'),
    ('defaults: {yolov7: {model-file: MODEL}}\ncameras:\n  - name: a\n    source: "test:ball"\n    bitrate: 1\n',
     'config.yaml:5:.*bitrate'),
    ('prot: 80\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1:.*prot'),
    ('address: nowhere.example\ncameras: [{name: a, source: "test:ball", yolov7: {model-file: MODEL}}]\n',
     'config.yaml:1: address is .nowhere.example.; expected the address of an interface'),
    ('address: localhost\ncameras: [{name: a, source: "test:ball"}]\n', 'config.yaml:1: address is .localhost.'),
    ('cameras:\n  - name: a\n    source: "test:ball"\n    yolov7: {no-such: 1}\n', 'config.yaml:4:.*no-such'),
    ('cameras:\n  - name: a b\n    source: "test:ball"\n', 'config.yaml:2:'),
    ('defaults: {yolov7: {model-file: MODEL}}\n'
     'cameras:\n  - {name: a, source: "test:ball"}\n  - {name: a, source: "test:ball"}\n', 'config.yaml:4:'),
    ('cameras: [{name: a, source: "test:ball", yolov7: {model-file: /nowhere.pt}}]\n', '/nowhere.pt'),
    ('cameras: [{name: a, source: rtsp://me:hush-hush@x/, yolov7tracker: {zones: "{}"}, oops: 1}]\n', 'oops'),
    ('cameras: [\n', 'config.yaml:'),
    ('', 'config.yaml'),
]


SMALL = """\
port: 0
max-encoders: 1
cameras:
  - name: small
    source: "test:ball,width=64,height=64,framerate=5/1"
    yolov7: {{model-file: {root}/models/pets-tiny.pt, input-size: 64, inference-interval: 100}}
  - name: other
    source: "test:ball,width=64,height=64,framerate=5/1"
    yolov7: {{model-file: {root}/models/pets-tiny.pt, input-size: 64, inference-interval: 100}}
"""


def a_camera_too_many_is_told(server):
    server.wait_for('video', lambda: server.get('/cameras/small/live.m3u8')[0] == 200)
    status, headers, text = server.get('/cameras/other/live.m3u8')
    assert status == 503 and headers['Retry-After'] == '1', status
    assert headers['Content-Type'].startswith('text/plain') and text == b'as many cameras are watched as max-encoders allows (1)'
    cameras = server.cameras()
    assert cameras['other']['video_error'] == text.decode() and 'video_error' not in cameras['small']
    for name in ('yolov7_web_encoder_failures_total', 'yolov7_web_segments_total'):
        assert f'{name}{{camera="other"}} 0\n' in server.get('/metrics')[2].decode()


def nobody_locks_out_anybody_else(program, root, folder):
    """With few descriptors, so that few connections are many: 176 - 64 - 48 leave 21 viewers and 32 others."""
    path = folder + '/config.yaml'
    with open(path, 'w', encoding='utf-8') as file:
        file.write(SMALL.format(root=root))
    server = webserver.Server(program, path, folder + '/server.log', most_files=176)
    a_camera_too_many_is_told(server)
    question = b'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n'
    greedy = [Raw(server, question, address='127.0.0.2') for _ in range(60)]
    server.wait_for('the viewers', lambda: server.metric('yolov7_web_viewers') == 21)
    silent = [Raw(server, b'', address='127.0.0.2') for _ in range(300)]
    assert server.get('/metrics')[0] == 200 and server.get('/cameras')[0] == 200
    own = Raw(server, question)
    assert own.socket.recv(13) == b'HTTP/1.1 200 ', 'the one viewer of another address is refused'
    assert Raw(server, question, address='127.0.0.2').answer().startswith(b'HTTP/1.1 503 ')
    print(f'# {server.metric("yolov7_web_closed_connections_total"):.0f} connections closed')
    for connection in (*greedy, *silent, own):
        connection.socket.close()
    server.wait_for('all are gone', lambda: server.metric('yolov7_web_viewers') == 0)
    assert server.stop() == 0


def systemd_is_told(program, root, folder):
    path = folder + '/config.yaml'
    with open(path, 'w', encoding='utf-8') as file:
        file.write(SMALL.format(root=root))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(folder + '/notify')
        server = webserver.Server(program, path, folder + '/server.log',
                                  env={'NOTIFY_SOCKET': folder + '/notify', 'WATCHDOG_USEC': '200000'})
        said = [systemd.recv(100) for _ in range(3)]
        assert said == [b'READY=1', b'WATCHDOG=1', b'WATCHDOG=1'], said
        assert server.stop() == 0


def too_few_descriptors_are_said(program, root, folder):
    path = folder + '/config.yaml'
    with open(path, 'w', encoding='utf-8') as file:
        file.write(SMALL.format(root=root))
    done = subprocess.run([program, path], capture_output=True, text=True, check=False, timeout=60,
                          preexec_fn=webserver.limit_files(120))
    assert done.returncode == 1 and 'yolov7-web: 120 open files are allowed, and 128 are needed for 2 cameras' in done.stderr, \
        done.stderr


def bad_configurations_are_refused(program, root, folder):
    for text, expected in BAD:
        path = folder + '/config.yaml'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace('MODEL', root + '/models/pets-tiny.pt'))
        done = subprocess.run([program, path], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2, f'{text!r}: exit status {done.returncode}'
        assert re.search(expected, done.stderr), f'{text!r}: {done.stderr!r} does not say {expected!r}'
        assert done.stderr.startswith('yolov7-web: ') and done.stderr.count('\n') == 1, done.stderr
        assert 'hush-hush' not in done.stderr, done.stderr
    for arguments, expected in (([], 'Usage'), (['a', 'b'], 'Usage'), (['--nonsense'], 'nonsense'),
                                ([folder + '/nowhere.yaml'], 'nowhere.yaml'), ([folder], re.escape(folder))):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2 and re.search(expected, done.stderr), f'{arguments}: {done.stderr!r}'


def a_port_in_use_is_said(program, root, folder):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        with open(folder + '/config.yaml', 'w', encoding='utf-8') as file:
            file.write(f'port: {port}\ncameras: [{{name: a, source: "test:ball", '
                       f'yolov7: {{model-file: {root}/models/pets-tiny.pt}}}}]\n')
        done = subprocess.run([program, folder + '/config.yaml'], capture_output=True, text=True,
                              check=False, timeout=60)
        assert done.returncode == 1 and str(port) in done.stderr, done.stderr


def run(number, name, case):
    began = time.monotonic()
    try:
        case()
        print(f'# {time.monotonic() - began:.1f} s\nok {number} - {name}', flush=True)
        return 0
    except AssertionError as error:
        print(f'# {error}\nnot ok {number} - {name}', flush=True)
        return 1


def main(program, root):
    if not os.path.exists(CLIP):
        print(f'1..0 # SKIP there is no {CLIP}')
        return 0
    with tempfile.TemporaryDirectory(prefix='yolov7-web-') as folder:
        test = Test(program, root, folder)
        cases = [test.the_page_is_served, test.nothing_comes_from_elsewhere, test.a_player_gets_video,
                 test.media_time_is_the_records_time, test.what_is_not_there_is_not_found,
                 test.without_video_players_are_told,
                 test.other_hosts_are_refused, test.other_methods_are_refused, test.nonsense_is_survived, test.who_went_is_forgotten,
                 test.a_large_body_is_not_kept,
                 test.video_ends_when_nobody_watches]
        alone = [bad_configurations_are_refused, a_port_in_use_is_said, nobody_locks_out_anybody_else,
                 systemd_is_told, too_few_descriptors_are_said]
        last = [test.who_does_not_read_is_dropped, test.who_holds_a_connection_is_let_go, test.it_ends_in_order]
        failed, number = 0, 0
        for case in cases:
            number += 1
            failed += run(number, case.__name__, case)
        for case in alone:
            number += 1
            failed += run(number, case.__name__, lambda case=case: case(program, root, folder))
        for case in last:
            number += 1
            failed += run(number, case.__name__, case)
        print(f'1..{number}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
