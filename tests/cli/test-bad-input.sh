#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every kind of bad input: exit status 1 (2 for wrong arguments), a message that names the file and the
# cause, nothing on stdout, no crash.
# usage: test-bad-input.sh TOOL
set -u
tool=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
bad=$(mktemp -d)
trap 'rm -rf "$bad"' EXIT
python3 "$root/tests/cli/make-bad-files.py" "$root/models/pets-tiny.pt" "$bad" || exit 99
n=0 failed=0

# expect NAME STATUS "WORD|WORD" COMMAND...: all words, extended regular expressions, are in the message
expect() {
  local name=$1 status=$2 words=$3 got message word
  shift 3
  n=$((n + 1))
  message=$("$@" 2>&1 >"$bad/stdout")
  got=$?
  # Files are called FILE from here on, so that a word about the cause can't be found in a name.
  message=$(sed -E "s#$bad/[^:' ]+#FILE#g" <<<"$message")
  local complaint=
  [ $got = "$status" ] || complaint="exit status $got, expected $status"
  [ -s "$bad/stdout" ] && complaint="$complaint; wrote to stdout"
  while IFS= read -r word; do
    grep -qiE -- "$word" <<<"$message" || complaint="$complaint; the message lacks '$word'"
  done < <(tr '|' '\n' <<<"$words")
  if [ -z "$complaint" ]; then
    echo "ok $n - $name"
    sed 's/^/#   /' <<<"$message"
  else
    echo "# $complaint"
    sed 's/^/# /' <<<"$message"
    echo "not ok $n - $name"
    failed=1
  fi
}
inspect() { expect "$1" 1 "$2" "$tool" inspect "$bad/$3"; }

inspect 'a missing file' 'FILE|no such file' gone.pt
inspect 'a directory' 'FILE|directory' folder.pt
inspect 'an empty file' 'FILE|empty' empty.pt
for i in 0 1 2 3 4; do
  inspect "a truncated file, $i" "FILE|cut off|incomplete" truncated-$i.pt
done
inspect 'a text file' 'FILE|text' text.pt
inspect 'a web page' 'FILE|html' page.pt
inspect 'a git lfs pointer' 'FILE|lfs' lfs.pt
inspect 'a TorchScript export' 'FILE|TorchScript|training' torchscript.pt
inspect 'darknet weights' 'FILE|darknet' darknet.weights
inspect 'a zip that is no checkpoint' 'FILE|data.pkl' no-checkpoint.pt
inspect 'a pickle that names os.system' 'FILE|os.system' os-system.pt
inspect 'the same in the legacy container' 'FILE|os.system' os-system-legacy.pt
inspect 'a storage shorter than its tensor' 'FILE|data/[0-9]+. has [0-9]+ bytes, expected [0-9]+' short-storage.pt
inspect 'NaN weights' 'FILE|model\.[0-9]+\.|nan' nan.pt
inspect 'infinite weights' 'FILE|model\.[0-9]+\.|inf' infinite.pt
inspect 'an unknown module' 'FILE|unsupported module ZZ at row 8' unknown-module.pt
inspect 'a state dict without a config' 'FILE|state dict|config-file' state.safetensors
inspect 'a bare state dict of torch without a config' 'FILE|state dict|config-file|\.yaml' state-dict.pt
expect 'the same with its config is a model' 0 '' \
  sh -c "'$tool' inspect '$bad/state-dict.pt' --config '$bad/good.yaml' >/dev/null"
expect 'a state dict of another network' 1 'FILE|model\.0\.conv|5,5' \
  "$tool" inspect "$bad/other-state-dict.pt" --config "$bad/good.yaml"
expect 'a wrong checksum is a warning' 0 'warning: FILE|checksum|damaged' \
  sh -c "'$tool' inspect '$bad/wrong-sum.pt' >/dev/null"

config() { expect "$1" 1 "$2" "$tool" inspect --config "$bad/$3"; }
config 'a yaml that is missing' 'FILE|no such file' gone.yaml
config 'a yaml with a syntax error' 'FILE:8|syntax error' syntax.yaml
config 'a yaml that is no model' 'FILE|backbone' not-a-model.yaml
config 'a forward reference' 'FILE|row 1|5' forward-reference.yaml
config 'an unknown module in a yaml' 'FILE:7|row 1|unsupported module FancyConv' unknown-module.yaml

expect 'no Vulkan driver' 1 'vulkan|mesa-vulkan-drivers' env VK_ICD_FILENAMES=/nonexistent.json \
  VK_DRIVER_FILES=/nonexistent.json "$tool" bench --config "$bad/good.yaml"
expect 'a device that does not exist' 1 'Quantum 9000|choose by index' "$tool" bench --config "$bad/good.yaml" \
  --device 'Quantum 9000'
expect 'an input that is no safetensors' 1 'FILE|text file' "$tool" forward "$root/models/pets-tiny.pt" "$bad/text.pt" \
  -o "$bad/out.safetensors" --device reference
expect 'tensors without images' 1 'FILE|images' "$tool" forward "$root/models/pets-tiny.pt" \
  "$bad/state.safetensors" -o "$bad/out.safetensors" --device reference

expect 'no subcommand of that name' 2 "no subcommand 'fly'" "$tool" fly
expect 'a word beyond ASCII is told as it is' 2 $'fl\303\274ge' env LC_ALL=C.UTF-8 "$tool" $'fl\303\274ge'
mkfifo "$bad/pipe.pt" "$bad/pipe.yaml"
expect 'a pipe as a model is not waited for' 1 'FILE|no regular file' timeout 20 "$tool" inspect "$bad/pipe.pt"
expect 'a pipe as a description is not waited for' 1 'FILE|no regular file|\.yaml' \
  timeout 20 "$tool" inspect --config "$bad/pipe.yaml"
expect 'no argument' 2 'usage' "$tool"
expect 'an unknown option' 2 'altitude|--help' "$tool" inspect --altitude 3
expect 'too few arguments' 2 'expected' "$tool" forward model.pt
expect 'a fallback that does not exist' 2 "int8" "$tool" bench --config "$bad/good.yaml" --fallback-precision int8
expect 'a self test that falls back' 2 "Unknown option.*fallback" "$tool" selftest --fallback-precision none
expect 'a self test of the reference' 1 "reference|Vulkan device" "$tool" selftest --json --device reference
expect 'a self test of two models' 2 "one MODEL" "$tool" selftest a.pt b.pt
expect 'a self test of a size beyond all measure' 1 "9000|8192" "$tool" selftest --json --size 9000
expect 'a precision that does not exist' 2 "fp12" "$tool" bench --config "$bad/good.yaml" --precision fp12
expect 'a batch of nothing' 2 'batch' "$tool" bench --config "$bad/good.yaml" --batch 0
expect 'streams that cannot be' 2 'streams is -1' "$tool" bench --config "$bad/good.yaml" --streams -1
expect 'steps of streams' 2 'not both' "$tool" bench --config "$bad/good.yaml" --streams 2 --profile
expect 'no file to detect in' 2 'FILE|expected' "$tool" detect "$root/models/pets-tiny.pt"
expect 'detect: a missing file' 1 'FILE|no such file' "$tool" detect "$root/models/pets-tiny.pt" "$bad/gone.avi" \
  --output "$bad/out"
expect 'detect: a file that is no video' 1 'FILE|not a picture or video' "$tool" detect "$root/models/pets-tiny.pt" "$bad/text.pt" \
  --output "$bad/out"
expect 'detect: a class that does not exist' 1 'zebra|person' "$tool" detect "$root/models/pets-tiny.pt" \
  "$bad/text.pt" --classes zebra --output "$bad/out"
expect 'detect: a confidence out of range' 2 'conf' "$tool" detect "$root/models/pets-tiny.pt" "$bad/text.pt" --conf 7
echo "1..$n"
exit $failed
