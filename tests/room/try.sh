#!/usr/bin/env bash
# Tries what `make room` made, as a participant has it: the archive, unpacked elsewhere, by an
# ordinary user with an empty home, in a network namespace that has only lo. Run it as root.
#
# Its user has the ids of the tests' ordinary user (tests/src/login.rs), and no name.
set -euo pipefail
cd "$(dirname "$0")/../.."
archive=$PWD/target/room/container-workshop.tar.gz

[ "$(id -u)" = 0 ] || { echo 'try.sh: only root can take the network away from another user' >&2; exit 2; }
[ -e "$archive" ] || { echo "try.sh: there is no $archive: make room" >&2; exit 2; }

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/home" "$place/rust"
chown 23001:23002 "$place" "$place/home"
SYSROOT=$(rustc --print sysroot)
export PLACE=$place ARCHIVE=$archive SYSROOT
# A test that hangs is a test that fails: all of it takes a few minutes.
timeout --foreground --kill-after 10 1200 unshare --net --mount --pid --fork --kill-child --mount-proc \
  bash -euo pipefail <<'IN_THERE'
ip link set lo up
mount --bind "$SYSROOT" "$PLACE/rust"
exec setpriv --reuid 23001 --regid 23002 --groups 23003 --inh-caps=-all \
  env -i HOME="$PLACE/home" PATH="$PLACE/rust/bin:/usr/local/bin:/usr/bin:/bin" TERM=dumb \
  bash "$PWD/tests/room/steps.sh" "$ARCHIVE" </dev/null
IN_THERE
