#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An RTSP server on a free port of 127.0.0.1, which it prints: /stream plays a clip to whoever comes, from
its beginning, and /street takes a stream and writes its pictures, decoded, to a file.

usage: rtsp-server.py CLIP PUBLISHED
"""
import sys

import gi
gi.require_version('Gst', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main(clip, published):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address('127.0.0.1')
    server.set_service('0')
    camera = GstRtspServer.RTSPMediaFactory()
    camera.set_launch(f'( filesrc location={clip} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )')
    taker = GstRtspServer.RTSPMediaFactory()
    taker.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    taker.set_launch(f'( rtph264depay name=depay0 ! h264parse ! avdec_h264 ! filesink buffer-mode=2 location={published} )')
    server.get_mount_points().add_factory('/stream', camera)
    server.get_mount_points().add_factory('/street', taker)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main(*sys.argv[1:3])
