#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""yolov7-rtsp-server as its users and strangers meet it: what is wrong with a configuration, who may look, a camera that
was never there, clients that do not read, and its end.

usage: test-rtsp-server.py SERVER CAMERA WATCH ROOT
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rtsp  # noqa: E402

SERVER, CAMERA, WATCH, ROOT = sys.argv[1:5]
BALL = '  - {name: ball, source: "test:ball,width=160,height=120,framerate=10/1"}\n'
MODEL = 'defaults: {yolov7: {model-file: %s/models/pets-tiny.pt, input-size: 64}}\n' % ROOT

FFMPEG = ('ffmpeg', '-v', 'error', '-analyzeduration', '100000')

# (configuration, line, what the message has); {HERE} is the folder of the file
BAD = [
    ('', 1, 'empty'),
    ('cameras', 1, 'expected a mapping'),
    ('cameras: [}\n', 1, 'yaml syntax error'),
    (MODEL, 1, 'no cameras'),
    (MODEL + 'prot: 8554\n', 2, 'no key "prot"'),
    (MODEL + 'port: 0\nport: 1\n', 3, 'twice'),
    (MODEL + 'port: rtsp\n', 2, '0 to 65535'),
    (MODEL + 'port: 65536\n', 2, '0 to 65535'),
    (MODEL + 'port: -1\n', 2, '0 to 65535'),
    (MODEL + 'metrics-port: 1e3\n', 2, '0 to 65535'),
    (MODEL + 'max-clients: 0\n', 2, '1 to 100000'),
    (MODEL + 'client-timeout: 0\n', 2, '1 to 3600'),
    (MODEL + 'address: camera.example\n', 2, 'expected the address of an interface'),
    (MODEL + 'metrics-address: [a]\n', 2, 'metrics-address is a sequence'),
    (MODEL + 'users-file: away\n', 2, 'away: can\'t be opened'),
    (MODEL + 'users-file: .\n', 2, 'is a directory'),
    (MODEL + 'users-file: bad-users\n', 2, 'bad-users:2: no user; expected name:password'),
    (MODEL + 'users-file: twice\n', 2, 'twice:2: a name that is there twice'),
    (MODEL + 'users-file: nobody\n', 2, 'nobody:1: there are no users'),
    (MODEL + 'authentication: none\n', 2, 'digest or basic'),
    (MODEL + 'tls-certificate: away.pem\n', 2, 'away.pem: can\'t be opened'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, path: street}\n', 3, 'expected one such as /street'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, path: /../x}\n', 3, 'expected one such as /street'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, path: /}\n', 3, 'expected one such as /street'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, path: "/a b"}\n', 3, 'expected one such as /street'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, path: /x}\n  - {name: b, source: test:ball, path: /x}\n', 4,
     'cameras a and b have the same path /x'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, path: rtsp://u:s3cret@h/x}\n', 3, 'path is a text like a URI'),
    (MODEL + 'users-file: rtsp://u:s3cret@h/x\n', 2, 'users-file: a text like a URI, .*is no file'),
    (MODEL + 'tls-certificate: u:s3cret@h/x\n', 2, 'tls-certificate: a text like a URI, .*is no file'),
    (MODEL + 'metrics-address: rtsp://u:s3cret@h/x\n', 2, 'metrics-address is a text like a URI'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, sharing: rtsp://u:s3cret@h/x}\n', 3, 'shared or per-client'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, sharing: alone}\n', 3, 'shared or per-client'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, bitrate: 2M}\n', 3, '100 to 100000'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, bitrate: 99}\n', 3, '100 to 100000'),
    (MODEL + 'cameras:\n  - {name: a, source: test:ball, metadata: yes}\n', 3, 'false or true'),
    (MODEL + 'cameras:\n  - {name: a, source: http://x/y}\n', 3, 'scheme "http"'),
    (MODEL + 'cameras:\n  - {name: a, source: away.mp4}\n', 3, 'away.mp4: can\'t be opened'),
    (MODEL + 'cameras:\n  - {name: a}\n', 3, 'no source'),
    ('cameras:\n  - {name: a, source: test:ball}\n', 2, 'no model'),
    ('cameras:\n  - name: a\n    source: test:ball\n    yolov7: {model-file: away.pt}\n', 4, 'away.pt: can\'t be opened'),
    ('cameras:\n  - name: a\n    source: test:ball\n    yolov7: {model-file: twice}\n', 2, 'camera a: .*twice'),
    ('cameras:\n  - name: a\n    source: test:ball\n    yolov7: {model-fil: x}\n', 4, 'no property "model-fil"'),
]


def what_is_wrong_is_told_with_its_line():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (('bad-users', 'a:b\nab\n'), ('twice', 'a:b\na:c\n'), ('nobody', '# none\n\n')):
            with open(f'{folder}/{name}', 'w', encoding='ascii') as f:
                f.write(text)
        path = folder + '/c.yaml'
        for text, line, expected in BAD:
            with open(path, 'w', encoding='ascii') as f:
                f.write(text)
            done = subprocess.run([SERVER, path], capture_output=True, text=True, check=False)
            message = done.stderr.strip().splitlines()[-1]
            print('# ' + message.replace(folder, ''))
            # What the file is right in, and its model not, may come right.
            status = 1 if 'Could not load' in message else 2
            assert done.returncode == status, f'{text}: exit status {done.returncode}: {done.stderr}'
            assert f'{path}:{line}: ' in message and re.search(expected, message), \
                f'{text}: {message}: lacks :{line}: or {expected}'
            assert done.stdout == '' and 's3cret' not in done.stderr, done.stdout + done.stderr


def wrong_arguments_are_told():
    for arguments in ([], ['a', 'b'], ['--what']):
        done = subprocess.run([SERVER, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and 'CONFIG.yaml' in done.stderr, f'{arguments}: {done.returncode}: {done.stderr}'
    assert 'CONFIG.yaml' in subprocess.run([SERVER, '--help'], capture_output=True, text=True, check=True).stdout
    done = subprocess.run([SERVER, '/nowhere.yaml'], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "/nowhere.yaml: can't be opened" in done.stderr, done.stderr


def a_port_in_use_is_told():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        for top in (f'port: {port}\n', f'metrics-port: {port}\n'):
            with tempfile.TemporaryDirectory() as folder:
                with open(folder + '/c.yaml', 'w', encoding='ascii') as f:
                    others = ''.join(line for line in ('port: 0\n', 'metrics-port: 0\n')
                                     if not line.startswith(top[:4]))
                    f.write('address: 127.0.0.1\n' + others + top + MODEL + 'cameras:\n' + BALL)
                done = subprocess.run([SERVER, folder + '/c.yaml'], capture_output=True, text=True, check=False)
                print('# ' + done.stderr.strip().splitlines()[-1])
                assert done.returncode == 1 and f'on 127.0.0.1 port {port}: ' in done.stderr, done.stderr


def play(uri, transport, *also):
    """What ffmpeg says; @also may be where it writes."""
    command = [*FFMPEG, '-rtsp_transport', transport, '-i', uri, *(also or ('-frames:v', '5', '-f', 'null', '-'))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def both_sharings_serve_both_transports():
    cameras = BALL + BALL.replace('ball,', 'alone,', 1).replace('}', ', sharing: per-client, path: /own/alone}')
    with rtsp.Server(SERVER, ROOT, cameras) as server:
        server.wait_until_up()
        for uri in (server.uri('/ball'), server.uri('/own/alone')):
            for transport in ('tcp', 'udp'):
                done = play(uri, transport)
                assert done.returncode == 0, f'{uri}: {done.stderr}'
        assert play(server.uri('/ball') + 'x', 'tcp').returncode != 0, 'a path that is none was served'
        assert server.metric('yolov7_camera_up', 'ball') == 1
        assert server.end() == 0, server.stderr()


def assert_note(uri):
    """White letters above, in a picture that is grey below."""
    frame = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray', '-']
    done = subprocess.run([*FFMPEG, '-rtsp_transport', 'tcp', '-i', uri, *frame], capture_output=True, check=True)
    picture = done.stdout
    assert len(picture) == 640 * 360, len(picture)
    assert max(picture[:640 * 90]) > 200 and max(picture[640 * 180:]) < 160, 'there is no note'


def read_records(uri, n):
    """The first @n records at least, as a text."""
    # With both streams linked: while none is rtspsrc gives up.
    command = ['gst-launch-1.0', '-q', 'rtspsrc', 'name=source', 'location=' + uri, 'latency=0', 'source.', '!',
               'application/x-rtp,media=video', '!', 'fakesink', 'async=false', 'source.', '!',
               'application/x-rtp,media=application', '!', 'rtpgstdepay', '!', 'filesink', 'location=/dev/stdout',
               'buffer-mode=unbuffered', 'async=false']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        text = ''
        while text.count('"timestamp"') <= n:
            got = client.stdout.read1()
            assert got, f'ended after {text}: {client.stderr.read()}'
            text += got.decode()
        client.kill()
    return text


def without_an_address_all_are_served():
    with rtsp.Server(SERVER, ROOT, BALL, address='') as server:
        uri = server.wait_until_up().uri('/ball')
        addresses = ''
        if os.path.exists('/proc/net/if_inet6'):  # without a line where IPv6 is there and switched off
            with open('/proc/net/if_inet6', encoding='ascii') as f:
                addresses = f.read()
        has_ipv6 = '0' * 31 + '1 ' in addresses
        everywhere = re.search('//(.*):', uri)[1]
        assert everywhere == '[::]' or (everywhere == '0.0.0.0' and not has_ipv6), uri
        for address in ('127.0.0.1', '[::1]') if has_ipv6 else ('127.0.0.1',):
            done = play(uri.replace(everywhere, address), 'udp')
            assert done.returncode == 0, done.stderr


def a_camera_that_was_never_there_is_served():
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))  # and does not listen
        uri = f'rtsp://user:s3cret@127.0.0.1:{nobody.getsockname()[1]}/s3cret?key=s3cret'
        with rtsp.Server(SERVER, ROOT, f'  - {{name: away, source: "{uri}", metadata: true}}\n') as server:
            server.wait_until_up()
            server.wait_for_log('camera away: lost: ')
            done = play(server.uri('/away'), 'tcp')
            assert done.returncode == 0, done.stderr
            assert set(re.findall('"signal":[a-z]+', read_records(server.uri('/away'), 5))) == {'"signal":false'}
            assert_note(server.uri('/away'))
            described = subprocess.run(['ffprobe', '-v', 'trace', '-rtsp_transport', 'tcp', '-show_streams', '-show_format',
                                        server.uri('/away')], capture_output=True, text=True, check=False)
            assert 'width=640' in described.stdout and 'codec_type=data' in described.stdout, described.stdout
            metrics = server.metrics()
            assert server.metric('yolov7_camera_up', 'away') == 0
            assert server.metric('yolov7_camera_frames_total', 'away') == 0
            assert server.end() == 0, server.stderr()
            said = metrics + described.stdout + described.stderr + server.stderr() + repr(server.lines)
            assert 's3cret' not in said, 'a password shows: ' + said[max(0, said.index('s3cret') - 200):][:400]


def detections_come_as_json():
    slow = BALL.replace('ball,', 'slow,', 1).replace('10/1', '1/1')
    with rtsp.Server(SERVER, ROOT, BALL.replace('}', ', metadata: true}') + slow.replace('}', ', metadata: true}'),
                     'client-timeout: 1\n') as server:
        server.wait_until_up()
        silent = begin_in_silence(server.uri('/ball'), server.port())
        wait_for_keepalive(silent, server.port())
        assert '"objects":[' in read_records(server.uri('/ball'), 5)
        # Its pictures are repeated, and it is there nevertheless.
        server.wait_for_log('camera slow: playing')
        said = read_records(server.uri('/slow'), 10)
        assert '"signal":true' in said and '"signal":false' not in said, said
        assert server.is_alive()
        assert silent.recv(1) == b'', 'a client that is silent stays'


def only_users_may_look():
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/users', 'w', encoding='ascii') as f:
            f.write('# who may look\nann:s3cret\nbob:p4ss\n')
        os.chmod(folder + '/users', 0o600)
        for method in ('digest', 'basic'):
            top = f'users-file: {folder}/users\nauthentication: {method}\n'
            with rtsp.Server(SERVER, ROOT, BALL, top) as server:
                server.wait_until_up()
                uri = server.uri('/ball')
                for user, expected in (('', False), ('ann:wrong@', False), ('eve:s3cret@', False), ('ann:s3cret@', True),
                                       ('bob:p4ss@', True)):
                    done = play(uri.replace('//', '//' + user), 'tcp')
                    assert (done.returncode == 0) == expected, f'{method}, {user}: {done.stderr}'
                assert 's3cret' not in server.stderr() + server.metrics()


def users_may_be_in_the_environment():
    env = {'YV_RTSP_USERNAME': 'ann', 'YV_RTSP_PASSWORD': 's3cret'}
    with rtsp.Server(SERVER, ROOT, BALL, env=env) as server:
        uri = server.wait_until_up().uri('/ball')
        assert play(uri, 'tcp').returncode != 0
        assert play(uri.replace('//', '//ann:s3cret@'), 'tcp').returncode == 0
    with rtsp.Server(SERVER, ROOT, BALL, env={'YV_RTSP_USERNAME': 'ann'}) as server:
        assert server.process.wait() == 2 and 'only one is set' in server.stderr(), server.stderr()


def it_speaks_tls():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                        '-keyout', folder + '/key', '-out', folder + '/certificate'], check=True, capture_output=True)
        with open(folder + '/both.pem', 'w', encoding='ascii') as both:
            for part in ('certificate', 'key'):
                with open(f'{folder}/{part}', encoding='ascii') as f:
                    both.write(f.read())
        with rtsp.Server(SERVER, ROOT, BALL, f'tls-certificate: {folder}/both.pem\n') as server:
            uri = server.wait_until_up().uri('/ball')
            assert uri.startswith('rtsps://'), uri
            done = play(uri, 'tcp')
            assert done.returncode == 0, done.stderr
            plain = uri.replace('rtsps', 'rtsp')
            done = subprocess.run(['ffprobe', '-v', 'error', '-rtsp_transport', 'tcp', '-timeout', '2000000', plain],
                                  capture_output=True, check=False)
            assert done.returncode != 0, 'served without TLS'
        for name, expected in (('certificate', 'a certificate without its key'), ('key', 'key: no certificate')):
            with rtsp.Server(SERVER, ROOT, BALL, f'tls-certificate: {folder}/{name}\n') as server:
                assert server.process.wait() == 1 and expected in server.stderr(), server.stderr()


def systemd_takes_the_unit():
    unit = os.path.dirname(os.path.abspath(SERVER)) + '/yolov7-rtsp-server.service'
    if not shutil.which('systemd-analyze'):
        print('# there is no systemd-analyze here: only looked at')
        assert os.path.exists(unit)
        return
    with open(unit, encoding='ascii') as f:
        text = re.sub(r'^ExecStart=\S+', 'ExecStart=' + os.path.abspath(SERVER), f.read(), flags=re.M)
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/yolov7-rtsp-server.service', 'w', encoding='ascii') as f:
            f.write(text)
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', folder + '/yolov7-rtsp-server.service'],
                              capture_output=True, text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if 'yolov7-rtsp-server.service' in line]
        assert not complaints, '\n'.join(complaints)


def request(connection, text):
    """The answer's head."""
    connection.sendall(text.encode())
    answer = b''
    while b'\r\n\r\n' not in answer:
        got = connection.recv(4096)
        assert got, f'closed after {answer}'
        answer += got
    return answer.decode(errors='replace')


def describe(connection, uri):
    return request(connection, f'DESCRIBE {uri} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n')


def set_up(connection, uri, transport):
    return request(connection, f'SETUP {uri}/stream=0 RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP{transport}\r\n\r\n')


def play_on(connection, uri, transport):
    describe(connection, uri)
    session = re.search(r'Session: ([^;\r]+)', set_up(connection, uri, transport))[1]
    request(connection, f'PLAY {uri} RTSP/1.0\r\nCSeq: 3\r\nSession: {session}\r\n\r\n')


def begin_and_stop_reading(uri, port):
    connection = socket.create_connection(('127.0.0.1', port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    play_on(connection, uri, '/TCP;unicast;interleaved=0-1')
    return connection


def begin_in_silence(uri, port):
    """Over UDP, without a report on what comes."""
    connection = socket.create_connection(('127.0.0.1', port))
    play_on(connection, uri, ';unicast;client_port=9-10')
    return connection


def wait_for_keepalive(connection, port):
    """Until the system watches the other side (02), after what was sent is acknowledged."""
    timer = ''
    while not timer.startswith('02:'):
        with open('/proc/net/tcp', encoding='ascii') as f:
            ends = f':{port:04X} 0100007F:{connection.getsockname()[1]:04X} '
            timer = next(line for line in f if ends in line).split()[5]


def who_does_not_read_is_alone():
    source = '  - {name: ball, source: "test:snow,width=320,height=240,framerate=25/1", bitrate: 4000}\n'
    with rtsp.Server(SERVER, ROOT, source) as server:
        uri = server.wait_until_up().uri('/ball')
        with rtsp.Lines(WATCH, uri, 'tcp') as client:
            client.wait_for('^[0-9]+ ')
            deaf = [begin_and_stop_reading(uri, server.port()) for _ in range(8)]
            before, mib = len(client.lines), server.rss_mib()
            with client.news:
                client.news.wait_for(lambda: len(client.lines) >= before + 200)
            assert client.is_alive() and client.lines[-1][1] is not None, client.stderr()
            times = [t for t, _ in client.lines[before:]]
            longest = max(b - a for a, b in zip(times, times[1:]))
            print(f'# 200 frames in {times[-1] - times[0]:.1f} s, the longest wait {longest:.2f} s; memory '
                  f'{mib:.1f} MiB, then {server.rss_mib():.1f}')
            # 8 clients that nothing is kept from would be 8 * 4 Mbit/s * 8 s = 32 MiB.
            assert server.rss_mib() - mib < 24, 'memory grows'
            for connection in deaf:
                connection.close()


def strangers_do_no_harm():
    with rtsp.Server(SERVER, ROOT, BALL) as server:
        server.wait_until_up()
        for junk in (b'\0' * 5000, b'GET / HTTP/1.1\r\n\r\n', b'$\0\xff\xff' + b'x' * 100, b'A' * 300000,
                     b'DESCRIBE rtsp://x/../../etc/passwd RTSP/1.0\r\nCSeq: 1\r\n\r\n',
                     b'SETUP * RTSP/1.0\r\nCSeq: -1\r\nTransport: ;;;=\r\n\r\n',
                     b'PLAY rtsp://x/ball RTSP/1.0\r\nCSeq: 1\r\nSession: 1\r\n\r\n',
                     b'ANNOUNCE rtsp://x/ball RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\nv=0\r\n',
                     b'DESCRIBE rtsp://x/ball RTSP/1.0\r\n' + b'X: y\r\n' * 2000 + b'\r\n'):
            with socket.create_connection(('127.0.0.1', server.port())) as connection:
                try:
                    connection.sendall(junk)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(4096)
                except OSError:  # closed, or not connected any more
                    pass
        http = int(re.search(r':(\d+)/', server.metrics_uri)[1])
        for ask, expected in ((b'POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', b' 405 '),
                              (b'GET /metrics/x HTTP/1.1\r\nHost: x\r\n\r\n', b' 404 '), (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b' 404 '),
                              (b'GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n', b' 40')):
            with socket.create_connection(('127.0.0.1', http)) as connection:
                connection.sendall(ask)
                head = connection.recv(4096)
                assert expected in head.split(b'\r\n')[0], f'{ask}: {head}'
        assert play(server.uri('/ball'), 'tcp').returncode == 0
        assert server.end() == 0, server.stderr()


def bodies_without_end_are_not_kept():
    with rtsp.Server(SERVER, ROOT, BALL) as server:
        server.wait_until_up()
        assert play(server.uri('/ball'), 'tcp').returncode == 0
        before = server.rss_mib()
        kept = []
        for _ in range(4):
            kept.append(socket.create_connection(('127.0.0.1', server.port())))
            try:
                kept[-1].sendall(b'SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n')
                for _ in range(32):
                    kept[-1].sendall(bytes(1024 * 1024))
            except ConnectionError:
                pass
        print(f'# memory {before:.1f} MiB, then {server.rss_mib():.1f}')
        assert server.rss_mib() - before < 32, 'bodies are kept'
        assert play(server.uri('/ball'), 'tcp').returncode == 0
        for connection in kept:
            connection.close()


def more_clients_than_allowed_are_refused():
    cameras = BALL + ''.join(BALL.replace('ball,', f'{name},', 1).replace('}', ', sharing: per-client}') for name in 'abc')
    with rtsp.Server(SERVER, ROOT, cameras, 'max-clients: 2\n') as server:
        server.wait_until_up()
        first, second, third = (socket.create_connection(('127.0.0.1', server.port())) for _ in range(3))
        assert third.recv(1) == b'', 'a third connection is kept'
        server.wait_for_log('refused: max-clients')
        for path in ('/a', '/b'):
            assert '200 OK' in describe(first, server.uri(path))
            assert '200 OK' in set_up(first, server.uri(path), '/TCP;unicast;interleaved=0-1')
        # An encoder each, however many connections and sessions there are.
        assert '400 Bad' in describe(first, server.uri('/c')), 'a third encoder for two clients'
        assert '200 OK' in describe(second, server.uri('/ball'))
        assert server.metric('yolov7_rtsp_clients') == 2 and server.metric('yolov7_rtsp_refused_clients_total') == 1
        for answer in ('200 OK', '200 OK', '503 Service Unavailable'):
            assert answer in set_up(first, server.uri('/ball'), '/TCP;unicast;interleaved=0-1'), answer
        assert '200 OK' in set_up(second, server.uri('/ball'), '/TCP;unicast;interleaved=0-1')
        for connection in (first, second, third):
            connection.close()
        while play(server.uri('/c'), 'tcp').returncode != 0:
            assert server.is_alive()


def a_crowd_leaves_files_to_the_server():
    before = ('prlimit', '--nofile=40:100')
    with rtsp.Server(SERVER, ROOT, BALL, 'max-clients: 1000\n', before=before) as server:
        server.wait_until_up()
        crowd = [socket.create_connection(('127.0.0.1', server.port())) for _ in range(150)]
        server.wait_for_log('refused: file descriptors')
        # Its own thread closes what is refused.
        while not 20 < server.metric('yolov7_rtsp_clients') < 75:
            assert server.is_alive()
        for connection in crowd:
            connection.close()
        while play(server.uri('/ball'), 'tcp').returncode != 0:
            assert server.is_alive()


def an_encoder_that_fails_is_replaced():
    loaded = '--gst-plugin-load=' + os.environ['YV_FAKE_ENCODER_PLUGIN']
    for fault in ('second', 'later'):
        with rtsp.Server(SERVER, ROOT, BALL, env={'YV_FAKE_ENCODER': fault}, options=(loaded,)) as server:
            uri = server.wait_until_up().uri('/ball')
            server.wait_for_log('encoder: vah264enc')
            with rtsp.Lines(WATCH, uri, 'tcp') as client:
                if fault == 'later':
                    client.wait_for('^[0-9]+ ')
                assert client.process.wait() == 1
            server.wait_for_log(r'camera ball: clients get (?!vah264enc )\w+ from now on')
            while play(uri, 'tcp').returncode != 0:
                assert server.is_alive()
            assert 'camera ball: pipeline for clients: encoder: no session is left' in server.stderr()
            assert server.metric('yolov7_rtsp_encoding_errors_total', 'ball') == 1


def an_encoder_that_hangs_is_alone():
    loaded = '--gst-plugin-load=' + os.environ['YV_FAKE_ENCODER_PLUGIN']
    with rtsp.Server(SERVER, ROOT, BALL, env={'YV_FAKE_ENCODER': 'hang'}, options=(loaded,)) as server:
        uri = server.wait_until_up().uri('/ball')
        first, second = (socket.create_connection(('127.0.0.1', server.port())) for _ in range(2))
        first.sendall(f'DESCRIBE {uri} RTSP/1.0\r\nCSeq: 1\r\n\r\n'.encode())
        server.wait_for_log('the encoder hangs')
        assert '404 Not Found' in describe(second, uri + 'x')
        assert server.metric('yolov7_rtsp_clients') == 2
        assert server.end() == 1 and 'pipelines for clients hang' in server.stderr(), server.stderr()
        first.close()
        second.close()


def systemd_is_told():
    with tempfile.TemporaryDirectory() as folder:
        for path in (folder + '/notify', f'@yolov7-test-{os.getpid()}'):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
                systemd.bind(path.replace('@', '\0'))
                with rtsp.Server(SERVER, ROOT, BALL, env={'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '200000'}) as server:
                    said = [systemd.recv(100) for _ in range(3)]
                    assert said == [b'READY=1', b'WATCHDOG=1', b'WATCHDOG=1'], said
                    server.wait_until_up()
                    status = server.end()
                    assert status == 0, f'{status}: {server.stderr()}'
    with rtsp.Server(SERVER, ROOT, BALL, env={'NOTIFY_SOCKET': '/nowhere/notify'}) as server:
        server.wait_until_up()
        assert "systemd can't be told READY=1" in server.stderr(), server.stderr()


def a_second_signal_does_not_wait():
    # Records for a broker that is not there are waited for.
    publish = '  yolov7publish: {method: mqtt, address: "127.0.0.1:1", topic: x, drain-timeout: 60000000000}\n'
    with rtsp.Server(SERVER, ROOT, BALL, defaults=publish) as server:
        server.wait_until_up()
        while server.metric('yolov7_camera_analysed_frames_total', 'ball') == 0:
            assert server.is_alive()
        server.process.send_signal(signal.SIGTERM)
        try:
            while server.is_alive():
                socket.create_connection(('127.0.0.1', server.port())).close()
        except ConnectionRefusedError:
            pass
        assert server.is_alive(), 'it does not wait for records'
        assert server.end(signal.SIGINT) == -signal.SIGINT


def it_ends_while_clients_watch():
    for sig in (signal.SIGTERM, signal.SIGINT):
        with rtsp.Server(SERVER, ROOT, BALL) as server:
            uri = server.wait_until_up().uri('/ball')
            with rtsp.Lines(WATCH, uri, 'tcp') as client:
                client.wait_for('^[0-9]+ ')
                assert server.end(sig) == 0, server.stderr()
                assert client.process.wait() == 1


rtsp.run_tests([(check.__name__.replace('_', ' '), check) for check in (
    what_is_wrong_is_told_with_its_line, wrong_arguments_are_told, a_port_in_use_is_told,
    both_sharings_serve_both_transports, without_an_address_all_are_served, a_camera_that_was_never_there_is_served,
    detections_come_as_json, only_users_may_look, users_may_be_in_the_environment, it_speaks_tls, systemd_takes_the_unit,
    who_does_not_read_is_alone, strangers_do_no_harm, bodies_without_end_are_not_kept,
    more_clients_than_allowed_are_refused, a_crowd_leaves_files_to_the_server, an_encoder_that_fails_is_replaced,
    an_encoder_that_hangs_is_alone, systemd_is_told,
    a_second_signal_does_not_wait, it_ends_while_clients_watch)])
