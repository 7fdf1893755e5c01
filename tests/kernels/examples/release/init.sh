#!/bin/busybox sh
# The first process: moves everything from the root that the kernel unpacked, which pivot_root(2)
# refuses, to a tmpfs.
busybox mount -t tmpfs -o mode=755 root /mnt
for folder in *; do
	[ "$folder" = mnt ] || busybox cp -a "$folder" /mnt/
done
busybox mkdir /mnt/mnt
exec busybox switch_root /mnt /inside.sh
