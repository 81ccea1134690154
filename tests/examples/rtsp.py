# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of yolov7-rtsp-server share: the server, a camera, clients, and TAP."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

DEFAULTS = '{model-file: %s/models/pets-tiny.pt, input-size: 64, confidence-threshold: 0.9}'


class Lines:
    """A process, its lines on stdout with the time that each came, and its stderr in a file."""

    def __init__(self, *command, env=None):
        self.log = tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace')
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL,
                                        text=True, env={**os.environ, **(env or {})})
        self.lines = []
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append((time.monotonic(), line.strip()))
                self.news.notify_all()
        with self.news:
            self.lines.append((time.monotonic(), None))
            self.news.notify_all()

    def wait_for(self, pattern):
        """The first line that matches; meson's timeout bounds it."""
        n = 0
        while True:
            with self.news:
                self.news.wait_for(lambda: len(self.lines) > n)
                line = self.lines[n][1]
            n += 1
            assert line is not None, f'ended without {pattern}: {self.stderr()}'
            if re.search(pattern, line):
                return line

    def stderr(self):
        with open(f'/proc/self/fd/{self.log.fileno()}', encoding='utf-8', errors='replace') as log:
            return log.read()

    def wait_for_log(self, pattern):
        while not re.search(pattern, self.stderr()):
            assert self.process.poll() is None, f'ended without {pattern}: {self.stderr()}'
            time.sleep(0.05)

    def is_alive(self):
        return self.process.poll() is None

    def end(self, sig=signal.SIGTERM):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        status = self.process.wait()
        self.reader.join()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end(signal.SIGKILL)


class Camera(Lines):
    def __init__(self, program, port=0, size=(320, 192), rate=15):
        super().__init__(program, str(port), str(size[0]), str(size[1]), str(rate))
        self.uri = self.wait_for('^rtsp://')
        self.port = int(re.search(r':(\d+)/', self.uri)[1])


class Server(Lines):
    """With a configuration of its own. @cameras: lines of YAML below cameras:, @top above it; @before: what
    starts it"""

    def __init__(self, program, root, cameras, top='', defaults='', env=None, before=(), options=(),
                 address='address: 127.0.0.1\n'):
        self.folder = tempfile.TemporaryDirectory()
        path = self.folder.name + '/c.yaml'
        with open(path, 'w', encoding='utf-8') as f:
            f.write(f'{address}port: 0\nmetrics-port: 0\n{top}defaults:\n  yolov7: '
                    f'{DEFAULTS % root}\n{defaults}cameras:\n{cameras}')
        super().__init__(*before, program, *options, path, env=env)

    def wait_until_up(self):
        self.metrics_uri = self.wait_for('^http://')
        self.uris = [line for _, line in self.lines if line.startswith('rtsp')]
        return self

    def uri(self, path):
        return next(uri for uri in self.uris if uri.endswith(path))

    def port(self):
        return int(re.search(r':(\d+)/', self.uris[0])[1])

    def metrics(self):
        with urllib.request.urlopen(self.metrics_uri) as answer:
            return answer.read().decode()

    def metric(self, name, camera=None):
        labels = f'\\{{camera="{camera}"[^}}]*\\}}' if camera else ''
        return float(re.search(f'^{name}{labels} (.*)$', self.metrics(), re.M)[1])

    def rss_mib(self):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as f:
            return int(re.search(r'VmRSS:\s+(\d+)', f.read())[1]) / 1024

    def __exit__(self, *unused):
        super().__exit__()
        self.folder.cleanup()


def run_tests(tests):
    """(name, function) as TAP; the exit status."""
    failed = 0
    for n, (name, check) in enumerate(tests, 1):
        try:
            check()
            print(f'ok {n} - {name}', flush=True)
        except AssertionError as e:
            print('# ' + str(e).replace('\n', '\n# ') + f'\nnot ok {n} - {name}', flush=True)
            failed = 1
    print(f'1..{len(tests)}')
    sys.exit(failed)
