#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Watches a real CCTV clip: installs what is missing, builds, then finds pedestrians, follows them, and
# counts who crosses a line and who is inside a zone.
# The result: demo-out/vtest.mp4 with all of it drawn, demo-out/contact-sheet.png of six frames, and
# demo-out/vtest.jsonl, a JSON record for each frame.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/scripts/setup.sh"

# shellcheck disable=SC2086
install $build_packages $run_packages opencv-doc ffmpeg
build build

find_clip

rm -rf demo-out
mkdir demo-out
cat >demo-out/zones.json <<'END'
{
  "zones": [{"name": "crossing", "polygon": [[0.30, 0.35], [0.75, 0.30], [0.95, 0.60], [0.45, 0.75]]}],
  "lines": [{"name": "gate", "from": [0.02, 0.95], "to": [0.98, 0.55]}]
}
END

say "following pedestrians in $clip (768x576, 795 frames)"
export GST_PLUGIN_PATH=$PWD/build/gst
gst-launch-1.0 -q filesrc location="$clip" ! decodebin ! videoconvert \
  ! yolov7 model-file=models/pets-tiny.pt ! yolov7tracker zones=demo-out/zones.json \
  ! yolov7publish file-path=demo-out/vtest.jsonl file-format=json-lines source=vtest \
  ! yolov7overlay tail-length=3000000000 draw-statistics=true \
  ! videoconvert ! x264enc speed-preset=veryfast ! mp4mux ! filesink location=demo-out/vtest.mp4

say "six frames as a contact sheet"
ffmpeg -v error -y -i demo-out/vtest.mp4 -vf "select='eq(mod(n,132),66)',scale=640:-1,tile=3x2" \
  -frames:v 1 demo-out/contact-sheet.png || die "ffmpeg could not read demo-out/vtest.mp4"

say "what was counted, in the last record"
tail -n 1 demo-out/vtest.jsonl | grep -o '"zones":.*\]' || die "the last of $(wc -l <demo-out/vtest.jsonl) records tells no zones"

cat <<END

Done. Look at
  $PWD/demo-out/vtest.mp4           the clip with boxes, ids, tails and counts
  $PWD/demo-out/contact-sheet.png   six frames of it
  $PWD/demo-out/vtest.jsonl         what was seen: a record for each frame

The same in a window:
  export GST_PLUGIN_PATH="$PWD/build/gst"
  gst-launch-1.0 filesrc location="$clip" ! decodebin ! videoconvert \\
    ! yolov7 model-file="$PWD/models/pets-tiny.pt" ! yolov7tracker ! yolov7overlay tail-length=3000000000 \\
    ! videoconvert ! autovideosink

Boxes alone, of any files: build/tools/yolov7 detect models/pets-tiny.pt FILES --output out
END
