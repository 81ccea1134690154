#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiles the shaders that Debian 12's glslang cannot, with Debian 13's, into shaders/spirv/.
#   scripts/update-spirv.sh [FOLDER]    into FOLDER instead, for tests/newer/ to compare
set -euo pipefail
root=$(dirname "${BASH_SOURCE[0]}")/..
folder=$(realpath "${1:-$root/shaders/spirv}")
cd "$root"

# VK_NV_cooperative_matrix2 wants SPIR-V 1.6, which is Vulkan 1.3's.
for row in conv_coopmat:vulkan1.2 conv_coopmat2:vulkan1.3; do
  kernel=${row%:*} name=${row%:*}_f16
  scripts/trixie.sh run glslangValidator -V --target-env "${row#*:}" --quiet -g0 -DYV_F16 \
    --vn "yv_spv_$name" -o "$folder/$name.spv.h" "shaders/$kernel.comp"
done
