#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the boxes on the page are those of the very frame that is on the screen: a clip in which two
pictures take turns, frame by frame, each with its people elsewhere and a mark of its own. Boxes of the
frame before or behind would be those of the other picture.

usage: test-time.py YOLOV7_WEB SOURCE_ROOT
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import webdriver  # noqa: E402
import webserver  # noqa: E402

CLIP = os.environ.get('YV_CLIP', '/usr/share/doc/opencv-doc/examples/data/vtest.avi')
FRAMES = (20, 400)  # of the clip, 38 s apart
CONFIG = """\
port: 0
cameras:
  - name: flash
    source: {folder}/flash.avi
    yolov7: {{model-file: {root}/models/pets-tiny.pt, input-size: 384}}
"""

# Of frames that have a record of their own: [media time, timestamp, brightness of the mark].
WATCH = """
const video = document.getElementById('video'), canvas = document.getElementById('overlay');
const spot = document.createElement('canvas');
spot.width = spot.height = 8;
const context = spot.getContext('2d', { willReadFrequently: true });
window.seen = [];
const follow = (now, frame) => {
  const timestamp = Number(canvas.dataset.timestamp);
  if (canvas.dataset.mediaTime === String(frame.mediaTime) && timestamp
      && Math.abs(timestamp / 1e9 - frame.mediaTime) < 1e-4) {
    context.drawImage(video, 16, 16, 64, 64, 0, 0, 8, 8);
    window.seen.push([frame.mediaTime, timestamp, context.getImageData(4, 4, 1, 1).data[1]]);
  }
  video.requestVideoFrameCallback(follow);
};
video.requestVideoFrameCallback(follow);
"""


def make_clip(folder):
    """20 s at 10 frames a second, MJPEG: each frame stands alone."""
    for i, color in enumerate(('black', 'white')):
        subprocess.run(['ffmpeg', '-v', 'error', '-i', CLIP, '-vf',
                        f"select=eq(n\\,{FRAMES[i]}),drawbox=0:0:96:96:{color}:fill", '-frames:v', '1',
                        f'{folder}/picture{i}.png'], check=True)
    for k in range(200):
        os.symlink(f'picture{k % 2}.png', f'{folder}/frame{k:03}.png')
    subprocess.run(['ffmpeg', '-v', 'error', '-framerate', '10', '-i', f'{folder}/frame%03d.png', '-c:v', 'mjpeg',
                    '-q:v', '2', '-pix_fmt', 'yuvj420p', f'{folder}/flash.avi'], check=True)


def boxes_of(record):
    return [(o['x'], o['y'], o['x'] + o['w'], o['y'] + o['h']) for o in record['objects'] if not o.get('predicted')]


def iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / max((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both, 1e-9)


def likeness(boxes, others):
    """The share of boxes that have one like them among the others."""
    return sum(any(iou(a, b) > 0.7 for b in others) for a in boxes) / max(len(boxes), 1)


def judge(seen, records):
    """Frames with the same mark have the same boxes, and the two pictures have different ones."""
    pictures = ([], [])
    for _, timestamp, brightness in seen:
        assert brightness < 60 or brightness > 190, f'a mark of {brightness}: two frames in one'
        pictures[brightness > 128].append(boxes_of(records[timestamp]))
    print(f'# {len(pictures[0])} and {len(pictures[1])} frames of the two pictures, '
          f'{len(pictures[0][0])} and {len(pictures[1][0])} boxes in the first of each')
    assert min(len(p) for p in pictures) >= 3, 'too few frames to judge'
    for same, other in (pictures, pictures[::-1]):
        assert same[0] and likeness(same[0], other[0]) < 0.5, 'the two pictures are alike'
        for boxes in same:
            assert likeness(boxes, same[0]) >= 0.8, f'boxes of another picture: {boxes}, not {same[0]}'


def look(server, folder):
    browser = webdriver.Browser(folder, 1000, 800)
    try:
        browser.open(server.url)
        browser.wait_for('video', 'return document.getElementById("video").currentTime > 0')
        listener = webserver.Listener(server, 'flash')
        browser.run(WATCH)
        browser.wait_for('frames of both', 'return [0, 1].every((side) => window.seen.filter('
                         '(s) => (s[2] > 128) === Boolean(side)).length >= 4)', seconds=120)
        seen = browser.run('return window.seen')
        server.wait_for('their records', lambda: all(s[1] in listener.records for s in seen))
        listener.connection.close()
        return seen, listener.records
    finally:
        browser.close()


def main(program, root):
    if not (webdriver.is_installed() and shutil.which('ffmpeg') and os.path.exists(CLIP)):
        print('1..0 # SKIP chromium, chromedriver, ffmpeg or the clip is missing')
        return 0
    print('1..1')
    with tempfile.TemporaryDirectory(prefix='yolov7-web-') as folder:
        make_clip(folder)
        with open(folder + '/config.yaml', 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(folder=folder, root=root))
        server = webserver.Server(program, folder + '/config.yaml', folder + '/server.log')
        try:
            judge(*look(server, folder))
        except AssertionError as error:
            print(f'# {error}\nnot ok 1 - boxes_are_those_of_the_frame')
            return 1
        finally:
            server.stop()
    print('ok 1 - boxes_are_those_of_the_frame')
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
