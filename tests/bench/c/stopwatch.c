/* Starts a command again and again, and prints for each time how many nanoseconds it took and the
   most KiB of memory that one of its processes had.

     stopwatch RUNS AT-ONCE COMMAND [ARGUMENT…]

   With AT-ONCE above 1, so many start together, and a line is about all of them. It is a small
   program because a child begins with the memory of its parent, and the kernel counts that too
   (getrusage(2), ru_maxrss). */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In seconds. A run that takes longer hangs. */
#define BOUND 120

static pid_t children[1024];
static volatile sig_atomic_t started;

static void end_them(int signal)
{
	(void)signal;
	for (int i = 0; i < started; i++)
		if (children[i] > 0)
			kill(children[i], SIGKILL);
	static const char text[] = "it did not end\n";
	ssize_t ignored = write(2, text, sizeof text - 1);
	(void)ignored;
	_exit(1);
}

static void fail(const char *what)
{
	fprintf(stderr, "stopwatch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec time;
	if (clock_gettime(CLOCK_MONOTONIC, &time) < 0)
		fail("clock_gettime");
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return fprintf(stderr, "usage: stopwatch RUNS AT-ONCE COMMAND…\n"), 2;
	int runs = atoi(argv[1]), at_once = atoi(argv[2]);
	char **command = argv + 3;
	if (runs < 1 || at_once < 1 || at_once > 1024)
		return fprintf(stderr, "stopwatch: at least 1, at most 1024 at once\n"), 2;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing < 0)
		fail("/dev/null");
	signal(SIGALRM, end_them);
	for (int run = 0; run < runs; run++) {
		long most = 0;
		alarm(BOUND);
		started = 0;
		long long begin = now();
		for (int i = 0; i < at_once; i++) {
			/* The child has this memory, and this process waits, until it executes. */
			pid_t child = vfork();
			if (child < 0)
				fail("vfork");
			if (child == 0) {
				dup2(nothing, 0);
				dup2(nothing, 1);
				execvp(command[0], command);
				_exit(127);
			}
			children[i] = child;
			started = i + 1;
		}
		for (int i = 0; i < at_once; i++) {
			struct rusage used;
			int status;
			while (wait4(children[i], &status, 0, &used) < 0)
				if (errno != EINTR)
					fail("wait4");
			children[i] = 0;
			if (status != 0)
				return fprintf(stderr, "it ended with wait status %#x\n", status), 1;
			if (used.ru_maxrss > most)
				most = used.ru_maxrss;
		}
		printf("%lld %ld\n", now() - begin, most);
	}
	return 0;
}
