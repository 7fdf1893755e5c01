#!/bin/sh
# Says in one line, before anything is compiled, that there is no Rust here that is new enough.
set -eu
cd "$(dirname "$0")/../.."

needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
has=$(rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p')
[ "$(printf '%s\n' "$needed" "${has:-0}" | sort -V | head -n 1)" = "$needed" ] && exit

if [ -e room/rust/bin/cargo ]; then
	# shellcheck disable=SC2016 # a line to type
	way='type  PATH=$PWD/room/rust/bin:$PATH  and then the same again'
elif [ -e room/about ]; then
	way='ask the presenter for a folder that was made with RUST=1'
else
	way='rustup update stable, or see https://rustup.rs'
fi
echo "This needs Rust $needed or newer, and this machine has ${has:-none}: $way" >&2
exit 1
