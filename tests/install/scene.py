# SPDX-License-Identifier: LGPL-2.1-or-later
"""The user's side of the commands in the documentation: a folder with the files that they name, a camera
and a media server on RTSP, and brokers. All of it is of this process, on ports of its own."""
import json
import os
import shutil
import socket
import struct
import subprocess
import time

CLIP = os.environ.get('YV_CLIP', '/usr/share/doc/opencv-doc/examples/data/vtest.avi')
N_FRAMES, N_CAMERA_FRAMES, RATE = 6, 600, 10
DEBIAN_PYTHON = '/usr/bin/python3'  # the one that Debian's bindings are for


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f'{command[0]}: exit status {done.returncode}: {done.stderr[-600:]}'
    return done.stdout


def install(build, prefix, folder):
    """What `meson install` leaves. Returns: where it put what is to be at prefix."""
    run('meson', 'install', '-C', build, '--no-rebuild', '--destdir', folder + '/root')
    return folder + '/root' + prefix


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for_port(process, port):
    """Until somebody listens there; meson's timeout is what ends it otherwise."""
    while True:
        assert process.poll() is None, f'{process.args[0]} ended with {process.returncode}'
        with socket.socket() as s:
            if s.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(0.05)


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb' if isinstance(content, bytes) else 'w') as f:
        f.write(content)


def tensor_file(width, height):
    """A safetensors file with one grey picture."""
    shape = [1, 3, height, width]
    data = struct.pack('<f', 0.5) * (3 * width * height)
    head = json.dumps({'images': {'dtype': 'F32', 'shape': shape, 'data_offsets': [0, len(data)]}}).encode()
    return struct.pack('<Q', len(head)) + head + data


class Scene:
    """Brings all of it up in folder; close() ends what it started."""

    def __init__(self, build, source, folder):
        self.folder, self.processes = folder, []
        for name in ('cfg', 'models', 'tests', 'examples'):
            os.symlink(f'{source}/{name}', f'{folder}/{name}')
        os.symlink(build, folder + '/build')
        for name in ('best.pt', 'last.pt', 'yolov7.pt'):
            shutil.copy(source + '/models/pets-tiny.pt', f'{folder}/{name}')
        self.write_media()
        self.write_texts()
        self.start_brokers()
        self.start_rtsp(source)

    def write_media(self):
        os.makedirs(self.folder + '/pictures')
        os.makedirs(self.folder + '/coco/val2017')
        # Small, since a device may be a CPU. The camera goes on for longer than a command needs to see it.
        encode = ('ffmpeg', '-v', 'error', '-i', CLIP, '-vf', 'scale=384:-2', '-frames:v')
        for name, n_frames in (('street.mp4', N_FRAMES), ('camera.mp4', N_CAMERA_FRAMES)):
            run(*encode, str(n_frames), '-r', str(RATE), '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p',
                f'{self.folder}/{name}')
        for name in ('pictures/1.jpg', 'pictures/2.jpg', 'coco/val2017/1.jpg'):
            run(*encode, '1', f'{self.folder}/{name}')
        write(self.folder + '/in.safetensors', tensor_file(64, 64))

    def write_texts(self):
        """Also before each command: what one writes another may read under the same name."""
        for name in ('pictures/1.txt', 'pictures/2.txt'):
            write(f'{self.folder}/{name}', '0 0.865 0.49 0.05 0.16\n')
        write(self.folder + '/data.yaml', 'path: .\nval: pictures\nnames: [person]\n')
        write(self.folder + '/coco/annotations/instances_val2017.json', json.dumps({
            'images': [{'id': 1, 'file_name': '1.jpg', 'width': 384, 'height': 288}],
            'categories': [{'id': 1, 'name': 'person'}],
            'annotations': [{'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': [322, 118, 20, 46], 'area': 920,
                             'iscrowd': 0}]}))
        write(self.folder + '/det.txt', ''.join(f'{i},-1,{10 + i},20,30,60,0.9,-1,-1,-1\n' for i in range(1, 9)))
        write(self.folder + '/street.json',
              '{"zones": [{"name": "all", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}]}')
        write(self.folder + '/door.json', json.dumps({
            'client-id': 'door', 'ssl_CA_certificate': self.folder + '/ca.pem', 'keepalive': 30,
            'will-topic': 'cameras/gone', 'will-payload': 'door'}))

    def start(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        self.processes.append(process)
        return process

    def start_brokers(self):
        """One for plain MQTT and one for TLS, whose certificate is of an authority that door.json names."""
        f = self.folder
        run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
            '-addext', 'subjectAltName=DNS:localhost', '-keyout', f + '/key.pem', '-out', f + '/ca.pem')
        os.chmod(f, 0o755)
        os.chmod(f + '/key.pem', 0o644)  # mosquitto may be another user; the key is good for nothing else
        self.mqtt, self.mqtts = free_port(), free_port()
        write(f + '/mosquitto.conf', f'listener {self.mqtt} 127.0.0.1\nallow_anonymous true\n'
              f'listener {self.mqtts} 127.0.0.1\ncertfile {f}/ca.pem\nkeyfile {f}/key.pem\n')
        broker = self.start('mosquitto', '-c', f + '/mosquitto.conf')
        for port in (self.mqtt, self.mqtts):
            wait_for_port(broker, port)

    def start_rtsp(self, source):
        server = self.start(DEBIAN_PYTHON, source + '/tests/install/rtsp-server.py', self.folder + '/camera.mp4',
                            self.folder + '/published')
        line = server.stdout.readline()
        assert line.strip().isdigit(), f'no RTSP server: {line!r}'
        self.rtsp = int(line)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()
