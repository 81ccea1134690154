# SPDX-License-Identifier: LGPL-2.1-or-later
"""yolov7-web as a test meets it: a process, its address, and what it tells over HTTP."""
import atexit
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import threading
import time


def limit_files(most):
    """What a process that begins does before it is the program."""
    return (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))) if most else None


class Server:
    def __init__(self, program, config, log, most_files=None, env=None):
        self.log = open(log, 'a', encoding='utf-8')
        self.process = subprocess.Popen([program, config], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, env={**os.environ, 'G_DEBUG': 'fatal-criticals', **(env or {})},
                                        preexec_fn=limit_files(most_files))
        atexit.register(self.process.kill)  # should the test end before it does
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith('http://'):
            with open(log, encoding='utf-8') as text:
                raise AssertionError(f'no address but {self.url!r}: {text.read()}')
        self.host, port = self.url[7:].strip('/').rsplit(':', 1)
        self.port = int(port)

    def get(self, path, method='GET', headers=None, timeout=30):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def cameras(self):
        return {c['name']: c for c in json.loads(self.get('/cameras')[2])['cameras']}

    def metric(self, name):
        for line in self.get('/metrics')[2].decode().splitlines():
            if line.startswith(name + ' ') or line.startswith(name + '{'):
                return float(line.rsplit(' ', 1)[1])
        raise AssertionError(f'there is no metric {name}')

    def wait_for(self, what, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f'{what}: not after {seconds} s'
            assert self.process.poll() is None, 'the server ended'
            time.sleep(0.1)

    def stop(self, how=signal.SIGTERM):
        """Returns the exit status."""
        self.process.send_signal(how)
        status = self.process.wait(30)
        self.log.close()
        self.process.stdout.close()
        return status


class Raw:
    """A connection on which anything can be said."""

    def __init__(self, server, text, receive_bytes=None, address='127.0.0.1'):
        self.socket = socket.socket()
        self.socket.bind((address, 0))
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(30)
        self.socket.connect((server.host, server.port))
        try:
            self.socket.sendall(text)
        except OSError:
            pass  # refused before the end: what the answer is shows

    def end(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server was faster

    def answer(self):
        """All until the server closes, or has nothing more to say for a second."""
        text = b''
        try:
            while b'\r\n\r\n' not in text:
                more = self.socket.recv(65536)
                if not more:
                    break
                text += more
        except OSError:
            pass
        self.socket.close()
        return text

    def is_closed(self):
        self.socket.settimeout(0)
        try:
            while self.socket.recv(1 << 20):
                pass
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True


class Listener:
    """All records of a camera, by timestamp, as server-sent events bring them."""

    def __init__(self, server, camera):
        self.records = {}
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        self.connection.request('GET', f'/events?camera={camera}')
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200 and self.answer.headers['Content-Type'] == 'text/event-stream'
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        event = ''
        try:
            for line in self.answer:
                text = line.decode().rstrip('\n')
                if text.startswith('event: '):
                    event = text[7:]
                elif text.startswith('data: ') and event == 'record':
                    record = json.loads(text[6:])
                    self.records[record['timestamp']] = record
        except (OSError, ValueError, http.client.HTTPException):
            pass  # closed, by us or the server
