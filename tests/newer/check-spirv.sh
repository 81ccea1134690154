#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The SPIR-V in shaders/spirv/ is what Debian 13's glslang makes of the sources, and valid.
set -u
cd "$(dirname "$0")/../.." || exit 1
scripts/trixie.sh folder >/dev/null || { echo "1..0 # SKIP no Debian 13 here: run scripts/trixie.sh make"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

n=0 failed=0
check() { # check NAME COMMAND...: passes where it succeeds
  n=$((n + 1))
  if "${@:2}" >"$folder/out" 2>&1; then
    echo "ok $n - $1"
  else
    head -20 "$folder/out" | sed 's/^/# /'
    echo "not ok $n - $1"
    failed=1
  fi
}

compile() ( # into the folder that the caller is in
  root=$PWD
  cd "$folder" && "$root/scripts/update-spirv.sh" .
)
check "the sources compile" compile
for header in shaders/spirv/*.spv.h; do
  name=$(basename "$header" .spv.h)
  check "$name is current; else run scripts/update-spirv.sh" diff "$header" "$folder/$name.spv.h"
  python3 - "$header" "$folder/$name.spv" <<'PYTHON'
import re, struct, sys
words = [int(word, 16) for word in re.findall(r"0x[0-9a-f]{8}", open(sys.argv[1]).read())]
open(sys.argv[2], "wb").write(struct.pack("<%dI" % len(words), *words))
PYTHON
  version=vulkan1.2
  [ "$name" != conv_coopmat2_f16 ] || version=vulkan1.3
  check "$name is valid" scripts/trixie.sh run spirv-val --target-env $version "$folder/$name.spv"
done
echo "1..$n"
exit $failed
