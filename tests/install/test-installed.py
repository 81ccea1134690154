#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson install` leaves, used as a stranger uses it: each example is built from a copy of its folder
with pkg-config alone, runs with the installed plugin and libraries, and finds what `yolov7 detect` finds.

usage: test-installed.py BUILD_ROOT SOURCE_ROOT PREFIX LIBDIR
"""
import functools
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from scene import CLIP, DEBIAN_PYTHON, install

ENGINE_HEADERS = ['api.h', 'error.h', 'image.h', 'letterbox.h', 'yolov7.h']
META_HEADERS = ['detectionmeta.h', 'zonemeta.h']


def call(*command, **options):
    options = {'stdin': subprocess.DEVNULL, 'capture_output': True, 'text': True, 'check': False} | options
    return subprocess.run([str(word) for word in command], **options)


def run(*command, **options):
    done = call(*command, **options)
    assert done.returncode == 0, f'{command[0]}: exit status {done.returncode}: {done.stdout[-300:]}{done.stderr[-900:]}'
    return done.stdout


class Installed:
    """An installation in a folder of its own, and a shell in which a user knows of it."""

    def __init__(self, build, source, prefix, libdir, folder):
        self.build, self.source, self.folder = build, source, folder
        self.prefix = install(build, prefix, folder)
        self.libdir = f'{self.prefix}/{libdir}'
        self.final_libdir = f'{prefix}/{libdir}'
        self.model = source + '/models/pets-tiny.pt'
        # It is not at its place yet: that alone is told to pkg-config.
        shutil.copytree(self.libdir + '/pkgconfig', folder + '/pkgconfig')
        for path in glob.glob(folder + '/pkgconfig/*.pc'):
            with open(path, encoding='ascii') as f:
                text = f.read()
            assert text.startswith(f'prefix={prefix}\n'), f'{path} begins with {text[:80]!r}'
            with open(path, 'w', encoding='ascii') as f:
                f.write(text.replace(f'prefix={prefix}\n', f'prefix={self.prefix}\n', 1))
        keep = ('PATH', 'HOME', 'LANG', 'CC', 'CXX', 'TMPDIR', 'VK_ICD_FILENAMES', 'VK_DRIVER_FILES',
                'MESA_SHADER_CACHE_DIR', 'XDG_CACHE_HOME')
        self.env = {name: os.environ[name] for name in keep if name in os.environ}
        self.env |= {'PKG_CONFIG_PATH': folder + '/pkgconfig', 'LD_LIBRARY_PATH': self.libdir, 'YV_CACHE': 'off',
                     'GST_REGISTRY': folder + '/registry.bin', 'CFLAGS': '-Wall -Wextra -Werror'}
        self.env['GST_PLUGIN_PATH'] = self.pkg_config('--variable=pluginsdir', 'gst-yolov7')
        self.ppm, self.png = folder + '/street.ppm', folder + '/street.png'
        for path in (self.ppm, self.png):
            run('ffmpeg', '-v', 'error', '-i', CLIP, '-frames:v', '1', path)
        shutil.copytree(source + '/examples', folder + '/examples')

    def run(self, *command):
        return run(*command, env=self.env, cwd=self.folder)

    def call(self, *command):
        return call(*command, env=self.env, cwd=self.folder)

    def pkg_config(self, *words):
        return run('pkg-config', *words, env=self.env).strip()

    def make(self, name):
        run('make', '-C', f'{self.folder}/examples/{name}', env=self.env)
        return f'{self.folder}/examples/{name}/{name}'

    def compile(self, text, package, *flags, language='c'):
        """text: a whole program or a part of one; as a user would compile it, somewhere else."""
        source = f'{self.folder}/program.{language}'
        with open(source, 'w', encoding='ascii') as f:
            f.write(text)
        compiler = os.environ.get('CC', 'cc').split() if language == 'c' else ['c++']
        # Behind -isystem, what the headers of others say counts for nothing.
        cflags = self.pkg_config('--cflags', package).replace('-I/usr', '-isystem/usr').split()
        libs = [] if '-c' in flags else self.pkg_config('--libs', package).split()
        return self.call(*compiler, '-Wall', '-Werror', *cflags, source, '-o',
                         self.folder + '/program', *flags, *libs)

    def launch_line(self, *more):
        return ' ! '.join([f'filesrc location={self.png}', 'decodebin', 'videoconvert',
                           f'yolov7 model-file={self.model}', *more])

    def endless_line(self):
        """It finds something in noise."""
        return f'videotestsrc is-live=true pattern=snow ! yolov7 model-file={self.model}'

    @functools.cached_property
    def expected(self):
        """What the installed tool finds in the picture, a text for each object."""
        tool = f'{self.prefix}/libexec/gst-yolov7/yolov7-detect'
        record = json.loads(self.run(tool, self.model, self.png, '--json'))
        found = [f'{d["label"]} {d["confidence"]:.3f} at {d["x"]:.3f},{d["y"]:.3f} {d["w"]:.3f}x{d["h"]:.3f}'
                 for d in record['detections']]
        assert found, 'the tool finds nothing'
        return found


def refused(done, status, *words):
    assert done.returncode == status, f'exit status {done.returncode}, expected {status}: {done.stderr}'
    assert done.stdout == '', f'printed {done.stdout!r}'
    for word in words:
        assert word in done.stderr, f'{word!r} is not in {done.stderr!r}'


# ---- headers and libraries ----------------------------------------------------------------------

def each_header_compiles_alone_in_c_and_in_cpp(its):
    headers = sorted(os.listdir(its.prefix + '/include/yolov7'))
    assert headers == sorted(ENGINE_HEADERS + META_HEADERS), headers
    for header in headers:
        text = f'#include <yolov7/{header}>\n' * 2 + 'extern int some;\n'
        package = 'gst-yolov7' if header in META_HEADERS else 'yolov7'
        for language, standard in (('c', 'c11'), ('cc', 'c++17')):
            done = its.compile(text, package, '-c', '-Wpedantic', '-std=' + standard, language=language)
            assert done.returncode == 0, f'{header} in {standard}: {done.stderr[-600:]}'


def a_cpp_program_links(its):
    done = its.compile('''#include <yolov7/yolov7.h>
        int main () {
          GError *error = nullptr;
          YvEngineOptions options = {};
          YvStreamOptions settings = YV_STREAM_DEFAULTS;
          options.model_file = "/none.pt";
          YvEngine *engine = yv_engine_new (&options, &error);
          return engine || !g_error_matches (error, YV_ERROR, YV_ERROR_IO) || settings.max_detections != 300;
        }''', 'yolov7', '-std=c++20', language='cc')
    assert done.returncode == 0, done.stderr
    its.run(its.folder + '/program')


def declared(its, headers):
    """The functions that headers declare."""
    found = set()
    for header in headers:
        with open(f'{its.prefix}/include/yolov7/{header}', encoding='ascii') as f:
            text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.DOTALL)
        for mark, name in re.findall(r'^(YV_API )?[A-Za-z][\w *]*?\b((?:yv|gst_yolov7)_\w+) \(', text, re.MULTILINE):
            assert mark, f'{header}: {name} is not marked YV_API'
            found.add(name)
    return found


def exported(path):
    return set(re.findall(r' [B-Z] ([\w@.]+)$', run('nm', '-D', '--defined-only', path), re.MULTILINE))


def what_is_exported_is_what_headers_declare(its):
    for name, headers in (('libyolov7.so', ENGINE_HEADERS), ('libyolov7meta.so', META_HEADERS)):
        # Each has the version that its library's soname names.
        ours, theirs = {f'{word}@@{name}.0' for word in declared(its, headers)}, exported(f'{its.libdir}/{name}')
        assert len(ours) > 10, f'{name}: {ours}'
        assert ours == theirs, f'{name}: only in headers {ours - theirs}, only exported {theirs - ours}'
    entry = exported(its.env['GST_PLUGIN_PATH'] + '/libgstyolov7.so')
    assert entry == {'gst_plugin_yolov7_get_desc', 'gst_plugin_yolov7_register'}, entry


def what_is_inside_stays_inside(its):
    for name in ('yv_engine_bench', 'yv_plan_new', 'yv_json_check', 'gst_yolov7_round_side'):
        package = 'yolov7' if name.startswith('yv') else 'gst-yolov7'
        done = its.compile(f'extern void {name} (void); int main (void) {{ {name} (); return 0; }}', package)
        assert done.returncode != 0 and 'undefined reference' in done.stderr, f'{name}: {done.stderr}'


def libraries_have_versions(its):
    version = its.pkg_config('--modversion', 'yolov7')
    assert version == its.pkg_config('--modversion', 'gst-yolov7')
    done = its.compile('''#include <yolov7/yolov7.h>
        #include <stdio.h>
        #if !YV_CHECK_VERSION (0, 0, 9) || !YV_CHECK_VERSION (YV_VERSION_MAJOR, YV_VERSION_MINOR, YV_VERSION_MICRO)
        #error older than it is
        #endif
        #if YV_CHECK_VERSION (YV_VERSION_MAJOR, YV_VERSION_MINOR, YV_VERSION_MICRO + 1) || \\
            YV_CHECK_VERSION (YV_VERSION_MAJOR, YV_VERSION_MINOR + 1, 0) || YV_CHECK_VERSION (YV_VERSION_MAJOR + 1, 0, 0)
        #error newer than it is
        #endif
        int main (void) {
          printf ("%d.%d.%d %s", YV_VERSION_MAJOR, YV_VERSION_MINOR, YV_VERSION_MICRO, yv_version ());
          return 0;
        }''', 'yolov7')
    assert done.returncode == 0, done.stderr
    assert its.run(its.folder + '/program') == f'{version} {version}', 'engine/api.h and meson.build differ'
    for name in ('libyolov7.so', 'libyolov7meta.so'):
        soname = re.search(r'SONAME\).*\[(.*)\]', run('readelf', '-d', f'{its.libdir}/{name}')).group(1)
        assert re.fullmatch(re.escape(name) + r'\.\d+', soname), soname
        assert os.path.realpath(f'{its.libdir}/{soname}').endswith(f'{name}.{version}')


def the_build_is_forgotten(its):
    """No file names a folder of this machine; debugging information, which packages take away, may."""
    n = 0
    for folder, _, names in os.walk(its.folder + '/root'):
        for path in (os.path.join(folder, name) for name in names):
            if os.path.islink(path):
                continue
            with open(path, 'rb') as f:
                content = f.read()
            if content.startswith(b'\x7fELF'):
                n += 1
                dynamic = run('readelf', '-d', path)
                paths = re.findall(r'R(?:UN)?PATH\).*\[(.*)\]', dynamic)
                assert paths in ([], [its.final_libdir]), f'{path} looks for libraries in {paths}'
                run('objcopy', '--strip-debug', path, its.folder + '/stripped')
                with open(its.folder + '/stripped', 'rb') as f:
                    content = f.read()
            for place in (its.build, its.source):
                assert place.encode() not in content, f'{path} names {place}'
    assert n >= 5, f'{n} programs and libraries'


def the_plugin_finds_its_metadata(its):
    needed = run('readelf', '-d', its.env['GST_PLUGIN_PATH'] + '/libgstyolov7.so')
    assert 'libyolov7meta.so.0' in needed and 'libyolov7.so' not in needed, needed
    listed = its.run('gst-inspect-1.0', 'yolov7tracker')
    assert its.env['GST_PLUGIN_PATH'] in listed, listed[:600]
    assert 'yolov7' not in its.run('gst-inspect-1.0', '--print-blacklist')


def links_lead_to_what_is_installed(its):
    n = 0
    for path in glob.glob(its.prefix + '/share/doc/gst-yolov7/**/*.md', recursive=True):
        with open(path, encoding='utf-8') as f:
            links = re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', f.read())
        for link in links:
            n += 1
            assert os.path.exists(os.path.join(os.path.dirname(path), link)), f'{path}: {link} is not there'
    assert n > 40, f'{n} links'


def units_name_what_is_installed(its):
    """Under a prefix of its own, too: the program, the plugin, and /etc for what an administrator writes."""
    paths = glob.glob(its.prefix + '/lib/systemd/system/*.service')
    programs = {re.search(r'(yolov7-[a-z-]+)', os.path.basename(path))[1] for path in paths}
    installed = {os.path.basename(path) for path in glob.glob(its.prefix + '/bin/yolov7-*')}
    assert programs == installed, f'units of {programs}, programs {installed}'
    final_prefix = its.prefix.removeprefix(its.folder + '/root')
    plugins = '' if final_prefix == '/usr' else f' GST_PLUGIN_PATH={its.final_libdir}/gstreamer-1.0'
    for path in paths:
        with open(path, encoding='ascii') as f:
            text = f.read()
        assert f'\nExecStart={final_prefix}/bin/yolov7-' in text, path
        assert re.search(r'\nConditionPathExists=/etc/gst-yolov7/', text), path
        assert re.search(rf'\nEnvironment=XDG_CACHE_HOME=%C/[a-z0-9%-]+{re.escape(plugins)}\n', text), path
        assert '@' not in text.replace('yolov7-fleet@', '').replace('@system-service', ''), path


# ---- examples -----------------------------------------------------------------------------------

def embed_engine_finds_what_the_tool_finds(its):
    program = its.make('embed-engine')
    expected = [f'{its.ppm}: {text}' for text in its.expected]
    assert its.run(program, its.model, its.ppm, its.ppm).splitlines() == 2 * expected


def embed_engine_needs_no_gstreamer(its):
    libraries = its.run('ldd', its.make('embed-engine'))
    assert its.libdir + '/libyolov7.so.0' in libraries and 'gst' not in libraries, libraries
    assert its.build not in libraries, libraries


def refuses_a_full_disk(its, *command):
    done = its.call('sh', '-c', '"$@" >/dev/full', 'sh', *command)
    refused(done, 1, 'No space left on device')


def embed_engine_says_what_is_wrong(its):
    program = its.make('embed-engine')
    refuses_a_full_disk(its, program, its.model, its.ppm)
    pictures = {'P5': b'P5 2 2 255 abcd', 'nothing': b'', 'cut short': b'P6 2 2 255 abc',
                'sides': b'P6 0 2 255 abc', 'too wide': b'P6 99999 1 255 abc', 'huge': b'P6 4294967297 1 255 abc',
                '16 bits': b'P6 1 1 65535 abcdef', 'half a header': b'P6 #', 'no header': b'P6'}
    for name, content in pictures.items():
        with open(its.folder + '/bad.ppm', 'wb') as f:
            f.write(content)
        done = its.call(program, its.model, 'bad.ppm')
        refused(done, 1, 'embed-engine: bad.ppm: ')
        assert re.search('expected|P6', done.stderr), f'{name}: {done.stderr}'
    with open(its.ppm, 'rb') as good, open(its.folder + '/commented.ppm', 'wb') as f:
        f.write(good.read().replace(b'\n', b'\n# a comment 1 2 3\n', 1))
    same = its.run(program, its.model, 'commented.ppm').replace('commented.ppm', its.ppm)
    assert same == its.run(program, its.model, its.ppm), same
    refused(its.call(program), 2, 'usage: ')
    refused(its.call(program, its.model), 2, 'usage: ')
    refused(its.call(program, 'none.pt', its.ppm), 1, 'none.pt', 'No such file')
    refused(its.call(program, its.ppm, its.ppm), 1, its.ppm)
    refused(its.call(program, its.model, 'none.ppm'), 1, 'none.ppm')
    refused(its.call('env', 'DEVICE=none-such', program, its.model, its.ppm), 1, 'none-such')


def embed_appsink_finds_what_the_tool_finds(its):
    program = its.make('embed-appsink')
    expected = its.expected
    assert its.run(program, its.launch_line()).splitlines() == ['0.000 ' + text for text in expected]
    tracked = its.run(program, its.launch_line('yolov7tracker', 'videoscale', 'videoconvert')).splitlines()
    assert len(tracked) == len(expected), tracked
    for line, text in zip(tracked, expected):
        assert re.fullmatch(re.escape('0.000 ' + text) + r' id \d+', line), f'{line!r} after {text!r}'


def embed_appsink_says_what_is_wrong(its):
    program = its.make('embed-appsink')
    refused(its.call(program), 2, 'usage: ')
    refused(its.call(program, 'videotestsrc', 'fakesink'), 2, 'usage: ')
    refused(its.call(program, 'videotestsrc ! yolov7 mode-file=x'), 1, 'mode-file')
    refused(its.call(program, 'videotestsrc ! yolov8'), 1, 'yolov8')
    refused(its.call(program, 'videotestsrc ! yolov7 model-file=none.pt'), 1, 'none.pt')
    refused(its.call(program, 'videotestsrc ! yolov7'), 1, 'model-file')
    refused(its.call(program, 'filesrc location=none.mp4 ! decodebin ! videoconvert'), 1, 'none.mp4')
    refuses_a_full_disk(its, program, its.endless_line())
    assert its.run(program, 'videotestsrc num-buffers=2') == '', 'nobody analysed these'


def ends_when_interrupted(its, *command):
    """It prints into a pipe as it goes, and SIGINT and SIGTERM are the end of the stream."""
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([*command, its.endless_line()], env=its.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        process.send_signal(number)
        _, said = process.communicate()
        assert ' person ' in first, f'{first!r} {said}'
        assert process.returncode == 0, f'exit status {process.returncode}: {said}'


def embed_appsink_ends_when_interrupted(its):
    ends_when_interrupted(its, its.make('embed-appsink'))


def python_reads_our_metadata(its):
    script = its.folder + '/examples/python/read_detections.py'
    expected = its.expected
    assert its.run(DEBIAN_PYTHON, script, its.launch_line()).splitlines() == ['0.000 ' + text for text in expected]
    tracked = its.run(DEBIAN_PYTHON, script, its.launch_line('yolov7tracker')).splitlines()
    assert len(tracked) == len(expected) and all(re.search(r' id \d+$', line) for line in tracked), tracked
    refused(its.call(DEBIAN_PYTHON, script), 2, 'usage: ')
    refused(its.call(DEBIAN_PYTHON, script, 'videotestsrc ! yolov8'), 1, 'yolov8')
    refused(its.call(DEBIAN_PYTHON, script, 'filesrc location=none.mp4 ! decodebin ! videoconvert'), 1, 'none.mp4')
    refused(its.call(DEBIAN_PYTHON, script, 'videotestsrc ! yolov7 model-file=none.pt'), 1, 'none.pt')
    assert its.run(DEBIAN_PYTHON, script, 'videotestsrc num-buffers=2') == ''
    refuses_a_full_disk(its, DEBIAN_PYTHON, script, its.endless_line())


def python_reads_what_c_reads(its):
    frames = its.folder + '/frames.rgb'
    run('ffmpeg', '-v', 'error', '-i', CLIP, '-frames:v', '3', '-vf', 'scale=384:288', '-pix_fmt', 'rgb24', '-f', 'rawvideo',
        frames)
    raw, finds = f'filesrc blocksize={384 * 288 * 3} location={frames}', f'yolov7 model-file={its.model}'
    timed = f'{raw} ! rawvideoparse format=rgb width=384 height=288 framerate=10/1'
    lines = {
        'two that analyse': f'{timed} ! {finds} ! {finds} max-detections=1',
        'buffers with times of others': f'{timed} ! {finds} max-detections=1 ! videorate rate=0.5 skip-to-first=true',
        'predictions': f'{timed} ! {finds} inference-interval=2 ! yolov7tracker',
        'no times': f'{raw} ! video/x-raw,format=RGB,width=384,height=288,framerate=0/1 ! {finds}',
    }
    program, script = its.make('embed-appsink'), its.folder + '/examples/python/read_detections.py'
    read = {name: its.run(DEBIAN_PYTHON, script, line).splitlines() for name, line in lines.items()}
    for name, line in lines.items():
        assert read[name] == its.run(program, line).splitlines(), f'{name}: {read[name]}'
    times = {name: {text.split()[0] for text in texts} for name, texts in read.items()}
    assert len(set(read['two that analyse'])) < len(read['two that analyse']), read['two that analyse']
    assert times['buffers with times of others'] == {'0.000', '0.100', '0.200'}, times
    assert any(re.search(r' id \d+ predicted$', text) for text in read['predictions']), read['predictions']
    assert times['no times'] == {'-1.000'}, times


def python_ends_when_interrupted(its):
    ends_when_interrupted(its, DEBIAN_PYTHON, its.folder + '/examples/python/read_detections.py')


def has_analytics():
    return call('pkg-config', '--exists', 'gstreamer-analytics-1.0').returncode == 0


def python_reads_gstanalytics(its):
    script = its.folder + '/examples/python/read_detections.py'
    found = its.run(DEBIAN_PYTHON, script, '--analytics', its.launch_line()).splitlines()
    numbers = [[float(number) for number in re.findall(r'\d+\.\d+', line)] for line in found]
    expected = [[0.0] + [float(number) for number in re.findall(r'\d+\.\d+', text)] for text in its.expected]
    tracked = its.run(DEBIAN_PYTHON, script, '--analytics', its.launch_line('yolov7tracker')).splitlines()
    ids = [re.search(r' id (\d+)$', line) for line in tracked]
    assert len(ids) == len(expected) and all(ids) and len({found[1] for found in ids}) == len(ids), tracked
    assert len(numbers) == len(expected), found
    for ours, theirs in zip(numbers, expected):
        assert max(abs(a - b) for a, b in zip(ours, theirs)) <= 1.0, f'{ours}, expected {theirs} but for rounding'


def python_says_that_gstanalytics_is_not_there(its):
    script = its.folder + '/examples/python/read_detections.py'
    refused(its.call(DEBIAN_PYTHON, script, '--analytics', 'videotestsrc'), 1, 'GStreamer 1.24')


def both_libraries_live_in_one_process(its):
    """An engine in the program, and another one in the plugin that it loads: neither sees the other's."""
    done = its.compile('''#include <yolov7/yolov7.h>
        #include <yolov7/detectionmeta.h>
        #include <yolov7/zonemeta.h>
        int main (int argc, char **argv) {
          const YvEngineOptions options = {.model_file = argv[1]};
          g_autoptr (GError) error = NULL;
          g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
          g_autoptr (GstBuffer) buffer = NULL;
          const GstYolov7Frame frame = {32, 32, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE};
          const GstYolov7Detection one = {.x = 1, .w = 2, .h = 3, .id = -1, .label = "cat"};
          gst_init (&argc, &argv);
          buffer = gst_buffer_new ();
          gst_yolov7_zones_register ();
          gst_yolov7_detections_attach (buffer, &frame, &one, 1, GST_YOLOV7_META_ROI); /* before the plugin */
          g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
          g_autoptr (GstElement) element = gst_element_factory_make ("yolov7", NULL);
          if (!engine || !element || !gst_yolov7_detections_read (buffer, found) || found->len != 1)
            return 1;
          g_object_set (gst_object_ref_sink (element), "model-file", argv[1], NULL);
          const gboolean ok = gst_element_set_state (element, GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE;
          gst_element_set_state (element, GST_STATE_NULL);
          return !ok;
        }''', 'gst-yolov7 yolov7')
    assert done.returncode == 0, done.stderr
    its.env['G_DEBUG'] = 'fatal-warnings'
    its.run(its.folder + '/program', its.model)
    del its.env['G_DEBUG']


def registering_too_early_spoils_nothing(its):
    """Before gst_init() it is refused; after that it works."""
    done = its.compile('''#include <yolov7/detectionmeta.h>
        #include <yolov7/zonemeta.h>
        int main (int argc, char **argv) {
          const GstYolov7Frame frame = {32, 32, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE};
          gst_yolov7_detections_register ();
          gst_yolov7_zones_register ();
          gst_init (&argc, &argv);
          g_autoptr (GstBuffer) buffer = gst_buffer_new ();
          gst_yolov7_detections_attach (buffer, &frame, NULL, 0, 0);
          gst_yolov7_zones_attach (buffer, NULL, 0);
          return !gst_buffer_get_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME) ||
            !gst_buffer_get_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME);
        }''', 'gst-yolov7')
    assert done.returncode == 0, done.stderr
    done = its.call(its.folder + '/program')
    assert done.returncode == 0 and done.stderr.count('gst_is_initialized') == 2, f'{done.returncode}: {done.stderr}'


# ---- all of it ----------------------------------------------------------------------------------

def main():
    tests = [each_header_compiles_alone_in_c_and_in_cpp, a_cpp_program_links, what_is_exported_is_what_headers_declare,
             what_is_inside_stays_inside, libraries_have_versions, the_build_is_forgotten, the_plugin_finds_its_metadata,
             units_name_what_is_installed, links_lead_to_what_is_installed,
             embed_engine_finds_what_the_tool_finds, embed_engine_needs_no_gstreamer, embed_engine_says_what_is_wrong,
             embed_appsink_finds_what_the_tool_finds, embed_appsink_says_what_is_wrong, embed_appsink_ends_when_interrupted,
             both_libraries_live_in_one_process, registering_too_early_spoils_nothing, python_reads_our_metadata, python_reads_what_c_reads,
             python_ends_when_interrupted,
             python_reads_gstanalytics if has_analytics() else python_says_that_gstanalytics_is_not_there]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        its = Installed(*sys.argv[1:5], folder)
        for n, check in enumerate(tests, 1):
            name = check.__name__.replace('_', ' ')
            try:
                check(its)
                print(f'ok {n} - {name}', flush=True)
            except AssertionError as e:
                print('\n'.join('# ' + line for line in str(e).splitlines()))
                print(f'not ok {n} - {name}', flush=True)
                failed = 1
    print(f'1..{len(tests)}')
    return failed


sys.exit(main())
