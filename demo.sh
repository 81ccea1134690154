#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Finds pedestrians in a real CCTV clip: installs what is missing, builds, runs the main job.
# The result: demo-out/vtest.mp4 with boxes, and demo-out/contact-sheet.png of six frames.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

# shellcheck disable=SC2086
install $build_packages $run_packages opencv-doc ffmpeg
build build

find_clip

say "looking for pedestrians in $clip (768x576, 795 frames)"
rm -rf demo-out
./build/tools/yolov7 detect models/pets-tiny.pt "$clip" --output demo-out
video=$(ls "$PWD"/demo-out/vtest.*)

say "six frames as a contact sheet"
ffmpeg -v error -y -i "$video" -vf "select='eq(mod(n,132),66)',scale=640:-1,tile=3x2" \
  -frames:v 1 demo-out/contact-sheet.png || die "ffmpeg could not read $video"

cat <<END

Done. Look at
  $video           the clip with boxes
  $PWD/demo-out/contact-sheet.png   six frames of it

The same as a pipeline of your own:
  export GST_PLUGIN_PATH="$PWD/build/gst"
  gst-launch-1.0 filesrc location="$clip" ! decodebin ! videoconvert \\
    ! yolov7 model-file="$PWD/models/pets-tiny.pt" ! yolov7overlay ! videoconvert ! autovideosink
END
