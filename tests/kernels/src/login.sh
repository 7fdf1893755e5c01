# The session of shell.sh's user: as root, or as this user if a program has given the session away.
. /judge/settings # CGROUPS, TERMINAL, ROWS, COLUMNS
[ "$ROWS" = 0 ] || stty rows "$ROWS" columns "$COLUMNS"
as_user=
if [ "$(id -u)" = 0 ]; then
	echo $$ >/sys/fs/cgroup/you/cgroup.procs
	as_user='setpriv --reuid 1000 --regid 1000 --init-groups'
fi
cat <<'WORDS'

You are `you`, an ordinary user, in a copy of the checkout. There is no Rust in here: `cargo run
--bin 06-reexec` runs what was compiled outside. `su` makes you root, without a password. `exit`
switches the machine off, and what you have changed in it is lost.

WORDS
exec $as_user env -i HOME=/home/you USER=you LOGNAME=you SHELL=/bin/bash TERM="$TERMINAL" \
	LANG=C.UTF-8 PATH=/usr/bin:/bin XDG_RUNTIME_DIR=/run/user/1000 bash
