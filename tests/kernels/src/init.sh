#!/bin/sh
# The first process of a guest. pivot_root(2) refuses the root that the kernel unpacked the
# initramfs into, so all of it moves to a tmpfs before anything else happens.
export PATH=/bin
mount -t tmpfs -o mode=755 root /mnt
for folder in *; do
	[ "$folder" = mnt ] || cp -a "$folder" /mnt/
done
mkdir /mnt/mnt
exec busybox switch_root /mnt /judge/guest.sh
