#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a viewer of yolov7-web costs: CPU time of the server with no, one and many viewers, who ask for
what the page asks for: the playlist twice a second, each segment, and events.

usage: web-viewers.py YOLOV7_WEB SOURCE_ROOT [VIEWERS [SECONDS]]
"""
import http.client
import os
import re
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../examples/web')
import webserver  # noqa: E402

CLIP = os.environ.get('YV_CLIP', '/usr/share/doc/opencv-doc/examples/data/vtest.avi')
BITRATE_MBIT = 2
# One frame in 100 is analysed: what analyses cost is another question.
CONFIG = """\
port: 0
cameras:
  - name: street
    source: {clip}
    bitrate: {kbit}
    yolov7: {{model-file: {root}/models/pets-tiny.pt, input-size: 64, inference-interval: 100}}
"""


class Viewer(threading.Thread):
    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.n_bytes, self.is_over, self.refused = server, 0, threading.Event(), []
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        self.listener = webserver.Listener(server, 'street')
        self.start()

    def get(self, path):
        self.connection.request('GET', path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            self.refused.append(answer.status)
        return body if answer.status == 200 else b''

    def run(self):
        last = -1
        while not self.is_over.wait(0.5):
            text = self.get('/cameras/street/live.m3u8').decode()
            for name, number in re.findall(r'^(\w+-(\d+)\.m4s)$', text, re.M)[-2:]:
                if int(number) > last:
                    self.n_bytes += len(self.get(f'/cameras/street/{name}'))
                    last = int(number)

    def end(self):
        self.is_over.set()
        self.join(60)
        self.listener.connection.close()


def cpu_s(server):
    with open(f'/proc/{server.process.pid}/stat', encoding='ascii') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def resident_mb(server):
    with open(f'/proc/{server.process.pid}/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6


def measure(server, n_viewers, seconds):
    """Returns the share of a core, and whether all got what they asked for, nearly all of the video."""
    viewers = [Viewer(server) for _ in range(n_viewers)]
    if viewers:
        server.wait_for('video', lambda: all(v.n_bytes > 0 for v in viewers))
    begin, n_bytes, wall = cpu_s(server), sum(v.n_bytes for v in viewers), time.monotonic()
    time.sleep(seconds)
    wall = time.monotonic() - wall
    share = (cpu_s(server) - begin) / wall
    mbit = (sum(v.n_bytes for v in viewers) - n_bytes) * 8e-6 / wall
    print(f'{n_viewers:4} viewers: {100 * share:5.1f} % of a core, {mbit:6.1f} Mbit/s, '
          f'{resident_mb(server):.0f} MB resident', flush=True)
    for viewer in viewers:
        viewer.end()
    refused = sum((viewer.refused for viewer in viewers), [])
    is_good = not refused and mbit >= 0.8 * BITRATE_MBIT * n_viewers
    if not is_good:
        print(f'  which is not good: refused with {refused[:20]}, or less than {0.8 * BITRATE_MBIT * n_viewers} Mbit/s')
    return share, is_good


def main(program, root, n_viewers='50', seconds='20'):
    n_viewers, seconds = int(n_viewers), float(seconds)
    with tempfile.TemporaryDirectory(prefix='yolov7-web-') as folder:
        with open(folder + '/config.yaml', 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(clip=CLIP, root=root, kbit=1000 * BITRATE_MBIT))
        server = webserver.Server(program, folder + '/config.yaml', folder + '/server.log')
        measure(server, 0, seconds)
        one, is_one_good = measure(server, 1, seconds)
        many, are_many_good = measure(server, n_viewers, seconds)
        dropped = server.metric('yolov7_web_dropped_viewers_total')
        server.stop()
    each = (many - one) / (n_viewers - 1)
    print(f'each further one: {100 * each:.2f} % of a core')
    # Encoding this clip takes a few per cent of a core; a viewer is not to cost anything like it.
    return 0 if each < 0.02 and dropped == 0 and is_one_good and are_many_good else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
