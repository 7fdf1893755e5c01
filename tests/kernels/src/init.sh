#!/bin/sh
# The first process of a guest. pivot_root(2) refuses the root that the kernel unpacked the
# initramfs into, so all of it moves to another one before anything else happens: to a disk, as on
# most machines, or to a tmpfs, which shows no owner as another before Linux 6.3.
export PATH=/bin
. /judge/settings # FILES
mount -t devtmpfs dev /dev
for module in /judge/modules/*; do
	[ ! -e "$module" ] || busybox insmod "$module"
done
case $FILES in
ext4)
	until [ -b /dev/vda ]; do busybox sleep 0.1; done
	mount -t ext4 /dev/vda /mnt
	rmdir /mnt/lost+found
	;;
tmpfs) mount -t tmpfs -o mode=755 root /mnt ;;
esac
busybox umount /dev
for folder in *; do
	[ "$folder" = mnt ] || cp -a "$folder" /mnt/
done
mkdir /mnt/mnt
exec busybox switch_root /mnt /judge/guest.sh
