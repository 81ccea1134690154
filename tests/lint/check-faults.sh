#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every call of Vulkan that the engine makes and that can fail is one that tests/faults/layer.c makes fail.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ -n "$(git ls-files engine/vulkan)" ] || { echo "Bail out! git lists no files here"; exit 1; }

# No layer of an instance sees those that need none, and the debug layers' are there for tests alone.
beyond='vkEnumerateInstance(Layer|Extension)Properties|vk(CreateDebugUtilsMessenger|SetDebugUtilsObjectName)EXT'
used=$(git ls-files 'engine/vulkan/*.c' | xargs grep -ohE '\bvk[A-Z]\w+' | sort -u | grep -vxE "$beyond")
fallible=$( (echo '#include <volk.h>'; cat engine/vulkan/coopmat*.h) | grep -v '#include "' |
  ${CC:-cc} -E -P -I. -xc - 2>/dev/null | tr -s ' \n' ' ' | grep -oE 'VkResult \( ?\* ?PFN_vk\w+' | sed 's/.*PFN_//' | sort -u)
known=$(grep -oE '^ *X \(vk\w+' tests/faults/layer.c | sed 's/.*(//' | sort -u)
[ -n "$fallible" ] || { echo "Bail out! no headers of Vulkan"; exit 1; }

missing=$(comm -12 <(echo "$used") <(echo "$fallible") | comm -23 - <(echo "$known"))
if [ -z "$missing" ]; then
  echo "ok 1 - faults: $(comm -12 <(echo "$used") <(echo "$known") | wc -l) calls"
else
  sed 's/$/ can fail, but tests\/faults\/layer.c does not make it/; s/^/# /' <<<"$missing"
  echo "not ok 1 - faults"
fi
echo 1..1
[ -z "$missing" ]
