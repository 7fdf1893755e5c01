/* What one start consists of. Each part is a word of the command line, so that a part can be
   switched on and its cost be seen. */

#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>

/* The ids of a container of root's that has others than the machine (as stage 12). */
#define SHIFTED "0 1879048192 65536"

struct parts {
	int namespaces;		/* uts ipc pid mnt user net: the flags of clone(2) */
	int lines;		/* lines=N: of each id map, for root; 0: all ids */
	bool proc;		/* proc: a private copy of the mounts, and a /proc */
	const char *root;	/* rootfs=DIR: pivot_root(2) */
	const char *layers;	/* layers=DIR: the folders DIR/0, DIR/1 … are an image */
	int count;		/* count=N: of them */
	const char *place;	/* place=DIR: a folder to mount a root on that is made of layers */
	bool furnish;		/* furnish: /sys, /dev and read-only knobs */
	const char *group;	/* limit=PATH: make a cgroup PATH-PID, with a limit */
	bool reexec;		/* reexec: the program runs itself again, inside */
	bool pipe;		/* pipe: and reads the command from a channel */
	bool keeper;		/* keeper: a process between the first and the container's */
	bool ids;		/* ids: the root's files have other owners (idmapped mounts) */
	bool masks;		/* masks: cover what shows the machine in /proc and /sys */
	bool locked;		/* locked: a helper mounts, and the container takes a copy */
	bool below;		/* below: a cgroup namespace, and a group below the limits */
	const char *seal;	/* seal=FILE: a sealed copy of this file, and run one of itself */
	bool caps;		/* caps: no capability is left */
	const char *filter;	/* filter=FILE: no_new_privs and these instructions, for seccomp(2) */
	int channel;		/* channel=FD: for the second start */
};

/* Ends the process: what could not be done, to what, and why. */
_Noreturn void fail(const char *what, const char *object);
void write_file(const char *path, const char *text);

/* mounts.c */
void set_up_mounts(const struct parts *parts);
void protect_proc(const struct parts *parts);

/* walls.c */
void show_other_owners(const struct parts *parts);
void run_a_helper(void);
void become_sealed_copy(const struct parts *parts, char **argv);
void drop_capabilities(void);
void read_filter(const char *file);
void install_filter(void);

#endif
