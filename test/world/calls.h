/* The calls that are played: kernel_NAME for NAME. */
#ifndef CALLS_H
#define CALLS_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <termios.h>
#include <time.h>

int kernel_open(const char *path, int flags, ...);
int kernel_openat(int directory, const char *path, int flags, ...);
int kernel_close(int fd);
int kernel_dup2(int from, int to);
int kernel_dup(int from);
int kernel_fcntl(int fd, int command, ...);
int kernel_poll(struct pollfd *fds, nfds_t n, int ms);
int kernel_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask);
ssize_t kernel_read(int fd, void *buf, size_t n);
ssize_t kernel_write(int fd, const void *buf, size_t n);
ssize_t kernel_readlink(const char *path, char *buf, size_t size);
int kernel_access(const char *path, int mode);
int kernel_stat(const char *path, struct stat *st);
int kernel_lstat(const char *path, struct stat *st);
int kernel_fstat(int fd, struct stat *st);
int kernel_mkdir(const char *path, mode_t mode);
int kernel_rmdir(const char *path);
int kernel_mknod(const char *path, mode_t mode, dev_t dev);
int kernel_unlink(const char *path);
int kernel_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data);
int kernel_umount2(const char *target, int flags);
int kernel_flock(int fd, int how);
int kernel_tcgetattr(int fd, struct termios *t);
int kernel_tcsetattr(int fd, int when, const struct termios *t);
int kernel_tcflush(int fd, int queue);
int kernel_isatty(int fd);
int kernel_ioctl(int fd, unsigned long request, ...);
pid_t kernel_fork(void);
pid_t kernel__Fork(void);
pid_t kernel_vfork(void);
pid_t kernel_getpid(void);
pid_t kernel_getppid(void);
uid_t kernel_geteuid(void);
uid_t kernel_getuid(void);
_Noreturn void kernel__exit(int status);
_Noreturn void kernel_exit(int status);
int kernel_setpgid(pid_t pid, pid_t group);
pid_t kernel_setsid(void);
pid_t kernel_getpgrp(void);
pid_t kernel_tcgetpgrp(int fd);
int kernel_kill(pid_t pid, int signal);
pid_t kernel_waitpid(pid_t pid, int *status, int options);
int kernel_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int kernel_sigaction(int signal, const struct sigaction *wanted, struct sigaction *old);
sighandler_t kernel_signal(int signal, sighandler_t handler);
int kernel_signalfd(int fd, const sigset_t *mask, int flags);
int kernel_sigpending(sigset_t *set);
int kernel_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *t);
int kernel_execv(const char *file, char *const argv[]);
int kernel_setrlimit(int what, const struct rlimit *limit);
mode_t kernel_umask(mode_t mask);
void *kernel_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int kernel_munmap(void *at, size_t n);
void kernel_memory_reset(void);
int kernel_clock_gettime(clockid_t clock, struct timespec *t);
int kernel_nanosleep(const struct timespec *t, struct timespec *left);
int kernel_socket(int family, int type, int protocol);
int kernel_bind(int fd, const struct sockaddr *name, socklen_t size);
int kernel_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
ssize_t kernel_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from,
			socklen_t *size);
long kernel_syscall(long number, ...);

#endif
