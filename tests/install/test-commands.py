#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command of the documentation works: each line of each block of sh in README.md, docs/ and examples/, each
hook in examples/mediamtx.md, and the lines with which the sources of the elements begin. They are run in a folder with
the files that they name (scene.py). A pipeline counts as one that works where pictures came out at its end; what plays
a camera is ended with SIGINT then. A server that a page starts, with the yaml of that page where it has one, is there
for the lines that follow on it, and is ended with SIGINT as well. Plugin and servers are what `meson install` leaves.

usage: test-commands.py BUILD_ROOT SOURCE_ROOT PREFIX LIBDIR [PART OF A LINE]
"""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from scene import Scene, free_port, install

# What a reader replaces by his own, and what would take minutes: pattern, replacement.
SUBSTITUTES = [
    (r'\bv4l2src\b', 'videotestsrc num-buffers=4'),
    (r'rtsp://camera/stream', 'rtsp://127.0.0.1:{rtsp}/stream'),
    (r'\bbroker:1883\b', '127.0.0.1:{mqtt}'),
    (r'ssl://broker\.example\b', 'ssl://localhost:{mqtts}'),
    (r'classes=person,2\b', 'classes=person'),  # of the one class that this checkpoint has
    (r'yolov7 bench\b', 'yolov7 bench --warmup 0 --runs 1 --size 160'),
    (r'yolov7 (tune|selftest)\b', r'yolov7 \1 --size 160'),
    (r'--runs (960/B|60)', '--runs 2'),
    (r'--warmup 8', '--warmup 0'),
    (r'--batch B\b', '--batch 2'),
    (r'--in-flight 2', '--in-flight 2 --warmup 4 --runs 4'),
    (r'rtsp://[^/\s]*10\.0\.0\.7/stream', 'rtsp://127.0.0.1:{rtsp}/stream'),
    (r'v4l2:///dev/video0', 'test:ball'),
    (r'^ffplay ', 'ffprobe -v error -rtsp_transport tcp '),
    (r' dump=true', ''),
]

SERVER = r'^(?:\S*/)?yolov7-(?:web|rtsp-server) \S+\.yaml'
CONFIG = 'port: 8080\ncameras:\n  - name: street\n    source: street.mp4\n    yolov7: {model-file: best.pt}\n'

# What is not run: pattern of a line, why.
LEFT_OUT = [
    (r'^\./(demo|test)\.sh', 'installs packages and runs for minutes; the test "demo" does what it shows'),
    (r'^meson setup build && ', 'builds and tests all of this: what is running now'),
    (r'^meson setup build-release', 'builds all of this anew; the test "installed" installs and builds the examples'),
    (r'^ninja -C build-release|^export PKG_CONFIG_PATH=|^make -C examples', 'see the line above'),
    (r'^meson test ', 'runs tests in a test'),
    (r'dpkg-buildpackage|^sudo apt-get (build-dep \.|install \.\./)', 'tests/distro/packages.sh runs it elsewhere'),
    (r'^sudo ', 'changes the system that it runs on'),
    (r'gpu\.sh', 'for a machine with a GPU; the test "gpu-script" runs it in its short form'),
    (r'^tests/bench/scaling\.py', 'measures for minutes, on a build without debugging aids'),
    (r'test-conv --bench', 'measures for minutes; a plain run of it is a test'),
    (r'^journalctl ', 'shows what systemd runs, and it runs nothing of ours here'),
    (r'rabbitmq|YV_FLEET|yolov7-fleet|^amqp-publish', 'takes a RabbitMQ; the tests of the fleet start one'),
]


def lines_of(block):
    """Lines as the shell sees them, each with what it reads from below it."""
    joined = re.sub(r'\\\n\s*', '', block)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith('#')]


def blocks(source):
    """(file, line, how) for each command."""
    paths = [source + '/README.md'] + sorted(glob.glob(source + '/docs/*.md'))
    paths += sorted(glob.glob(source + '/examples/*.md')) + sorted(glob.glob(source + '/examples/*/*.md'))
    for path in paths:
        with open(path, encoding='utf-8') as f:
            text = f.read()
        name = os.path.relpath(path, source)
        config = re.search(r'^```yaml\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
        yield name, config[1] if config else CONFIG, 'yaml'
        for block in re.findall(r'^```sh\n(.*?)^```', text, re.MULTILINE | re.DOTALL):
            yield from ((name, line, 'sh') for line in lines_of(block))
        for hook in re.findall(r'^    (?:runOnDemand|runOnAvailable): >-\n((?:      .*\n)+)', text, re.MULTILINE):
            yield name, ' '.join(hook.split()), 'hook'
        yield name, '', 'end'
    for path in sorted(glob.glob(source + '/gst/gst*.c')):
        with open(path, encoding='ascii') as f:
            text = f.read()
        for block in re.findall(r'^ \* \|\[\n(.*?)^ \* \]\|', text, re.MULTILINE | re.DOTALL):
            lines = lines_of(re.sub(r'^ \* ', '', block, flags=re.MULTILINE))
            yield from ((os.path.relpath(path, source), line, 'sh') for line in lines)


def why_left_out(line):
    return next((why for pattern, why in LEFT_OUT if re.search(pattern, line)), None)


class Runner:
    def __init__(self, build, installed, libdir, scene):
        self.scene, self.config, self.servers = scene, '', []
        # The tool that is installed looks for yolov7-detect where it will be in the end.
        programs = [f'{build}/tools', f'{installed}/bin', os.environ['PATH']]
        self.env = dict(os.environ, GST_PLUGIN_PATH=f'{installed}/{libdir}/gstreamer-1.0', YV_CACHE='off',
                        LD_LIBRARY_PATH=f'{installed}/{libdir}', GST_REGISTRY=scene.folder + '/registry.bin',
                        PATH=':'.join(programs))
        self.n_sinks = 0
        self.moved = {}  # a port that a page names: the free one that stands for it

    def substitute(self, line):
        ports = {'rtsp': self.scene.rtsp, 'mqtt': self.scene.mqtt, 'mqtts': self.scene.mqtts}
        for pattern, replacement in SUBSTITUTES:
            line = re.sub(pattern, replacement.format(**ports) if '{' in replacement else replacement, line)
        for port, moved in self.moved.items():
            line = re.sub(rf'(localhost|127\.0\.0\.1):{port}\b', rf'\1:{moved}', line)
        return line

    def with_files_for_sinks(self, line):
        """Pictures that would be shown, or given up, go into files. Returns: line, the files."""
        files = []

        def to_file(_match):
            self.n_sinks += 1
            files.append(f'{self.scene.folder}/pictures-{self.n_sinks}.raw')
            return f'filesink location={files[-1]}'
        return re.sub(r'\b(?:autovideosink|fakesink)\b', to_file, line), files

    def run_line(self, line):
        """In a shell, as a reader does; what it exports is there for the lines that follow."""
        self.scene.write_texts()
        if re.search(SERVER, line):
            self.start_server(line)
            return
        line, files = self.with_files_for_sinks(self.substitute(line))
        assert 'gst-launch' not in line or files, f'{line}\nhas no sink to look at'
        if files and 'rtsp://' in line:
            self.run_until_a_picture(line.split(), self.env, files[0])  # cameras never end
            return
        done = subprocess.run(['bash', '-euo', 'pipefail', '-c', line], cwd=self.scene.folder, env=self.env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert done.returncode == 0, f'{line}\nexit status {done.returncode}: {done.stderr[-900:]}'
        for path in files:
            assert os.path.getsize(path) > 0, f'{line}\nno picture came out: {done.stderr[-900:]}'
        exported = re.fullmatch(r'export (\w+)=(\S+)', line)
        if exported:
            self.env[exported[1]] = exported[2].replace('$PWD', self.scene.folder)

    def run_hook(self, line):
        """As MediaMTX does: without a shell, with its own variables."""
        self.scene.write_texts()
        line, files = self.with_files_for_sinks(self.substitute(line))
        hook = {'RTSP_PORT': str(self.scene.rtsp), 'MTX_PATH': 'street'}
        if files:  # it reads a path that the server has
            line = line.replace('$RTSP_PORT/$MTX_PATH', '$RTSP_PORT/stream')
        words = [re.sub(r'\$(\w+)', lambda name: hook[name[1]], word) for word in line.split()]
        self.run_until_a_picture(words, self.env | hook, files[0] if files else self.scene.folder + '/published')

    def start(self, words, env, log):
        return subprocess.Popen(words, cwd=self.scene.folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self, process, log, allowed):
        process.send_signal(signal.SIGINT)
        process.wait()
        log.seek(0)
        said = log.read()
        assert process.returncode in allowed, f'{process.args}\nexit status {process.returncode}: {said[-3000:]}'
        return said

    def run_until_a_picture(self, words, env, path):
        with open(self.scene.folder + '/until.log', 'w+', encoding='utf-8') as log:
            process = self.start(words, env, log)
            while process.poll() is None and not (os.path.exists(path) and os.path.getsize(path)):
                time.sleep(0.05)
            # When interrupted, rtspclientsink may find its connection closed before it could say that it ends,
            # which gst-launch-1.0 tells as an error; but it must not crash.
            said = self.stop(process, log, (0, 1) if process.poll() is None else (0,))
        assert os.path.exists(path), f'{" ".join(words)}\nno picture came out: {said[-3000:]}'
        assert os.path.getsize(path) > 0, f'{" ".join(words)}\nno picture came out: {said[-3000:]}'

    def start_server(self, line):
        """Until it says where it listens."""
        def move(match):
            self.moved[match[2]] = free_port()
            return f'{match[1]}: {self.moved[match[2]]}'
        program, config = line.split()[:2]
        with open(f'{self.scene.folder}/{config}', 'w', encoding='utf-8') as f:
            f.write(self.substitute(re.sub(r'\b(port|metrics-port): (\d+)', move, self.config)))
        log = open(f'{self.scene.folder}/{os.path.basename(program)}.log', 'w+', encoding='utf-8')
        process = self.start([program, config], self.env, log)
        self.servers.append((process, log))
        while True:
            with open(log.name, encoding='utf-8') as f:
                said = f.read()
            if any(re.search(rf'\w+://\S+:{port}\b', said) for port in self.moved.values()):
                return
            assert process.poll() is None, f'{line}\nexit status {process.returncode}: {said[-3000:]}'
            time.sleep(0.05)

    def set_config(self, text):
        self.config = text

    def end_page(self, _):
        """Whoever serves is told to end, and does."""
        self.moved = {}
        while self.servers:
            process, log = self.servers.pop()
            with log:
                self.stop(process, log, (0,))


def check_the_checks(runner):
    """A line that fails, and a pipeline that gives no picture, are seen to fail."""
    for line in ('false', 'gst-launch-1.0 videotestsrc ! yolov8 ! fakesink',
                 'gst-launch-1.0 videotestsrc num-buffers=0 ! fakesink',
                 'build/tools/yolov7 detect none.pt street.mp4'):
        try:
            runner.run_line(line)
        except AssertionError:
            continue
        raise AssertionError(f'{line} counts as one that works')


def main():
    build, source, prefix, libdir = sys.argv[1:5]
    wanted = sys.argv[5] if len(sys.argv) > 5 else ''
    commands = [command for command in blocks(source) if wanted in command[1] or command[2] in ('yaml', 'end')]
    assert len(commands) >= (1 if wanted else 40), f'{len(commands)} commands found'
    n = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        installed = install(build, prefix, folder)
        scene = Scene(build, source, folder)
        runner = Runner(build, installed, libdir, scene)
        try:
            do = {'sh': runner.run_line, 'hook': runner.run_hook, 'yaml': runner.set_config, 'end': runner.end_page,
                  'check': lambda _: check_the_checks(runner)}
            for name, line, how in [('', '', 'check')] + commands:
                if how == 'yaml' or how == 'end' and not runner.servers:
                    do[how](line)
                    continue
                n += 1
                what = {'end': 'its servers end', 'check': 'what fails is seen to fail'}.get(how, line)
                title = f'{name}: {what}'.replace('#', '').replace('\\', '')[:150]
                why = why_left_out(line)
                if why:
                    print(f'ok {n} - {title}\n# not run: {why}', flush=True)
                    continue
                began = time.monotonic()
                try:
                    do[how](line)
                    print(f'ok {n} - {title}\n# {time.monotonic() - began:.1f} s', flush=True)
                except AssertionError as e:
                    print('\n'.join('# ' + text for text in str(e).splitlines()))
                    print(f'not ok {n} - {title}', flush=True)
                    failed = 1
        finally:
            for process, log in runner.servers:
                process.kill()
                process.wait()
                log.close()
            scene.close()
    print(f'1..{n}')
    return failed


sys.exit(main())
