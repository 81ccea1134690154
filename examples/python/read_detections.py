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
* A field that is an array, with python3-gst-1.0: structure['detections'] is a sequence of structures.
  Without that package get_value () says "unknown type GstValueArray"; structure.get_array ('detections')
  gives a GObject.ValueArray, whose get_nth (i) works and is deprecated.
* Structures borrow from the buffer: make plain values of them before the handler returns, as here.
* What is not there before 1.24: GstAnalytics, and so --analytics.
Exit status: 0 at the end of the stream, 1 where something failed, 2 for wrong arguments.
"""
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402


def read_ours(buffer):
    """A dict for each object; None where nobody analysed the frame."""
    meta = buffer.get_custom_meta('GstYolov7Detections')
    if not meta:
        return None
    fields = ('label', 'confidence', 'x', 'y', 'w', 'h', 'id')
    return [{field: d[field] for field in fields} for d in meta.get_structure()['detections']]


def read_analytics(buffer):
    """The same of GStreamer's own meta: boxes are whole pixels there, and there is no id without a tracker."""
    relations = GstAnalytics.buffer_get_analytics_relation_meta(buffer)
    if not relations:
        return None
    found = []
    for i in range(GstAnalytics.relation_get_length(relations)):
        is_object, od = relations.get_od_mtd(i)
        if not is_object:
            continue
        _, x, y, w, h, confidence = od.get_location()
        label = GLib.quark_to_string(od.get_obj_type())
        found.append({'label': label, 'confidence': confidence, 'x': x, 'y': y, 'w': w, 'h': h, 'id': -1})
    return found


def print_objects(pts, found):
    for d in found:
        tracked = f' id {d["id"]}' if d['id'] >= 0 else ''
        print(f'{pts / Gst.SECOND:.3f} {d["label"]} {d["confidence"]:.3f} '
              f'at {d["x"]:.3f},{d["y"]:.3f} {d["w"]:.3f}x{d["h"]:.3f}{tracked}')


def play(pipeline):
    """What went wrong, or None."""
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.EOS:
        return None
    error, details = message.parse_error()  # details tell such things as the name of a file
    return f'{message.src.get_name()}: {error.message}\n{details}'


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
    failures = []

    def handoff(_sink, buffer, _pad):
        # An exception in a handler ends nothing by itself.
        try:
            print_objects(buffer.pts, read(buffer) or [])
        except Exception as e:  # pylint: disable=broad-except
            failures.append(repr(e))
    try:
        pipeline = Gst.parse_launch_full(
            arguments[0] + ' ! fakesink name=out sync=false signal-handoffs=true', None, Gst.ParseFlags.FATAL_ERRORS)
    except GLib.Error as error:
        print(f'read_detections: {error.message}', file=sys.stderr)
        return 1
    pipeline.get_by_name('out').connect('handoff', handoff)
    wrong = play(pipeline) or (failures[0] if failures else None)
    if wrong:
        print(f'read_detections: {wrong}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
