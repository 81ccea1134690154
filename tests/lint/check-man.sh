#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# check-man.sh FOLDER YOLOV7 PROGRAM...: the pages of `man` in FOLDER, and the programs there that wrote
# them: neither groff nor mandoc has anything to say about them; each property of each element, each
# option and subcommand of the tool YOLOV7, and each option of PROGRAM, has its row; and what can't
# become a page is an error.
set -u
folder=$(realpath "$1") tool=$(realpath "$2")
shift 2
programs=$(for program in "$@"; do realpath "$program"; done)
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
n=0 failed=0
check() { # check NAME OUTPUT: an empty output is a pass
  n=$((n + 1))
  if [ -z "$2" ]; then
    echo "ok $n - $1"
  else
    sed 's/^/# /' <<<"$2" | head -20
    echo "not ok $n - $1"
    failed=1
  fi
}
skip() {
  n=$((n + 1))
  echo "ok $n - $1 # SKIP needs $2"
}

# "all" of groff leaves out some of them, "w" nothing.
by_groff() { LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings=w -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null; }
by_mandoc() { mandoc -T lint "$1" 2>&1; }
by_lexgrog() { lexgrog "$1" >/dev/null 2>&1 || echo "no name for apropos"; }
all_pages() { for page in "$folder"/*.[17]; do "$1" "$page" | sed "s|^|${page##*/}: |"; done; }
broken=$scratch/broken.7
printf '.TH BROKEN 7\n.SH NAME\n.NOSUCH macro\n' >"$broken"

for reader in groff:man mandoc:mandoc lexgrog:lexgrog; do
  if command -v "${reader#*:}" >/dev/null; then
    check "${reader%:*} reads every page without a word" "$(all_pages "by_${reader%:*}")"
    check "${reader%:*} would find what is broken" \
      "$([ -n "$("by_${reader%:*}" "$broken")" ] || echo "it says nothing about $broken")"
  else
    skip "${reader%:*} reads every page" "${reader#*:}"
  fi
done

# rows PAGE: what it describes, a line each, without roff's escapes.
rows() { sed -n 's/^\\fB\(.*\)\\fR.*/\1/p' "$1" | sed 's/\\-/-/g'; }

# not_in PAGE: those of the names on stdin that the page has no row for.
not_in() {
  local name n_names=0
  while read -r name; do
    n_names=$((n_names + 1))
    rows "$1" | grep -qE -- "^(.*, )?$name([ =].*)?$" || echo "$name is not in ${1##*/}"
  done
  [ $n_names -gt 0 ] || echo "nothing was looked for in ${1##*/}"
}

for element in yolov7 yolov7overlay yolov7publish yolov7tracker; do
  check "each property of $element" "$(GST_DEBUG_NO_COLOR=1 gst-inspect-1.0 --no-colors "$element" |
    sed -n '/^Element Properties:/,/^Element Signals:/s/^  \([a-z][a-z0-9-]*\) *: .*/\1/p' |
    not_in "$folder/$element.7")"
done
# options COMMAND...: those that it prints for --help.
options() { "$@" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'; }

subcommands=$("$tool" --help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p')
check "each subcommand" "$(not_in "$folder/yolov7.1" <<<"$subcommands")"
for subcommand in $subcommands; do
  check "each option of $subcommand" "$(options "$tool" "$subcommand" | not_in "$folder/yolov7-$subcommand.1")"
done
for program in $programs; do
  check "each option of ${program##*/}" "$(options "$program" | not_in "$folder/${program##*/}.1")"
done

# refuses TEXT COMMAND...: it fails, and says TEXT.
refuses() {
  local text=$1
  shift
  if "$@" >"$scratch/page" 2>"$scratch/said"; then
    echo "no error"
  elif ! grep -qF -- "$text" "$scratch/said"; then
    cat "$scratch/said"
  fi
}
check "an element that there is not" "$(refuses 'there is no element nosuch' \
  "$folder/elementpage" nosuch gst/gstyolov7.c)"
check "a source without the comment" "$(refuses 'no comment SECTION:element-yolov7 ' \
  "$folder/elementpage" yolov7 gst/plugin.c)"
check "a source that there is not" "$(refuses 'No such file' "$folder/elementpage" yolov7 nosuch.c)"
check "a program that there is not" "$(refuses 'nosuch' "$folder/helppage" "$scratch/nosuch")"
check "a program that fails" "$(refuses 'false --help failed' "$folder/helppage" /bin/false)"
printf '#!/bin/sh\necho hello\n' >"$scratch/hello"
chmod +x "$scratch/hello"
check "a program without help" "$(refuses "should begin the line" "$folder/helppage" "$scratch/hello")"
check "a subcommand that there is not" "$(refuses 'nosuch' "$folder/helppage" "$tool" nosuch)"
check "prose that there is not" "$(refuses 'No such file' "$folder/prosepage" a b nosuch.md)"
echo "1..$n"
exit $failed
