#!/bin/sh
case "$1 $2" in
"run --bin") program=$3; shift 3 ;;
"run -p") program=examples/$5; [ "$4" = --example ] || exit 101; shift 5 ;;
"build -p") [ "$4 $#" = "--example 5" ] && [ -x "target/debug/examples/$5" ] && exit ;;
esac
[ -n "$program" ] || {
	echo "error: this cargo runs what is built: it knows \`cargo run --bin NAME\`, and"
	echo "\`cargo run -p PACKAGE --example NAME\` or \`cargo build\` with the same"
	exit 101
}
[ "$1" = -- ] && shift
[ -x "target/debug/$program" ] || { echo "error: no program is named $program"; exit 101; }
exec "target/debug/$program" "$@"
