#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# packages.sh LOG [RELEASE...]: builds the Debian packages of this tree on bookworm and trixie, without a
# network; has lintian look at them; and for each stanza of debian/tests/control installs the packages that
# it names into a system that has nothing but Debian's smallest and what they depend on, runs its tests,
# purges the packages, and compares the lists of files from before and after. Where the servers are among
# them, something that stands for systemctl sees what an upgrade and a removal do to services. The commands
# are those of docs/packages.md.
# Prints TAP, and writes LOG as meson writes its log of tests. Exit status 1 where anything failed; 77,
# after a line that says why, where it cannot begin.
# The smallest systems, and beside them those with what builds packages, are folders below
# XDG_CACHE_HOME (7 GB), made once, with the packages that were downloaded. All else happens in
# copies that are removed, and in namespaces of its own: nothing stays mounted, and nothing goes on.
set -euo pipefail
. "$(dirname "$0")/root.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gst-yolov7
tools="ccache git lintian"

note() { printf '{"name": "Debian packages", "result": "%s", "stdout": "%s"}\n' "$1" "$2" >"$log"; }

skip() {
  echo "SKIP no packages here: $*"
  note SKIP "ok 1 - all of it # SKIP $*"
  exit 77
}

# check NAME COMMAND...: one test; what the command says is shown where it fails. Commands are functions
# whose parts are joined by "&&": errexit means nothing within a condition.
check() {
  local name=$1 begin=$SECONDS
  shift
  n=$((n + 1))
  if "$@" >"$scratch/said" 2>&1 </dev/null; then
    result="ok $n - $name"
  else
    grep -vE '^\[[0-9]+/[0-9]+\]' "$scratch/said" | tail -n 40 | cut -c -400 | sed 's/^/# /'
    result="not ok $n - $name"
    status=1
  fi
  echo "$result ($((SECONDS - begin)) s)"
  results="$results$result\\n"
  [ "${result#not}" = "$result" ]
}

# Where packages that were downloaded are kept, and what programs expect of any system.
mount_into() {
  mount -t proc proc "$1/proc" &&
    mount --rbind /dev "$1/dev" &&
    mount --bind "$cache/packages-$release-debs" "$1/var/cache/apt/archives"
}

# remove FOLDER: never what is mounted below, such as the devices of this machine, or what was downloaded,
# which is of the same file system; also where something in there still runs.
remove() {
  awk -v below="$1/" 'index ($2, below) == 1 { print $2 }' /proc/self/mounts | tac | xargs -r umount -l &&
    rm -rf --one-file-system "$1"
}

# documented N: the Nth command that docs/packages.md has for users, for root.
documented() {
  sed -n '/^```sh$/,/^```$/p' "$checkout/docs/packages.md" | sed -e ':a' -e '/\\$/{N;s/ *\\\n */ /;ba' -e '}' |
    sed -n "/\`\`\`/d;s/^sudo //;p" | sed -n "$1p"
}

# The smallest system of $release, for copies alone.
make_base() {
  mkdir -p "$cache/packages-$release-debs/partial" &&
    { [ -d "$base" ] || make_root "$release" "$base"; }
}

# apt in there asks nothing, installs nothing that is only recommended, and keeps what it has loaded.
join() {
  connect "$1" && mount_into "$1" &&
    printf '%s "%s";\n' APT::Get::Assume-Yes true APT::Install-Recommends false \
      APT::Keep-Downloaded-Packages true >"$1/etc/apt/apt.conf.d/95test" &&
    enter "$1" apt-get -qq update
}

# What builds packages stays for the next run, and so does what ccache has compiled, but nothing of what was
# built: dpkg-shlibdeps would find packages that had another name then.
make_builder() {
  if [ ! -d "$builder" ]; then
    remove "$builder-new"
    cp -a "$base" "$builder-new" && mv -T "$builder-new" "$builder" || return 1
  fi
  mkdir -p "$builder/work" &&
    copy_tree "$builder/work/src" &&
    git -C "$builder/work/src" clean -qfdx &&
    join "$builder" &&
    enter "$builder" dpkg --configure -a &&
    enter "$builder" apt-get -qq install $tools &&
    enter "$builder" sh -c "cd /work/src && $(documented 1)"
}

build_packages() {
  rm -f "$builder"/work/*.{deb,changes,buildinfo}
  # A namespace of its own has no network.
  unshare --net chroot "$builder" env -i HOME=/root LANG=C.UTF-8 CCACHE_DIR=/var/cache/ccache \
    PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd /work/src && $(documented 2)"
}

run_lintian() {
  enter "$builder" sh -ec 'cd /work && lintian --allow-root --fail-on error,warning *.changes'
}

# Every file there is, but for what a system writes of its packages: dpkg's and apt's records, logs, and
# the lists of libraries and pages that triggers keep.
list_files() {
  find "$1" -xdev -mindepth 1 -printf '/%P %y %l\n' | LC_ALL=C sort |
    grep -vE '^/(var/lib/dpkg|var/lib/apt|var/cache/(apt|debconf|ldconfig|man)|var/log|tmp|work)(/| )|^/etc/ld.so.cache ' ||
    true
}

# Which packages of ours, and of Debian's, a stanza wants: words of its field Depends.
named_packages() {
  local word
  for word in $2; do
    if compgen -G "$builder/work/${word}_*.deb" >/dev/null; then
      [ "$1" = ours ] && echo "$word"
    else
      [ "$1" = others ] && echo "$word"
    fi
  done
  true
}

# The packages of Debian that have to be there before ours: those that a stanza names, and what both need.
install_needed() {
  local needed
  join "$testbed" &&
    needed=$(enter "$testbed" apt-get -s install $ours_files $others |
      sed -n 's/^Inst \([^ ]*\).*/\1/p' | grep -vxF "$(printf '%s\n' $ours)" | tr '\n' ' ') &&
    enter "$testbed" apt-get -qq install $needed
}

# What a system has that runs systemd, but for that: yolov7-web runs, and is not enabled.
pretend_systemd() {
  local links=$testbed/etc/systemd/system/multi-user.target.wants
  mkdir -p "$testbed/run/systemd/system" "$testbed/work/bin" "$links" &&
    ln -s /dev/null "$links/other.service" &&
    cat >"$testbed/work/bin/systemctl" <<'END' && chmod +x "$testbed/work/bin/systemctl"
#!/bin/sh
echo "$*" >>/work/asked
case $* in
  *is-enabled*) echo disabled; exit 1 ;;
  *is-active*) [ "${*%yolov7-web.service}" != "$*" ] ;;
esac
END
}

# enter, with that on the PATH.
act() { enter "$testbed" env PATH=/work/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# asked LINE...: what starts and stops services that systemctl was asked since the last time.
asked() {
  local same=0
  diff <([ $# = 0 ] || printf '%s\n' "$@") \
    <(grep -oE '(start|stop|restart|try-restart) .*' "$testbed/work/asked") || same=1
  rm -f "$testbed/work/asked"
  return $same
}

# Nothing runs but what ran before, and that in its new version; what is removed does not go on running.
services_follow() {
  local links=/etc/systemd/system/multi-user.target.wants name
  asked && # by the installation
    act dpkg --install $ours_files &&
    asked 'restart yolov7-web.service' 'try-restart yolov7-fleet@*.service' || return 1
  # What systemctl enable and the services leave, for the purge.
  for name in yolov7-web yolov7-fleet@gpu0; do
    act ln -s "/usr/lib/systemd/system/${name%gpu0}.service" "$links/$name.service" || return 1
  done
  for name in gst-yolov7-web gst-yolov7-fleet-gpu0; do
    act mkdir -p "/var/cache/private/$name" && act ln -s "private/$name" "/var/cache/$name" || return 1
  done
  act dpkg --remove gst-yolov7-examples &&
    asked 'stop yolov7-fleet@*.service' 'stop yolov7-rtsp-server.service yolov7-web.service'
}

# From here on nothing else may be missing. install_ours COMMAND
install_ours() {
  pretend_systemd &&
    list_files "$testbed" >"$scratch/before" &&
    act unshare --net sh -c "cd /work/src && $1" &&
    list_files "$testbed" >"$scratch/with" &&
    ! cmp -s "$scratch/before" "$scratch/with"
}

run_test() {
  # Mesa asks the list of users for a home where it is not told.
  enter "$testbed" env HOME=/tmp/home XDG_CACHE_HOME=/tmp/home/.cache \
    sh -ec "mkdir -p /tmp/home && cd /work/src && exec tests/$1"
}

purge_ours() {
  act dpkg --purge $ours &&
    list_files "$testbed" >"$scratch/after" &&
    diff "$scratch/before" "$scratch/after"
}

# check_stanza COMMAND TEST... : PACKAGE...: the command installs what of these is ours; empty: dpkg does.
check_stanza() {
  local command=$1 test tests=
  shift
  while [ "$1" != : ]; do
    tests="$tests $1"
    shift
  done
  shift
  ours=$(named_packages ours "$*" | xargs)
  others=$(named_packages others "$*" | xargs)
  ours_files=$(cd "$builder" && ls $(printf 'work/%s_*.deb ' $ours) | sed 's|^|/|' | xargs)
  testbed=$scratch/testbed
  cp -a "$base" "$testbed"
  mkdir -p "$testbed/work/src"
  cp "$builder"/work/*.deb "$testbed/work/"
  cp -r "$checkout/debian/tests" "$testbed/work/src/"
  check "$release: what$tests need is there" install_needed &&
    check "$release: $ours can be installed" install_ours "${command:-dpkg --install $ours_files}" && {
    for test in $tests; do
      check "$release: $test" run_test "$test" || true
    done
    case " $ours " in *" gst-yolov7-examples "*) check "$release: services follow" services_follow || true ;; esac
    check "$release: nothing stays after the purge" purge_ours || true
  }
  remove "$testbed"
}

# Fields of debian/tests/control, a stanza a line: its tests, a colon, and what they depend on.
stanzas() {
  awk 'BEGIN { RS = ""; FS = "\n" } {
    gsub (/\n[ \t]+/, " "); gsub (/,/, " ")
    for (i = 1; i <= NF; i++) {
      split ($i, field, ": ")
      if (field[1] == "Tests") tests = field[2]
      if (field[1] == "Depends") needed = field[2]
    }
    print tests, ":", needed
  }' "$checkout/debian/tests/control"
}

check_release() {
  local stanza command
  base=$cache/packages-$release
  builder=$cache/packages-$release-build
  check "$release: its smallest system" make_base &&
    check "$release: what builds packages" make_builder || return 0
  check "$release: the packages build" build_packages || return 0
  check "$release: lintian has nothing to say" run_lintian || true
  command=$(documented 3) # of the first stanza
  while read -r stanza; do
    # shellcheck disable=SC2086
    check_stanza "$command" $stanza
    command=
  done < <(stanzas)
}

log=$(realpath -m "${1:?usage: $0 LOG [RELEASE...]}")
shift
if [ "${1:-}" != --unshared ]; then
  note FAIL "" # until more is known
  reason=$(why_not)
  [ -z "$reason" ] || skip "$reason"
  exec unshare --mount --pid --fork --kill-child "$0" "$log" --unshared "$@"
fi
shift

mkdir -p "$cache"
exec 9>"$cache/packages.lock"
flock 9 # one at a time in the same folders
scratch=$(mktemp -d "$cache/packages-test-XXXXXX")
trap 'remove "$scratch"' EXIT
n=0 status=0 results=
for release in ${*:-bookworm trixie}; do
  check_release
done
echo "1..$n"
note "$([ $status = 0 ] && echo OK || echo FAIL)" "$results"
exit $status
