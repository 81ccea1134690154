#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Finds pedestrians in a real CCTV clip: installs what is missing, builds, runs the main job.
# The result: demo-out/vtest.mp4 with boxes, and demo-out/contact-sheet.png of six frames.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

# shellcheck disable=SC2086
install $build_packages $run_packages opencv-doc ffmpeg
build build

clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
[ -f "$clip" ] || die "the clip $clip of Debian's package opencv-doc is missing: apt-get install --reinstall opencv-doc
(a system that leaves documentation out, see /etc/dpkg/dpkg.cfg.d, needs: path-include=/usr/share/doc/opencv-doc/*)"

say "looking for pedestrians in $clip (768x576, 795 frames)"
mkdir -p demo-out
./build/tools/yolov7 detect models/pets-tiny.pt "$clip" --output demo-out

say "six frames as a contact sheet"
ffmpeg -v error -y -i demo-out/vtest.mp4 -vf "select='eq(mod(n,132),66)',scale=640:-1,tile=3x2" \
  -frames:v 1 demo-out/contact-sheet.png || die "ffmpeg could not read demo-out/vtest.mp4"

cat <<END

Done. Look at
  $PWD/demo-out/vtest.mp4           the clip with boxes
  $PWD/demo-out/contact-sheet.png   six frames of it

The same as a pipeline of your own:
  export GST_PLUGIN_PATH=$PWD/build/gst
  gst-launch-1.0 filesrc location=$clip ! decodebin ! videoconvert \\
    ! yolov7 model-file=$PWD/models/pets-tiny.pt ! yolov7overlay ! videoconvert ! autovideosink
END
