/* spawn COUNT COMMAND [ARGUMENT ...]
 *
 * Runs the command COUNT times, one after another, its output thrown away, and prints a line for
 * each run: wall seconds, CPU seconds, peak memory in KiB. Stops when a run fails. A program of its
 * own, because a shell and date(1) cost more than the difference that is looked for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static void become(char **command) {
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0) {
        execvp(command[0], command);
    }
    perror(command[0]);
    _exit(127);
}

/* True when the command ran and succeeded. */
static int run(char **command) {
    struct rusage usage;
    int status;
    double begin = wall_now();
    pid_t child = vfork();
    if (child == 0) {
        become(command);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("spawn");
        return 0;
    }
    printf("%.9f %.9f %ld\n", wall_now() - begin, seconds(usage.ru_utime) + seconds(usage.ru_stime),
           usage.ru_maxrss);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv) {
    long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (count < 1) {
        fprintf(stderr, "usage: spawn COUNT COMMAND [ARGUMENT ...]\n");
        return 2;
    }
    while (count > 0 && run(argv + 2)) {
        count--;
    }
    return count == 0 ? 0 : 1;
}
