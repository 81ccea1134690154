#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""yolov7-web in a real browser: moving video, boxes that are those of the frame shown, a class filter,
a camera that is lost, a server that starts anew; and pictures of the page to look at.

usage: test-page.py YOLOV7_WEB SOURCE_ROOT FOLDER_FOR_PICTURES
"""
import json
import os
import signal
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import webdriver  # noqa: E402
import webserver  # noqa: E402

CLIP = os.environ.get('YV_CLIP', '/usr/share/doc/opencv-doc/examples/data/vtest.avi')
ZONES = {'zones': [{'name': 'plaza', 'polygon': [[0.1, 0.3], [0.6, 0.3], [0.6, 0.95], [0.1, 0.95]]}],
         'lines': [{'name': 'path', 'from': [0.05, 0.6], 'to': [0.95, 0.6]}]}
CONFIG = """\
port: {port}
defaults:
  bitrate: 1500
  yolov7: {{model-file: {root}/models/pets-tiny.pt, input-size: 384}}
cameras:
  - name: {street}
    source: {clip}
    yolov7tracker: {{zones: {folder}/zones.json}}
  - name: gone
    source: rtsp://user:hush-hush@127.0.0.1:9/stream
"""

# Collects what is drawn with each frame: [media time, timestamp of the record], and of frames that
# have a record of their own how far each color reaches on the canvas: {color: [x0, y0, x1, y1, pixels]}.
WATCH = """
const video = document.getElementById('video'), canvas = document.getElementById('overlay');
window.drawn = [];
window.isWatching = true;
const reachOf = () => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const reach = {};
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i += 4) {
    if (data[i + 3] !== 255) continue;
    const key = `${data[i]},${data[i + 1]},${data[i + 2]}`;
    const r = reach[key] = reach[key] || [x, y, x, y, 0];
    if (x < r[0]) r[0] = x; if (x > r[2]) r[2] = x; if (y > r[3]) r[3] = y; r[4]++;
  }
  return { width, height, reach };
};
const follow = (now, frame) => {
  if (!window.isWatching) return;
  const timestamp = Number(canvas.dataset.timestamp);
  const isOwn = timestamp && Math.abs(timestamp / 1e9 - frame.mediaTime) < 1e-4;
  if (canvas.dataset.mediaTime === String(frame.mediaTime))
    window.drawn.push([frame.mediaTime, timestamp, isOwn ? reachOf() : null]);
  video.requestVideoFrameCallback(follow);
};
video.requestVideoFrameCallback(follow);
"""

PICTURE = """
const video = document.getElementById('video'), small = document.createElement('canvas');
small.width = 64; small.height = 48;
const context = small.getContext('2d');
context.drawImage(video, 0, 0, 64, 48);
return [video.currentTime, [...context.getImageData(0, 0, 64, 48).data]];
"""
TIME = "return document.getElementById('video').currentTime"
NOTICE = "return document.getElementById('notice').textContent"
INK = """
const canvas = document.getElementById('overlay');
const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
for (let i = 3; i < data.length; i += 4) if (data[i]) return true;
return false;
"""
NO_INK = f'return !(() => {{ {INK} }})();'


# How far the canvas is from the picture, whose pixels fill the video's box, and how far that box is from
# the shape of the frame: in pixels of the page.
OFF = """
const video = document.getElementById('video');
const [a, b] = [video, document.getElementById('overlay')].map((e) => e.getBoundingClientRect());
const shape = Math.abs(a.width / video.videoWidth * video.videoHeight - a.height);
const isFilled = getComputedStyle(video).objectFit === 'fill' && a.width > 100;
return isFilled ? Math.max(shape, ...['x', 'y', 'width', 'height'].map((k) => Math.abs(a[k] - b[k]))) : 1000;
"""

# The page's parts alone. Each returns '' or what is wrong.
PARTS = {
    'a playlist is read': """
const { parsePlaylist } = await import('./player.js');
const text = ['#EXTM3U', 'early.m4s', '#EXT-X-MAP:URI="r-0.mp4"', '#EXTINF:1.5,', 'r-7.m4s', '', '#EXTINF:x,',
  '#EXT-X-MAP:URI="r-1.mp4"', 'http://[/', ''].join('\\r\\n');
const base = 'http://h/cameras/a/live.m3u8';
let failed = '';
try { parsePlaylist(text, base); } catch (error) { failed = error.name; }
const [one, ...more] = parsePlaylist(text.replace('http://[/', ''), base);
return failed === 'TypeError' && more.length === 0 && one.init === 'http://h/cameras/a/r-0.mp4'
  && one.uri === 'http://h/cameras/a/r-7.m4s' && one.duration === 1.5 ? '' : JSON.stringify([failed, one, more]);
""",
    'a codec is found': """
const { codecOf } = await import('./player.js');
const box = [0, 0, 0, 20, 0x61, 0x76, 0x63, 0x43, 1, 0x42, 0xc0, 0x1f];
const found = [codecOf(Uint8Array.from(box)), codecOf(Uint8Array.from(box.slice(0, 10))), codecOf(new Uint8Array(0))];
return found.join() === 'avc1.42c01f,,' ? '' : found.join();
""",
    'waits leave nothing behind': """
const { wait } = await import('./player.js');
let n = 0;
const signal = new AbortController().signal;
const [add, remove] = [signal.addEventListener, signal.removeEventListener];
signal.addEventListener = (...args) => { n += 1; add.apply(signal, args); };
signal.removeEventListener = (...args) => { n -= 1; remove.apply(signal, args); };
for (let i = 0; i < 20; i++) await wait(1, signal);
return n === 0 ? '' : `${n} listeners`;
""",
    'a body that stalls ends with who asked': """
const { Player } = await import('./player.js');
const player = new Player(document.createElement('video'), () => {});
const abort = new AbortController();
const fetched = window.fetch;
window.fetch = (url, { signal }) => Promise.resolve(new Response(new ReadableStream({
  start(body) { signal.addEventListener('abort', () => body.error(new DOMException('', 'AbortError'))); } })));
const asked = player.fetchBytes('piece', abort.signal).then(() => 'it came', (error) => error.name);
window.fetch = fetched;
setTimeout(() => abort.abort(), 50);
const said = await asked;
return said === 'it came' ? said : '';
""",
    'why there is no video is told': """
const { Player } = await import('./player.js');
const fetched = window.fetch;
const told = [];
for (const type of ['text/plain; charset=utf-8', 'text/html']) {
  const player = new Player(document.createElement('video'), () => {});
  player.told = (state, reason) => told.push(`${state} ${reason}`);
  const answer = new Response('none today', { status: 503, headers: { 'Content-Type': type } });
  window.fetch = () => Promise.resolve(answer);
  await player.runRound(new AbortController().signal);
}
window.fetch = fetched;
return told.join() === 'refused none today,loading ' ? '' : told.join();
""",
    'a browser that lets nothing play is known': """
const { Player } = await import('./player.js');
const video = document.createElement('video');
const player = new Player(video, () => {});
const blocked = [];
for (const name of ['AbortError', 'NotAllowedError']) {
  video.play = () => Promise.reject(new DOMException('', name));
  await player.start();
  blocked.push(player.isBlocked);
}
video.dispatchEvent(new Event('playing'));
blocked.push(player.isBlocked);
return blocked.join() === 'false,true,false' ? '' : blocked.join();
""",
    'what is no record is left out': """
const { Records } = await import('./records.js');
const records = new Records();
const box = { x_min: 0, y_min: 0, x_max: 1, y_max: 1 };
const good = { timestamp: 1, objects: [{ roi_type: 'a', detection: { bounding_box: box } }] };
const bad = [null, 7, [], {}, { timestamp: '1', objects: [] }, { timestamp: 1 }, { timestamp: 1, objects: [null] },
  { timestamp: NaN, objects: [] }, { timestamp: 1, objects: [{ roi_type: 'a' }] },
  { timestamp: 1, objects: [{ roi_type: 3, detection: {} }] },
  { timestamp: 1, objects: [{ roi_type: 'a', detection: { bounding_box: { ...box, x_max: null } } }] },
  { ...good, zones: {} }, { ...good, zones: [null] }, { ...good, zones: [{ name: 'z', points: [7] }] }];
bad.forEach((record) => records.add(record));
if (records.list.length) return JSON.stringify(records.list);
records.add(good);
records.add(good); // told again
return records.list.length === 1 ? '' : 'a good one was left out, or is there twice';
""",
    'records are found by time': """
const { Records } = await import('./records.js');
const records = new Records();
const at = (s, x, run = 'r') => ({ run, timestamp: s * 1e9, objects: [
  { roi_type: 'a', id: 1, detection: { bounding_box: { x_min: x, y_min: 0, x_max: x, y_max: 1 } } }] });
[at(10, 0), at(14, 0.8), at(12, 0.4)].forEach((record) => records.add(record));
const x = (s) => { const e = records.at(s); return e ? e.record.objects[0].detection.bounding_box.x_min : null; };
const found = [x(9), x(10), x(11), x(12), x(13.5), x(14.9), x(15.1)].map((v) => v && v.toFixed(2));
records.add(at(1, 0.5, 'another run'));
found.push(records.list.length);
return found.join() === ',0,0.20,0.40,0.70,0.80,,1' ? '' : found.join();
""",
    'times of other days have their date': """
const { timeText } = await import('./panels.js');
const midnight = new Date(); midnight.setHours(0, 3, 4);
const texts = [timeText(midnight.getTime()), timeText(midnight.getTime() - 864e5)];
return texts[0].startsWith('00:03') && texts[1].length > texts[0].length + 5 && texts[1].endsWith(texts[0])
  ? '' : texts.join();
""",
}


def color_of(index):
    """What gst/draw/boxes.c gives a class or a track, from its description: hues a golden angle apart,
    full value, three saturations."""
    hue, low = (0.4 + index * 0.6180339887) % 1, [0.1, 0.45, 0.27][index // 8 % 3]

    def channel(center):
        turn = hue - center
        share = min(max(2 - abs(turn - round(turn)) * 6, 0), 1)
        return int(255 * (low + (1 - low) * share) + 0.5)
    return f'{channel(0)},{channel(1 / 3)},{channel(2 / 3)}'


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return both / max(area - both, 1e-9)


def hides_an_edge(other, box):
    """Whether @other, painted over @box, may leave nothing to see of one of its edges."""
    for a, across in ((0, 1), (1, 0), (2, 1), (3, 0)):  # each edge, and the axis along it
        covered = min(box[across + 2], other[across + 2]) - max(box[across], other[across])
        if (covered > 0.8 * (box[across + 2] - box[across]) and
                min(abs(other[a % 2] - box[a]), abs(other[a % 2 + 2] - box[a])) <= 4):
            return True
    return False


class Test:
    def __init__(self, program, root, pictures, folder):
        self.program, self.root, self.pictures, self.folder = program, root, pictures, folder
        with open(folder + '/zones.json', 'w', encoding='utf-8') as file:
            json.dump(ZONES, file)
        self.server = self.start(0, 'street')
        self.browser = webdriver.Browser(folder, 1440, 1000)

    def start(self, port, street):
        path = self.folder + '/config.yaml'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(CONFIG.format(port=port, street=street, root=self.root, clip=CLIP, folder=self.folder))
        return webserver.Server(self.program, path, self.folder + '/server.log')

    def video_moves(self):
        self.browser.open(self.server.url)
        self.browser.wait_for('video', 'const v = document.getElementById("video");'
                              'return v.videoWidth === 768 && v.videoHeight === 576 && v.currentTime > 0')
        first, before = self.browser.run(PICTURE)
        self.browser.wait_for('time passes', TIME + ' > arguments[0] + 2', first)
        _, after = self.browser.run(PICTURE)
        difference = sum(abs(a - b) for a, b in zip(before, after)) / len(before)
        print(f'# two pictures 2 s apart differ by {difference:.2f} of 255 on average')
        assert difference > 0.5, 'the picture stands still'
        self.boxes_lie_on_the_picture('window')

    def boxes_lie_on_the_picture(self, where):
        self.browser.wait_for('boxes over the picture: ' + where, f'return (() => {{ {OFF} }})() < 1', seconds=10)

    def parts_do_what_they_say(self):
        self.browser.open(self.server.url)
        for name, script in PARTS.items():
            wrong = self.browser.run(f'return (async () => {{ {script} }})()')
            assert wrong == '', f'{name}: {wrong}'

    def watch(self, seconds):
        """What was drawn with each frame meanwhile; boxes alone, each track in a color of its own."""
        self.browser.run(WATCH)
        self.browser.wait_for('frames with records',
                              'return window.drawn.filter((d) => d[2]).length >= 12', seconds=seconds)
        return self.browser.run('window.isWatching = false; return window.drawn.splice(0)')

    def boxes_agree(self):
        listener = webserver.Listener(self.server, 'street')
        for box in ('show-labels', 'show-zones', 'color-tracks'):
            self.browser.click('#' + box)
        drawn = self.watch(60)
        self.server.wait_for('records', lambda: drawn[-1][1] in listener.records)
        listener.connection.close()
        self.check_times(drawn)
        self.check_boxes(drawn, listener.records)
        for box in ('show-labels', 'show-zones', 'color-tracks'):
            self.browser.click('#' + box)

    @staticmethod
    def check_times(drawn):
        """A frame is shown with its own record, or with the last one before it: none between."""
        own = [d for d in drawn if d[2]]
        worst = max(abs(d[1] / 1e9 - d[0]) for d in own)
        print(f'# {len(drawn)} frames, {len(own)} with a record of their own, whose time is off by at most '
              f'{worst * 1e6:.0f} us')
        for time_s, timestamp, reach in drawn:
            late = time_s - timestamp / 1e9
            assert timestamp == 0 or reach or 0.05 < late <= 3.001, f'{late} s between record and frame'

    @staticmethod
    def check_boxes(drawn, records):
        lowest, n = 1.0, 0
        for _, timestamp, found in drawn:
            if not found or timestamp not in records:
                continue
            objects = records[timestamp]['objects']
            colors = [color_of(o.get('id', o['detection']['label_id'])) for o in objects]
            boxes = [(box['x_min'] * found['width'], box['y_min'] * found['height'],
                      box['x_max'] * found['width'], box['y_max'] * found['height'])
                     for box in (thing['detection']['bounding_box'] for thing in objects)]
            for expected, color in zip(boxes, colors):
                if colors.count(color) > 1 or any(hides_an_edge(b, expected) for b in boxes if b is not expected):
                    continue
                assert color in found['reach'], f'no box {color} at {expected}'
                x0, y0, x1, y1, _ = found['reach'][color]
                share = iou(expected, (x0, y0, x1 + 1, y1 + 1))
                lowest, n = min(lowest, share), n + 1
                assert share >= 0.9, f'IoU {share:.3f}: {expected} drawn at {(x0, y0, x1 + 1, y1 + 1)}'
            # A few pixels are mixtures, where the end of a dash lies on another line.
            strange = {c: r for c, r in found['reach'].items() if r[4] > 20 and c not in colors}
            assert not strange, f'boxes that nobody published: {strange}'
        assert n >= 20, f'only {n} boxes can be judged'
        print(f'# {n} boxes on the page, lowest IoU with what was published {lowest:.4f}')
        assert n >= 12, 'too few boxes to judge'

    def a_class_is_filtered(self):
        self.browser.click('#show-zones')
        self.browser.wait_for('boxes', INK)
        self.browser.click('#classes input')
        self.browser.wait_for('the filter', NO_INK)
        self.browser.wait_for('no objects listed',
                              'return document.getElementById("objects-count").textContent === "0"')
        # None is also none of what is seen later.
        self.browser.click('#classes input')
        self.browser.click('#classes-none')
        self.browser.run('document.querySelector("#classes").replaceChildren()')
        self.browser.wait_for('rows', 'return document.querySelectorAll("#classes input").length > 0')
        assert self.browser.run('return !document.querySelector("#classes input:checked")'), 'a class came back'
        self.browser.wait_for('no boxes', NO_INK)
        # With the keyboard, too.
        self.browser.run('document.querySelector("#classes input").focus()')
        self.browser.press(' ')
        self.browser.wait_for('boxes again', INK)
        self.browser.click('#show-zones')

    def numbers_are_shown(self):
        self.browser.wait_for('zones', 'return document.querySelectorAll("#zones tr").length === 2')
        rows = self.browser.run('return [...document.querySelectorAll("#zones tr")].map('
                                '(r) => [...r.children].map((c) => c.textContent))')
        print(f'# zones: {rows}')
        assert rows[0][0] == 'plaza' and rows[1][0] == 'path'
        assert all(cell.isdigit() for cell in rows[0][1:]) and rows[1][2].isdigit()
        self.browser.wait_for('objects', 'return document.querySelectorAll("#objects li").length > 0')

    def a_frame_that_fails_ends_nothing(self):
        self.browser.run('const p = CanvasRenderingContext2D.prototype, whole = p.clearRect;'
                         'p.clearRect = () => { p.clearRect = whole; throw new Error("only once"); };')
        told = []

        def is_told():
            told.extend(self.browser.errors())
            return told
        self.server.wait_for('the error', is_told)
        assert len(told) == 1 and 'only once' in told[0], told
        shown = 'return document.getElementById("overlay").dataset.mediaTime'
        before = self.browser.run(shown)
        self.browser.wait_for('frames after it', shown + " !== arguments[0]", before)

    def pictures_are_left(self):
        browser, folder = self.browser, self.pictures
        for scheme in ('dark', 'light'):
            browser.devtools('Emulation.setEmulatedMedia',
                             features=[{'name': 'prefers-color-scheme', 'value': scheme}])
            browser.wait_for('boxes', INK)
            browser.screenshot(f'{folder}/web-{scheme}.png')
        browser.devtools('Emulation.setEmulatedMedia',
                         features=[{'name': 'prefers-color-scheme', 'value': 'dark'}])
        browser.screenshot(f'{folder}/web.png')
        browser.devtools('Emulation.setDeviceMetricsOverride', width=390, height=844, deviceScaleFactor=2,
                         mobile=True)
        browser.wait_for('boxes', INK)
        wide = browser.run('return document.documentElement.scrollWidth')
        self.boxes_lie_on_the_picture('phone')
        browser.screenshot(f'{folder}/web-phone.png')
        browser.devtools('Emulation.clearDeviceMetricsOverride')
        assert wide <= 390, f'the page is {wide} px wide on a phone of 390'

    def the_picture_fills_the_screen(self):
        self.browser.click('#full')
        self.browser.wait_for('full screen', 'return document.fullscreenElement !== null')
        self.boxes_lie_on_the_picture('full screen')
        self.browser.run('return document.exitFullscreen()')
        self.boxes_lie_on_the_picture('window again')

    def everybody_can_use_it(self):
        """Status is read out only where it was there before; what scrolls can have the focus."""
        found = self.browser.run('return [getComputedStyle(document.getElementById("notice")).display,'
                                 'document.getElementById("objects").tabIndex,'
                                 'document.getElementById("play").hasAttribute("aria-pressed")]')
        assert found[0] != 'none' and found[1:] == [0, False], found
        self.browser.click('#play')
        self.browser.wait_for('the button', 'return document.getElementById("play").textContent === "Play"')
        self.browser.click('#play')
        self.browser.wait_for('the other', 'return document.getElementById("play").textContent === "Pause"')

    def a_lost_camera_says_so(self):
        state = 'return document.querySelector("[data-key=gone] .state").textContent'
        self.browser.wait_for('the list says so', f'{state} === "no signal"')
        self.browser.run('document.querySelector("[data-key=gone] button").focus()')
        self.browser.press('\ue007')  # Enter
        self.browser.wait_for('the notice', NOTICE + '.includes("No signal since")')
        self.browser.screenshot(f'{self.pictures}/web-lost.png')
        everything = self.browser.run('return document.documentElement.outerHTML')
        assert 'hush-hush' not in everything and 'hush-hush' not in self.server.get('/cameras')[2].decode()
        self.browser.run('document.querySelector("[data-key=street] button").click()')
        self.browser.wait_for('the other one again', TIME + ' > 0 && ' + NOTICE[7:] + ' === ""')

    def a_picture_that_stands_still_says_so(self):
        """While the server answers: else that is what is said."""
        video = 'document.getElementById("video")'
        self.browser.run(f'Object.defineProperty({video}, "currentTime", '
                         '{ configurable: true, get: () => 1, set() {} })')
        self.browser.wait_for('the notice', NOTICE + '.includes("stood still since")')
        self.browser.run(f'delete {video}.currentTime')
        self.browser.wait_for('the notice goes', NOTICE + ' === ""')

    def a_server_after_a_crash_is_found(self):
        port = self.server.port
        run = json.loads(self.server.get('/cameras')[2])['run']
        # First it hangs, which no connection shows.
        self.server.process.send_signal(signal.SIGSTOP)
        self.browser.wait_for('the page says so', NOTICE + '.includes("does not answer")')
        self.server.stop(signal.SIGKILL)
        self.server = self.start(port, 'street')
        assert json.loads(self.server.get('/cameras')[2])['run'] != run
        self.browser.wait_for('the notice goes', NOTICE + ' === ""')
        before = self.browser.wait_for('video again', TIME, seconds=90)
        self.browser.wait_for('it goes on', TIME + ' > arguments[0] + 2', before)
        self.browser.wait_for('boxes again', INK)

    def a_server_without_room_says_so(self):
        self.browser.open('about:blank')
        others, answer = [], b'HTTP/1.1 200'
        while answer == b'HTTP/1.1 200':
            others.append(socket.create_connection((self.server.host, self.server.port), timeout=30))
            others[-1].sendall(b'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
            answer = others[-1].recv(12)
        assert answer == b'HTTP/1.1 503' and len(others) > 100, (answer, len(others))
        self.browser.open(self.server.url)
        self.browser.wait_for('the page says so', NOTICE + '.includes("as many viewers")')
        for other in others:
            other.close()
        self.browser.wait_for('the notice goes', NOTICE + ' === ""')

    def a_camera_that_is_gone_is_left(self):
        port = self.server.port
        self.server.stop()
        self.server = self.start(port, 'lane')
        self.browser.wait_for('another one', 'return document.getElementById("camera-title").textContent === "lane"')
        self.browser.wait_for('the notice goes', NOTICE + ' === ""')
        before = self.browser.wait_for('video again', TIME, seconds=90)
        self.browser.wait_for('it goes on', TIME + ' > arguments[0]', before)
        assert self.browser.run('return location.hash') == '#camera=lane'

    def nothing_was_complained_about(self):
        errors = self.browser.errors()
        assert not errors, f'the page complained: {errors}'

    def close(self):
        self.browser.close()
        assert self.server.stop() == 0, 'the exit status is not 0'
        with open(self.folder + '/server.log', encoding='utf-8') as log:
            text = log.read()
        assert 'hush-hush' not in text, 'a password is in the log'


def main(program, root, pictures):
    if not webdriver.is_installed():
        print('1..0 # SKIP there is no chromium with its chromedriver')
        return 0
    if not os.path.exists(CLIP):
        print(f'1..0 # SKIP there is no {CLIP}')
        return 0
    with tempfile.TemporaryDirectory(prefix='yolov7-web-') as folder:
        test = Test(program, root, pictures, folder)
        cases = [test.parts_do_what_they_say, test.video_moves, test.boxes_agree, test.numbers_are_shown, test.a_class_is_filtered,
                 test.a_frame_that_fails_ends_nothing,
                 test.pictures_are_left, test.the_picture_fills_the_screen, test.everybody_can_use_it,
                 test.a_lost_camera_says_so, test.a_picture_that_stands_still_says_so,
                 test.a_server_after_a_crash_is_found,
                 test.a_server_without_room_says_so, test.a_camera_that_is_gone_is_left,
                 test.nothing_was_complained_about]
        failed = 0
        for i, case in enumerate(cases, 1):
            name = case.__name__
            began = time.monotonic()
            try:
                case()
                print(f'# {time.monotonic() - began:.1f} s\nok {i} - {name}', flush=True)
            except AssertionError as error:
                failed += 1
                print(f'# {error}\nnot ok {i} - {name}', flush=True)
        test.close()
        print(f'1..{len(cases)}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
