# Gives a person a shell on the first serial line: an ordinary user's, in a copy of the checkout. It
# makes the rest that a small machine of one user has.
cp /bin/busybox /bin/su
chmod 4755 /bin/su
for name in clear dmesg less top vi; do
	[ -e /bin/$name ] || ln -s busybox /bin/$name
done
mkdir -p /run/user/1000
chmod 700 /run/user/1000 /root
chown 1000:1000 /run/user/1000 /dev/ttyS0
chown -R 1000:1000 /home/you

# The session's group is the user's own, as systemd delegates one. On version 1 a program of chapter
# 7 does that.
case $CGROUPS in
v2)
	delegate='sh /judge/login.sh'
	mkdir /sys/fs/cgroup/you
	cd /sys/fs/cgroup/you
	chown 1000:1000 . cgroup.procs cgroup.threads cgroup.subtree_control
	;;
v1) delegate='env RUST_LOG=off /judge/delegate you sh /judge/login.sh' ;;
esac

cd /home/you/tower
echo "the shell starts"
setsid --ctty --wait $delegate </dev/ttyS0 >/dev/ttyS0 2>&1 || :
