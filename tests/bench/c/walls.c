/* The floor's walls: what stages 12 and 13 put around a container. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* A user namespace with the container's ids, of a child that ends. */
static int namespace_with_the_ids(void)
{
	static const char *const names[] = { "uid_map", "gid_map" };
	char path[64];
	int gate[2], status;
	if (pipe2(gate, O_CLOEXEC) < 0)
		fail("make", "a pipe");
	pid_t child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (child < 0)
		fail("clone", "with a user namespace");
	if (child == 0) {
		char word;
		close(gate[1]);
		_exit(read(gate[0], &word, 1) < 0);
	}
	for (int which = 0; which < 2; which++) {
		snprintf(path, sizeof path, "/proc/%d/%s", child, names[which]);
		write_file(path, SHIFTED);
	}
	snprintf(path, sizeof path, "/proc/%d/ns/user", child);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		fail("open", path);
	close(gate[0]);
	close(gate[1]);
	if (waitpid(child, &status, 0) < 0)
		fail("wait for", "a child");
	return file;
}

/* Over itself: the folder keeps its path. */
static void show(const char *folder, int ids)
{
	struct mount_attr wanted = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = ids };
	int mount = syscall(SYS_open_tree, AT_FDCWD, folder,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (mount < 0)
		fail("open_tree", folder);
	if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &wanted, sizeof wanted) < 0)
		fail("mount_setattr", folder);
	if (syscall(SYS_move_mount, mount, "", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail("move_mount", folder);
	close(mount);
}

void show_other_owners(const struct parts *parts)
{
	char folder[4096];
	int ids = namespace_with_the_ids();
	if (!parts->layers && parts->root)
		show(parts->root, ids);
	for (int i = 0; parts->layers && i < parts->count; i++) {
		snprintf(folder, sizeof folder, "%s/%d", parts->layers, i);
		show(folder, ids);
	}
	close(ids);
}

/* Only the children of a process that joins a PID namespace are in it: two processes. */
void run_a_helper(void)
{
	int status;
	pid_t helper = fork();
	if (helper < 0)
		fail("fork", "a helper");
	if (helper == 0) {
		pid_t inner = fork();
		if (inner == 0)
			_exit(0);
		_exit(inner < 0 || waitpid(inner, &status, 0) < 0);
	}
	if (waitpid(helper, &status, 0) < 0 || status != 0)
		fail("wait for", "a helper");
}

static int sealed_copy(const char *file)
{
	struct stat data;
	int from = open(file, O_RDONLY | O_CLOEXEC);
	int copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (from < 0 || copy < 0 || fstat(from, &data) < 0)
		fail("copy", file);
	while (data.st_size > 0) {
		ssize_t sent = sendfile(copy, from, 0, data.st_size);
		if (sent <= 0)
			fail("copy", file);
		data.st_size -= sent;
	}
	if (fcntl(copy, F_ADD_SEALS, SEALS) < 0)
		fail("seal", file);
	close(from);
	return copy;
}

/* Copies a file of the size of a stage, and goes on in a copy of this program. */
void become_sealed_copy(const struct parts *parts, char **argv)
{
	char path[64];
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		fail("open", "/proc/self/exe");
	bool is_copy = fcntl(self, F_GET_SEALS) == SEALS;
	close(self);
	if (is_copy)
		return;
	close(sealed_copy(parts->seal));
	snprintf(path, sizeof path, "/proc/self/fd/%d", sealed_copy("/proc/self/exe"));
	execv(path, argv);
	fail("execute", path);
}

void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability) < 0)
			fail("drop", "a capability");
	if (syscall(SYS_capset, &header, none) < 0)
		fail("capset", "to none");
}

static struct sock_filter instructions[4096];
static struct sock_fprog program = { .filter = instructions };

/* Before the root changes: after that there is no such file. */
void read_filter(const char *file)
{
	int from = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t length = from < 0 ? -1 : read(from, instructions, sizeof instructions);
	if (length <= 0)
		fail("read", file);
	close(from);
	program.len = length / sizeof instructions[0];
}

void install_filter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail("set", "no_new_privs");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		fail("install", "the filter");
}
