#!/usr/bin/env bash
# steps.sh ARCHIVE: what a participant does in a room without a network. try.sh runs it.
set -euo pipefail

failed() {
  printf 'FAILED: %s\n' "$1"
  tail -n 40 "$HOME/out"
  exit 1
}

# has WORDS: fails unless what the last step wrote has them.
has() {
  grep -qF -- "$1" "$HOME/out" || failed "no $1 in"
}

# step NAME COMMAND…: shows how long it took.
step() {
  local start=$SECONDS name=$1
  shift
  "$@" >"$HOME/out" 2>&1 || failed "$name: exit status $?"
  printf '%4d s  %s\n' $((SECONDS - start)) "$name"
}

# soon WORDS FILE: waits until they are there.
soon() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    ! grep -qF -- "$1" "$2" || return 0
    sleep 0.2
  done
  cp "$2" "$HOME/out"
  has "$1"
}

page() {
  exec 3<>/dev/tcp/127.0.0.1/3217 || return
  printf 'GET /%s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  cat <&3
}

# A Ctrl-C, as a terminal types it: to all processes of the job.
ctrl_c() {
  kill -INT -- "-$1"
  wait "$1" 2>/dev/null || :
}

set -m
cd "$HOME"
tail -n +2 /proc/net/route >out
[ ! -s out ] || { echo 'FAILED: there is a way out of here'; exit 1; }
tar -xf "$1"
cd container-workshop
# With the Rust that `make room RUST=1` puts in, and no other.
if [ -e room/rust ]; then
  PATH=/usr/local/bin:/usr/bin:/bin
  step 'make doctor, without a Rust' bash -c '! make doctor'
  has 'room/rust/bin'
  PATH=$PWD/room/rust/bin:$PATH
fi

step 'make doctor' make doctor
has 'Next: '
step 'make start CH=01' make start CH=01
has 'workshop/01-uts'
step 'make check, as handed out' make check
has 'TODO '
step 'make hint' make hint
has 'Hint 1'

make watch >"$HOME/watch" 2>&1 &
watch=$!
soon 'TODO ' "$HOME/watch"
# The book's own source is a right answer.
step 'a right answer, while make watch runs' cp chapters/01-uts/src/main.rs workshop/01-uts/src/
soon 'is done' "$HOME/watch"
ctrl_c "$watch"
step 'make check, with a right answer' make check
has 'is done'
step 'make progress' make progress
has '01-uts'

make serve PORT=3217 >"$HOME/serve" 2>&1 &
serve=$!
soon 'Serving on' "$HOME/serve"
step 'make serve: chapter 1' page 01-uts.html
has '<title>01 A hostname of its own'
ctrl_c "$serve"

step '09-aufs' cargo run --bin 09-aufs -- run -q -- sh -c 'echo "pid $$"'
has 'pid 1'
step '06-reexec, in the base image' cargo run --bin 06-reexec -- -q --rootfs rootfs cat /etc/os-release
has 'clone-to-container'
# A home that names a mirror, as many do. The folder's own configuration comes first.
mkdir -p "$HOME/.cargo"
cat >"$HOME/.cargo/config.toml" <<'END'
[source.crates-io]
replace-with = "mirror"
[source.mirror]
registry = "sparse+https://mirror.invalid/index/"
END
step 'make start CH=09, of a learner who begins there' make start CH=09
has 'workshop/09-aufs'
step 'make check' make check
has 'TODO '
