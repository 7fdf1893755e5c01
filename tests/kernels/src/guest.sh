#!/bin/sh
# PID 1 of a guest: makes it a small machine, then runs the tests or a person's shell, and says how
# that ended. What is written to the second serial line is what the tests' reader sees; the first is
# the kernel's, or the person's.
export PATH=/usr/bin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
exec </dev/null >/dev/ttyS1 2>&1
trap 'echo "exit status $?"; exec >/dev/null 2>&1; busybox poweroff -f' EXIT
set -eu

. /judge/settings # CGROUPS, FILES, THEN, and what tests.sh or shell.sh takes
hostname guest
busybox ip link set lo up
chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap

case $FILES in
ext4) chmod 1777 /tmp ;; # on the root's disk
tmpfs) mount -t tmpfs -o mode=1777 tmp /tmp ;;
esac

case $CGROUPS in
v2)
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
		echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
	done
	;;
v1)
	mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
	for subsystems in cpu,cpuacct cpuset memory pids freezer devices; do
		mkdir /sys/fs/cgroup/$subsystems
		mount -t cgroup -o $subsystems cgroup /sys/fs/cgroup/$subsystems
	done
	;;
esac

. /judge/$THEN.sh
