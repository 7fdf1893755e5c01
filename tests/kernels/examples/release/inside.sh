#!/bin/busybox sh
# PID 1 of the guest: starts each stage, as root and as an ordinary user, and says what was wrong.
export PATH=/bin:/stages NO_COLOR=1
busybox mount -t proc proc /proc
busybox --install -s /bin # it reads its own name there
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm /run
mount -t devpts -o ptmxmode=666 devpts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
chmod 1777 /tmp
chown user:user /home
hostname guest
ip link set lo up
for module in /modules/*.ko; do insmod "$module"; done
trap 'echo "exit status $failed"; sync; poweroff -f' EXIT
failed=1 started=0 wrong=0
uname -srm

# is WANTED COMMAND: what the command writes to standard output, as $user. WANTED is a pattern.
is() {
	started=$((started + 1))
	got=$(su "$user" -c "cd; $2" 2>/tmp/errors </dev/null)
	# shellcheck disable=SC2254 # a pattern
	case $got in $1) return ;; esac
	wrong=$((wrong + 1))
	echo "as $user: $2"
	echo "  wrote: $got"
	sed 's/^/  error: /' /tmp/errors
}

for user in root user; do
	is box '01-uts -q --hostname box uname -n'
	is '' '02-ipc -q true || echo failed'
	is 1 '03-pid -q sh -c "echo \$\$"'
	is /proc/1 '04-mount -q sh -c "echo /proc/[0-9]*"'
	is '* 0 *' '05-user-idmap -q cat /proc/self/uid_map'
	is 'container-????????' '06-reexec -q uname -n'
	is limited '07-cgroup-memory -q sh -c "echo limited"'
	is '\[a b\]\[\]\[c\]' '08-pipe-init run -q -- printf "[%s]" "a b" "" c'
	is gone '09-aufs run -q -- sh -c "rm /image-layer1.txt; [ -e /image-layer1.txt ] || echo gone"'
	is named '10-names run -q --name box -- echo named'
	# shellcheck disable=SC2016 # for the shell in there
	is other '11-nsenter run -q --name box -- sh -c "echo up; sleep 600" >up &
		until [ -s up ]; do sleep 0.1; done
		[ "$(11-nsenter exec -q box hostname)" = guest ] || echo other
		11-nsenter kill -s KILL box'
	is kept '12-walls run -q -- sh -c "umount /proc/sys || echo kept"'
	is refused '13-privileges run -q -- sh -c "unshare --user true || echo refused"'
done
user=root
is '*limit*' '07-cgroup-memory -m 50m dd if=/dev/zero of=/dev/null bs=100M count=1 2>&1'

echo "$started runs, $wrong not as they should be"
failed=$wrong
exit
