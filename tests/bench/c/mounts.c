/* The floor's mounts: the same as the stages make, from inside. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.h"

/* <sys/mount.h> and <linux/mount.h> do not go together with every C library. */
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
#define DETACH 2

#define CLOSED (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static void mount_new(const char *kind, const char *at, unsigned long flags, const char *options)
{
	if (mount(kind, at, kind, flags, options) < 0)
		fail(kind, at);
}

static void bind_read_only(const char *what, const char *at, unsigned long flags)
{
	if (mount(what, at, 0, MS_BIND, 0) < 0)
		fail("bind", what);
	if (mount(0, at, 0, MS_BIND | MS_REMOUNT | MS_RDONLY | flags, 0) < 0)
		fail("make read-only", at);
}

static const char *below(const char *folder, const char *name)
{
	static char path[2][4096];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail("make", path);
}

/* One option of a file system that is being configured. */
static int set(int context, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

/* Before Linux 6.7 overlay does not know lowerdir+, and takes all layers in one string. */
static void overlay_in_one_string(const struct parts *parts, const char *merged)
{
	static char options[65536];
	size_t length = sprintf(options, "lowerdir=");
	for (int layer = parts->count - 1; layer >= 0; layer--)
		length += sprintf(options + length, "%s/%d%s", parts->layers, layer, layer ? ":" : "");
	sprintf(options + length, ",upperdir=%s,workdir=%s,xino=on,userxattr",
		below(parts->place, "layer"), below(parts->place, "work"));
	mount_new("overlay", merged, MS_NOSUID | MS_NODEV, options);
}

/* A fresh tmpfs, and in it a container layer and the root. */
static const char *mount_layers(const struct parts *parts)
{
	static char merged[4096];
	char layer[4096];
	mount_new("tmpfs", parts->place, 0, "mode=755");
	make_folder(below(parts->place, "layer"));
	make_folder(below(parts->place, "work"));
	snprintf(merged, sizeof merged, "%s/merged", parts->place);
	make_folder(merged);
	int context = syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	if (context < 0)
		fail("fsopen", "overlay");
	bool is_old = false;
	for (int i = parts->count - 1; i >= 0 && !is_old; i--) {
		snprintf(layer, sizeof layer, "%s/%d", parts->layers, i);
		is_old = set(context, "lowerdir+", layer) < 0;
	}
	is_old = is_old || set(context, "upperdir", below(parts->place, "layer")) < 0
		|| set(context, "workdir", below(parts->place, "work")) < 0
		|| set(context, "xino", "on") < 0
		|| syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "userxattr", 0, 0) < 0
		|| syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0) < 0;
	if (is_old) {
		close(context);
		overlay_in_one_string(parts, merged);
		return merged;
	}
	int mounted = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mounted < 0
	    || syscall(SYS_move_mount, mounted, "", AT_FDCWD, merged, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail("mount the layers on", merged);
	close(mounted);
	close(context);
	return merged;
}

static void mask(const char *path)
{
	struct stat found;
	if (stat(path, &found) < 0)
		return;
	if (S_ISDIR(found.st_mode))
		mount_new("tmpfs", path, CLOSED | MS_RDONLY, "mode=555,size=4k");
	else
		bind_read_only("/dev/null", path, MS_NOSUID | MS_NOEXEC);
}

static void furnish(const struct parts *parts, const char *root)
{
	static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" }, { "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
		{ "pts/ptmx", "ptmx" },
	};
	char dev[2048];
	mount_new("sysfs", below(root, "sys"), CLOSED | MS_RDONLY, 0);
	if (parts->masks) {
		mask(below(root, "sys/firmware"));
		mask(below(root, "sys/devices/virtual/powercap"));
	}
	snprintf(dev, sizeof dev, "%s/dev", root);
	mount_new("tmpfs", dev, MS_NOSUID | MS_NOEXEC, "mode=755,size=64k");
	for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
		const char *at = below(dev, devices[i]);
		int file = open(at, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (file < 0)
			fail("make", at);
		close(file);
		bind_read_only(below("/dev", devices[i]), at, MS_NOSUID | MS_NOEXEC);
	}
	make_folder(below(dev, "shm"));
	mount_new("tmpfs", below(dev, "shm"), CLOSED, "mode=1777");
	make_folder(below(dev, "pts"));
	mount_new("devpts", below(dev, "pts"), MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=620");
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
		if (symlink(links[i][0], below(dev, links[i][1])) < 0)
			fail("link", links[i][1]);
}

static void pivot_into(const char *root)
{
	if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", DETACH) < 0
	    || chdir("/") < 0)
		fail("pivot_root to", root);
}

void set_up_mounts(const struct parts *parts)
{
	const char *root = parts->root;
	if (!parts->proc)
		return;
	if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) < 0)
		fail("make private", "/");
	if (parts->layers)
		root = mount_layers(parts);
	else if (root && mount(root, root, 0, MS_BIND | MS_REC, 0) < 0)
		fail("bind to itself", root);
	if (parts->furnish)
		furnish(parts, root ? root : "");
	mount_new("proc", below(root ? root : "", "proc"), CLOSED, 0);
	if (root)
		pivot_into(root);
}

void protect_proc(const struct parts *parts)
{
	static const char *const knobs[] = { "sys", "sysrq-trigger", "irq", "bus", "fs" };
	static const char *const masked[] = {
		"acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug", "scsi",
		"timer_list",
	};
	for (size_t i = 0; parts->furnish && i < sizeof knobs / sizeof knobs[0]; i++) {
		const char *path = below("/proc", knobs[i]);
		if (access(path, F_OK) == 0)
			bind_read_only(path, path, CLOSED);
	}
	for (size_t i = 0; parts->masks && i < sizeof masked / sizeof masked[0]; i++)
		mask(below("/proc", masked[i]));
	if (parts->locked && unshare(CLONE_NEWNS) < 0)
		fail("unshare", "the mount namespace");
}
