#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Four clients on two mounts of yolov7-rtsp-server, whose source is cut twice: all go on, see the last picture
meanwhile and new ones after, and the server's memory stays where it is. Prints how old pictures are, glass to glass:
the camera draws the time into them (tests/examples/barcode.h), and two of the clients read it.

usage: rtsp-clients.py SERVER CAMERA WATCH ROOT [--seconds N] [--cut N] [--size WxH] [--rate N]
"""
import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rtsp  # noqa: E402

SETTLE_S = 3  # after a start or a loss, before latencies count
RECOVER_S = 30  # the longest delay between two attempts
MIB_PER_HOUR = 24  # of growth, where the run is long enough to tell
MIB_AT_MOST = 40  # of growth in all: two reconnections leave their high-water mark
SILENCE_S = 6.5  # of the second cut at least: more than the server waits for a frame
LATE_MS = 200  # beyond the time of an analysis


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument('programs', nargs=4)
    parser.add_argument('--seconds', type=float, default=38)
    parser.add_argument('--cut', type=float, default=3)
    parser.add_argument('--size', default='320x192')
    parser.add_argument('--rate', type=int, default=15)
    return parser.parse_args()


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


class Run:
    def __init__(self, args):
        self.args = args
        self.server_program, self.camera_program, self.watch_program, self.root = args.programs
        self.size = tuple(int(side) for side in args.size.split('x'))
        self.camera = rtsp.Camera(self.camera_program, 0, self.size, args.rate)
        cameras = ''.join(f'  - {{name: {name}, source: "{self.camera.uri}"}}\n' for name in 'ab')
        self.server = rtsp.Server(self.server_program, self.root, cameras).wait_until_up()
        self.memory = []
        self.analysis_ms = []
        self.cuts = []  # (from, until)

    def start_clients(self):
        a, b = self.server.uri('/a'), self.server.uri('/b')
        ffmpeg = ('ffmpeg', '-v', 'error', '-rtsp_transport', 'tcp', '-i', a, '-progress', 'pipe:1', '-stats_period',
                  '0.5', '-f', 'null', '-')
        ffprobe = ('stdbuf', '-oL', 'ffprobe', '-v', 'error', '-rtsp_transport', 'udp', '-show_entries',
                   'packet=pts_time', '-of', 'csv', b)
        self.clients = {'rtspsrc over UDP': rtsp.Lines(self.watch_program, a, 'udp'),
                        'rtspsrc over TCP': rtsp.Lines(self.watch_program, b, 'tcp'),
                        'ffmpeg over TCP': rtsp.Lines(*ffmpeg), 'ffprobe over UDP': rtsp.Lines(*ffprobe)}
        for client in self.clients.values():
            client.wait_for('^([0-9]+ |frame=[1-9]|packet)')
        self.started = time.monotonic()

    def watch_until(self, end):
        while time.monotonic() < end:
            self.memory.append((time.monotonic(), self.server.rss_mib()))
            self.analysis_ms.append(self.server.metric('yolov7_camera_analysis_seconds', 'a') * 1000)
            time.sleep(max(0, min(1, end - time.monotonic())))

    def cut(self, seconds, vanish, come_back):
        begin = time.monotonic()
        vanish()
        self.watch_until(begin + seconds)
        come_back()
        self.cuts.append((begin, time.monotonic()))

    def restart_camera(self):
        self.camera.end(signal.SIGKILL)
        self.camera = rtsp.Camera(self.camera_program, self.camera.port, self.size, self.args.rate)

    def play(self):
        seconds = self.args.seconds
        self.start_clients()
        self.watch_until(self.started + seconds * 0.12)
        self.cut(self.args.cut, lambda: self.camera.end(signal.SIGKILL), self.restart_camera)  # connections break
        self.watch_until(self.started + seconds * 0.6)
        self.cut(max(self.args.cut, SILENCE_S),
                 lambda: self.camera.process.send_signal(signal.SIGSTOP),  # nothing comes any more
                 lambda: self.camera.process.send_signal(signal.SIGCONT))
        self.watch_until(self.started + seconds)
        self.ended = time.monotonic()

    def times_of(self, name):
        """When its frames came, as (time, frames so far)."""
        lines = [(t, line) for t, line in list(self.clients[name].lines) if line]
        if name.startswith('ffmpeg'):
            return [(t, int(line[6:])) for t, line in lines if line.startswith('frame=')]
        return [(t, n + 1) for n, (t, line) in enumerate(lines)]

    def fresh(self, name):
        """(time, age in ms) of each picture that was not there before."""
        found, newest = [], 0
        for t, line in list(self.clients[name].lines):
            now, _, code = (line or '').partition(' ')
            if code.isdigit() and int(code) > newest and int(now) - int(code) < 60000:
                newest = int(code)
                found.append((t, int(now) - int(code)))
        return found

    def is_steady(self, t, recovered):
        if t < self.started + SETTLE_S:
            return False
        return not any(begin <= t <= back + SETTLE_S for (begin, _), back in zip(self.cuts, recovered))


def all_clients_are_there(run):
    for name, client in run.clients.items():
        assert client.is_alive(), f'{name} has ended: {client.stderr()}'
    assert run.server.is_alive(), f'the server has ended: {run.server.stderr()}'


def frames_come_all_the_time(run):
    window = 2.5
    for name in run.clients:
        times = run.times_of(name)
        at = run.started
        while at + window < run.ended:
            seen = [n for t, n in times if at <= t < at + window]
            assert len(seen) > 1 and seen[-1] > seen[0], f'{name}: no frames at {at - run.started:.1f} s'
            at += window / 2
        print(f'# {name}: {times[-1][1]} frames')


def recovered(run, name):
    """When the first new picture came after each cut."""
    fresh = run.fresh(name)
    result = []
    for _, until in run.cuts:
        after = [t for t, age in fresh if t > until and age < 2000]
        assert after, f'{name}: no new picture after the cut at {until - run.started:.1f} s'
        result.append(after[0])
    return result


def new_pictures_come_after_each_cut(run):
    for name in list(run.clients)[:2]:
        back = [t - until for t, (_, until) in zip(recovered(run, name), run.cuts)]
        print(f'# {name}: new pictures {", ".join(f"{s:.1f} s" for s in back)} after the source was back')
        assert max(back) <= RECOVER_S, f'{name}: too late'


def pictures_are_new(run):
    analysis_ms = percentile(run.analysis_ms, 0.5)
    for name in list(run.clients)[:2]:
        back = recovered(run, name)
        ages = [age for t, age in run.fresh(name) if run.is_steady(t, back)]
        median, p95 = percentile(ages, 0.5), percentile(ages, 0.95)
        print(f'# {name}: glass to glass {median} ms in the median, {p95} ms for 95 % of {len(ages)} pictures, '
              f'{max(ages)} ms at most; an analysis takes {analysis_ms:.0f} ms')
        assert p95 <= analysis_ms + LATE_MS, f'{name}: {p95} ms, expected at most {analysis_ms:.0f} + {LATE_MS}'


def memory_is_flat(run):
    seconds = run.ended - run.started
    after_cuts = run.cuts[-1][1] + SETTLE_S
    later = [(t, mib) for t, mib in run.memory if t > after_cuts]
    mean_t = sum(t for t, _ in later) / len(later)
    mean = sum(mib for _, mib in later) / len(later)
    slope = sum((t - mean_t) * (mib - mean) for t, mib in later) / sum((t - mean_t) ** 2 for t, _ in later) * 3600
    growth = run.memory[-1][1] - run.memory[0][1]
    print(f'# memory: {run.memory[0][1]:.1f} MiB at first, {run.memory[-1][1]:.1f} at the end; {slope:.1f} MiB an hour '
          'after the last cut')
    assert growth <= MIB_AT_MOST, f'grew by {growth:.1f} MiB, expected at most {MIB_AT_MOST}'
    # In seconds an hour can't be told.
    if seconds >= 240:
        assert slope <= MIB_PER_HOUR, f'grows by {slope:.1f} MiB an hour, expected at most {MIB_PER_HOUR}'


def main():
    run = Run(arguments())
    try:
        run.play()
        rtsp.run_tests([(check.__name__.replace('_', ' '), lambda check=check: check(run))
                        for check in (all_clients_are_there, frames_come_all_the_time,
                                      new_pictures_come_after_each_cut, pictures_are_new, memory_is_flat)])
    finally:
        print('# ' + run.server.stderr().strip().replace('\n', '\n# '))
        for process in (*getattr(run, 'clients', {}).values(), run.server, run.camera):
            process.end(signal.SIGKILL)
        run.server.folder.cleanup()


main()
