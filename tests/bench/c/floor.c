/* The floor: what a container's start costs if a program does what it must and nothing else.

     floor PART… -- COMMAND [ARGUMENT…]

   It checks nothing, logs nothing and promises nothing: it is no runtime, but a measure for
   one. floor.h lists the parts. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"

void fail(const char *what, const char *object)
{
	fprintf(stderr, "floor: %s %s: %s\n", what, object, strerror(errno));
	exit(125);
}

void write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		fail("write", path);
	close(file);
}

static struct parts parts = { .count = 1 };

static const struct {
	const char *word;
	int flag;
	bool *on;
	const char **text;
	int *number;
} words[] = {
	{ "uts", CLONE_NEWUTS, 0, 0, 0 },
	{ "ipc", CLONE_NEWIPC, 0, 0, 0 },
	{ "pid", CLONE_NEWPID, 0, 0, 0 },
	{ "mnt", CLONE_NEWNS, 0, 0, 0 },
	{ "user", CLONE_NEWUSER, 0, 0, 0 },
	{ "net", CLONE_NEWNET, 0, 0, 0 },
	{ "proc", 0, &parts.proc, 0, 0 },
	{ "furnish", 0, &parts.furnish, 0, 0 },
	{ "reexec", 0, &parts.reexec, 0, 0 },
	{ "pipe", 0, &parts.pipe, 0, 0 },
	{ "keeper", 0, &parts.keeper, 0, 0 },
	{ "ids", 0, &parts.ids, 0, 0 },
	{ "masks", 0, &parts.masks, 0, 0 },
	{ "locked", 0, &parts.locked, 0, 0 },
	{ "below", 0, &parts.below, 0, 0 },
	{ "caps", 0, &parts.caps, 0, 0 },
	{ "rootfs", 0, 0, &parts.root, 0 },
	{ "layers", 0, 0, &parts.layers, 0 },
	{ "place", 0, 0, &parts.place, 0 },
	{ "limit", 0, 0, &parts.group, 0 },
	{ "seal", 0, 0, &parts.seal, 0 },
	{ "filter", 0, 0, &parts.filter, 0 },
	{ "lines", 0, 0, 0, &parts.lines },
	{ "count", 0, 0, 0, &parts.count },
	{ "channel", 0, 0, 0, &parts.channel },
};

static void add_part(const char *part)
{
	size_t length = strcspn(part, "="), count = sizeof words / sizeof words[0];
	const char *value = part[length] ? part + length + 1 : NULL;
	for (size_t i = 0; i < count; i++) {
		if (strlen(words[i].word) != length || strncmp(words[i].word, part, length) != 0)
			continue;
		bool wants_value = words[i].text || words[i].number;
		if (wants_value != (value != NULL))
			break;
		parts.namespaces |= words[i].flag;
		if (words[i].on)
			*words[i].on = true;
		if (words[i].text)
			*words[i].text = value;
		if (words[i].number)
			*words[i].number = atoi(value);
		return;
	}
	fprintf(stderr, "floor: no part is called %s\n", part);
	exit(2);
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (any < 0 || ioctl(any, SIOCGIFFLAGS, &request) < 0)
		fail("read the flags of", "lo");
	request.ifr_flags |= IFF_UP;
	if (ioctl(any, SIOCSIFFLAGS, &request) < 0)
		fail("bring up", "lo");
	close(any);
}

/* Inside: from the open gate to the command. */
_Noreturn static void inside(char **command)
{
	static char *received[70000], buffer[4 << 20];
	if (parts.channel) {
		size_t length = 0, count = 0;
		ssize_t got;
		while ((got = read(parts.channel, buffer + length, sizeof buffer - length)) > 0)
			length += got;
		for (char *word = buffer; word < buffer + length; word += strlen(word) + 1)
			received[count++] = word;
		close(parts.channel);
		command = received;
	}
	if (parts.namespaces & CLONE_NEWUTS && sethostname("floor", 5) < 0)
		fail("sethostname", "floor");
	if (parts.filter)
		read_filter(parts.filter);
	set_up_mounts(&parts);
	if (parts.namespaces & CLONE_NEWNET)
		bring_up_loopback();
	protect_proc(&parts);
	if (parts.below && unshare(CLONE_NEWCGROUP) < 0)
		fail("unshare", "the cgroup namespace");
	if (parts.caps)
		drop_capabilities();
	if (parts.filter)
		install_filter();
	execvp(command[0], command);
	fail("execute", command[0]);
}

static void write_maps(pid_t child)
{
	static const char *const names[] = { "uid_map", "gid_map" };
	const int ids[] = { geteuid(), getegid() };
	char path[64], map[4096];
	snprintf(path, sizeof path, "/proc/%d/setgroups", child);
	if (ids[0] != 0)
		write_file(path, "deny");
	for (int which = 0; which < 2; which++) {
		size_t length = 0;
		if (ids[0] != 0)
			snprintf(map, sizeof map, "0 %d 1", ids[which]);
		else if (parts.lines == 0)
			snprintf(map, sizeof map, "%s", parts.ids ? SHIFTED : "0 0 4294967295");
		for (int line = 0; ids[0] == 0 && line < parts.lines; line++)
			length += snprintf(map + length, sizeof map - length, "%d %d 1\n", line, line);
		snprintf(path, sizeof path, "/proc/%d/%s", child, names[which]);
		write_file(path, map);
	}
}

/* Makes the group, sets its limit and moves the child into it. */
static void limit(pid_t child, char *group, size_t size)
{
	char path[4096], pid[16];
	snprintf(group, size, "%s-%d", parts.group, getpid());
	if (mkdir(group, 0755) < 0)
		fail("make", group);
	snprintf(path, sizeof path, "%s/memory.max", group);
	bool is_v2 = access(path, F_OK) == 0;
	snprintf(path, sizeof path, "%s/memory.%s", group, is_v2 ? "max" : "limit_in_bytes");
	write_file(path, "104857600");
	const char *swap = is_v2 ? "swap.max" : "memsw.limit_in_bytes";
	snprintf(path, sizeof path, "%s/memory.%s", group, swap);
	if (access(path, F_OK) == 0)
		write_file(path, is_v2 ? "0" : "104857600");
	if (parts.below) {
		snprintf(path, sizeof path, "%s/below", group);
		if (mkdir(path, 0755) < 0)
			fail("make", path);
	}
	snprintf(path, sizeof path, "%s%s/cgroup.procs", group, parts.below ? "/below" : "");
	snprintf(pid, sizeof pid, "%d", child);
	write_file(path, pid);
}

static void remove_group(const char *group, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s%s", group, name);
	/* For a moment after the last process has ended, the kernel may still refuse. */
	for (int i = 0; rmdir(path) < 0; i++)
		if (errno != EBUSY || i == 1000 || usleep(100) < 0)
			fail("remove", path);
}

static void send_command(int channel, char **command)
{
	static char buffer[4 << 20];
	size_t length = 0, sent = 0;
	for (; *command; command++)
		length += strlen(strcpy(buffer + length, *command)) + 1;
	while (sent < length) {
		ssize_t wrote = write(channel, buffer + sent, length - sent);
		if (wrote < 0)
			fail("write to", "the channel");
		sent += wrote;
	}
	close(channel);
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Outside: makes the container's process, prepares it, opens its gate and waits for it. */
static int outside(char **argv, char **command)
{
	int gate[2], channel[2] = { 0, 0 }, status;
	char group[4000], again[32];
	if (pipe2(gate, O_CLOEXEC) < 0)
		fail("make", "a pipe");
	if (parts.pipe && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		fail("make", "a channel");
	if (parts.ids)
		show_other_owners(&parts);
	pid_t child = syscall(SYS_clone, parts.namespaces | SIGCHLD, 0, 0, 0, 0);
	if (child < 0)
		fail("clone", "with these namespaces");
	if (child == 0) {
		char word;
		close(gate[1]);
		if (read(gate[0], &word, 1) != 1)
			fail("wait at", "the gate");
		if (parts.namespaces & CLONE_NEWUSER && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
			fail("become", "root inside");
		if (!parts.reexec)
			inside(command);
		if (parts.pipe) {
			parts.channel = fcntl(channel[0], F_DUPFD, 100);
			snprintf(again, sizeof again, "channel=%d", parts.channel);
			command[-1] = again;
			command[0] = NULL;
		}
		argv[0] = "inside";
		execv("/proc/self/exe", argv);
		fail("execute", "/proc/self/exe");
	}
	close(gate[0]);
	if (parts.pipe)
		close(channel[0]);
	if (parts.namespaces & CLONE_NEWUSER)
		write_maps(child);
	if (parts.group)
		limit(child, group, sizeof group);
	if (parts.locked)
		run_a_helper();
	if (write(gate[1], "x", 1) != 1)
		fail("open", "the gate");
	if (parts.pipe)
		send_command(channel[1], command);
	if (waitpid(child, &status, 0) < 0)
		fail("wait for", "the container's process");
	if (parts.group && parts.below)
		remove_group(group, "/below");
	if (parts.group)
		remove_group(group, "");
	return exit_status(status);
}

int main(int argc, char **argv)
{
	int i = 1;
	for (; i < argc && strcmp(argv[i], "--") != 0 && !parts.channel; i++)
		add_part(argv[i]);
	char **command = argv + i + 1;
	if (strcmp(argv[0], "inside") == 0)
		inside(command);
	if (i + 1 >= argc)
		return fprintf(stderr, "usage: floor PART… -- COMMAND…\n"), 2;
	if (parts.seal)
		become_sealed_copy(&parts, argv);
	if (!parts.keeper)
		return outside(argv, command);
	int status;
	pid_t keeper = syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	if (keeper < 0)
		fail("clone", "the keeper");
	if (keeper == 0 && mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) < 0)
		fail("make private", "/");
	if (keeper == 0)
		return outside(argv, command);
	if (waitpid(keeper, &status, 0) < 0)
		fail("wait for", "the keeper");
	return exit_status(status);
}
