#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads from Python what the elements put on buffers, and prints a line for each object.

usage: read_detections.py [--analytics] 'SOURCE ! ... ! yolov7 model-file=MODEL'

Debian: python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0, and for --analytics (GStreamer >= 1.24)
gir1.2-gst-plugins-bad-1.0. Where the plugin is in no folder that GStreamer knows:
GST_PLUGIN_PATH=$(pkg-config --variable=pluginsdir gst-yolov7)

What works with the bindings of GStreamer 1.22, and what does not:
* buffer.get_custom_meta ('GstYolov7Detections').get_structure (), and from it every field. It asks
  for the meta by name, which must be registered: once an element of ours exists it is, so look in a
  probe or a handler, as here. For a name that is not there it logs a critical and gives None.
* That is the first of them, and there is no other way to ask. Where several elements analyse, each has left one:
  take them from a copy that has nothing but metadata, one after the other, as here.
* A field that is an array, with python3-gst-1.0: structure['detections'] is a sequence of structures.
  Without that package get_value () says "unknown type GstValueArray"; structure.get_array ('detections')
  gives a GObject.ValueArray, whose get_nth (i) works and is deprecated.
* Structures borrow from the buffer: make plain values of them before the handler returns, as here.
* What is not there before 1.24: GstAnalytics, and so --analytics.
SIGINT and SIGTERM end the stream; a second one ends the program.
Exit status: 0 at the end of the stream, 1 where something failed, 2 for wrong arguments.
"""
import os
import signal
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402

NAME = 'GstYolov7Detections'
UNKNOWN = {'label': 'object', 'confidence': -1, 'objectness': -1, 'class-index': -1, 'id': -1, 'predicted': False}


def structures(buffer):
    """Each of ours, as long as the caller looks at no other."""
    metadata = buffer.copy_region(Gst.BufferCopyFlags.META, 0, buffer.get_size())
    meta = metadata.get_custom_meta(NAME)
    while meta:
        yield meta.get_structure()
        if not metadata.remove_meta(meta.meta):
            raise RuntimeError(f'{NAME} could not be taken from a copy')
        meta = metadata.get_custom_meta(NAME)


def read_ours(buffer):
    """The time of the frame that was analysed, which may be an earlier one, and a dict for each object. None for
    these where nobody analysed it."""
    pts, found = Gst.CLOCK_TIME_NONE, None
    for structure in structures(buffer):
        if found is None:
            pts, found = structure['frame-pts'], []
        for d in structure['detections']:
            known = {field: d[field] for field in UNKNOWN if d.has_field(field)}
            found.append(UNKNOWN | known | {side: d[side] for side in ('x', 'y', 'w', 'h')})
    return (buffer.pts if pts == Gst.CLOCK_TIME_NONE else pts), found


def take_track(relations, od, tracks):
    """The id that a tracker gave the object, and whether it has lost it; -1: none did. Tracks are mostly in the
    order of their objects. (get_direct_related () works, too, but its state makes the bindings warn.)"""
    for n, track in enumerate(tracks):
        if relations.get_relation(od.id, track.id) & GstAnalytics.RelTypes.RELATE_TO:
            _, track_id, _first_seen, _last_seen, is_lost = tracks.pop(n).get_info()
            return track_id, is_lost
    return -1, False


def read_analytics(buffer):
    """The same of GStreamer's own meta: boxes are whole pixels there, and the time is the buffer's."""
    relations = GstAnalytics.buffer_get_analytics_relation_meta(buffer)
    if not relations:
        return buffer.pts, None
    every = range(GstAnalytics.relation_get_length(relations))
    tracks = [track for is_track, track in map(relations.get_tracking_mtd, every) if is_track]
    found = []
    for is_object, od in map(relations.get_od_mtd, every):
        if not is_object:
            continue
        _, x, y, w, h, confidence = od.get_location()
        track_id, is_lost = take_track(relations, od, tracks)
        found.append(UNKNOWN | {
            'label': GLib.quark_to_string(od.get_obj_type()), 'confidence': confidence, 'x': x, 'y': y, 'w': w, 'h': h,
            'id': track_id, 'predicted': is_lost})
    return buffer.pts, found


def print_objects(pts, found):
    seconds = -1 if pts == Gst.CLOCK_TIME_NONE else pts / Gst.SECOND
    for d in found:
        tracked = f' id {d["id"]}' if d['id'] >= 0 else ''
        predicted = ' predicted' if d['predicted'] else ''
        print(f'{seconds:.3f} {d["label"]} {d["confidence"]:.3f} '
              f'at {d["x"]:.3f},{d["y"]:.3f} {d["w"]:.3f}x{d["h"]:.3f}{tracked}{predicted}', flush=True)


class Player:
    """Plays a pipeline to its end, or until something fails."""

    def __init__(self, pipeline, read):
        self.pipeline, self.read = pipeline, read
        self.loop, self.wrong = GLib.MainLoop(), None
        pipeline.get_by_name('out').connect('handoff', self.handle)
        bus = pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect('message::eos', lambda _bus, _message: self.loop.quit())
        bus.connect('message::error', self.handle_error)
        for number in (signal.SIGINT, signal.SIGTERM):
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, self.end_stream)

    def fail(self, wrong):
        """On any thread. The first failure is the one that is told."""
        self.wrong = self.wrong or wrong
        GLib.idle_add(self.loop.quit)

    def handle(self, _sink, buffer, _pad):
        """On the streaming thread, where nobody sees an exception."""
        if self.wrong:
            return
        try:
            pts, found = self.read(buffer)
            print_objects(pts, found or [])
        except Exception as e:  # pylint: disable=broad-except
            self.fail(repr(e))

    def handle_error(self, _bus, message):
        error, details = message.parse_error()  # details tell such things as the name of a file
        self.fail(f'{message.src.get_name()}: {error.message}\n{details}')

    def end_stream(self):
        """What elements hold back still comes out."""
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    def play(self):
        """What went wrong, or None."""
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        return self.wrong


def main(arguments):
    global GstAnalytics
    read = read_ours
    if arguments[:1] == ['--analytics']:
        arguments, read = arguments[1:], read_analytics
        try:
            gi.require_version('GstAnalytics', '1.0')
            from gi.repository import GstAnalytics
        except ValueError:
            print('read_detections: GstAnalytics is not there: it comes with GStreamer 1.24, in Debian as '
                  'gir1.2-gst-plugins-bad-1.0', file=sys.stderr)
            return 1
    if len(arguments) != 1:
        print("usage: read_detections.py [--analytics] 'SOURCE ! ... ! yolov7 model-file=MODEL'", file=sys.stderr)
        return 2
    Gst.init(None)
    try:
        pipeline = Gst.parse_launch_full(
            arguments[0] + ' ! fakesink name=out sync=false signal-handoffs=true', None, Gst.ParseFlags.FATAL_ERRORS)
    except GLib.Error as error:
        print(f'read_detections: {error.message}', file=sys.stderr)
        return 1
    wrong = Player(pipeline, read).play()
    if wrong:
        print(f'read_detections: {wrong}', file=sys.stderr)
        # What could not be printed would be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
