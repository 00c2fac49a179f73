/* The calls: each kernel_NAME is what swflip gets when it calls NAME (test/world/build renames
 * them in its object file). */
#define _GNU_SOURCE
#include "inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

enum { CALL_US = 5, SPIN = 50000 };

bool (*world_hook)(const struct call *, long *result);
struct line_device *line_of(unsigned major, unsigned minor);
void line_open(struct line_device *l);

static bool never(struct process *p)
{
	(void)p;
	return false;
}

static void stay_for_ever(const char *in)
{
	process_block(in, never, FOREVER, fault("killable"));
}

void world_late(int64_t ms)
{
	process_block("a call that takes long", never, world.clock + ms * 1000, false);
}

static long give(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static struct open *opened(int fd)
{
	return fd >= 0 && fd < FDS ? world.self->fd[fd] : NULL;
}

/* Every call begins here. True: a test wants it to fail, or to return that. */
static bool stopped(const struct call *call, long *result)
{
	static char file[400];
	struct call c = *call;
	const struct open *o = opened(c.fd);

	world.clock += CALL_US;
	world.outcome.calls++;
	if (++world.busy > SPIN) {
		world.outcome.spun = true;
		process_signal(process_find(world.first), SIGKILL);
		process_exit(SIGKILL);
	}
	if (!world_hook)
		return false;
	if (!c.file && o && o->node) {
		snprintf(file, sizeof file, "%s", files_path(o->node));
		c.file = file;
	}
	c.role = process_role();
	*result = -1;
	return world_hook(&c, result);
}

#define STOP(name, file, fd, request, data, size)                                           \
	do {                                                                                \
		const struct call call_ = {                                                 \
			name, file, request, data, __builtin_return_address(0), size, fd, 0 \
		};                                                                          \
		long result_;                                                               \
		if (stopped(&call_, &result_))                                              \
			return (__typeof__(THIS))result_;                                   \
	} while (0)

/* ---- files ---- */

static int new_fd(int least)
{
	for (int fd = least; fd < FDS; fd++)
		if (!world.self->fd[fd])
			return fd;
	return -EMFILE;
}

static int install(const struct ops *ops, int flags)
{
	int fd = new_fd(0);
	struct open *o;

	if (fd < 0)
		return fd;
	o = calloc(1, sizeof *o);
	if (!o)
		abort();
	o->ops = ops;
	o->refs = 1;
	o->flags = flags;
	world.self->fd[fd] = o;
	world.self->cloexec[fd] = flags & O_CLOEXEC;
	return fd;
}

void open_drop(struct open *o)
{
	if (--o->refs)
		return;
	if (world.lock == o)
		world.lock = NULL;
	if (o->ops && o->ops->close)
		o->ops->close(o);
	free(o);
}

static void lock_of(struct device *d, const char *in)
{
	if (d && d->locked_until > world.clock)
		process_block(in, never, d->locked_until, false);
}

static struct device *usb_of(unsigned minor)
{
	for (unsigned i = 0; i < DEVICES && usb_devices[i]; i++) {
		struct device *d = usb_devices[i];

		if (d->present && (d->bus - 1) * 128 + d->devnum - 1 == minor)
			return d;
	}
	return NULL;
}

static bool other_holds(const struct line_device *l)
{
	return l->exclusive && fault("user1000");
}

static long open_character(const struct node *n, int flags)
{
	struct line_device *l = line_of(n->major, n->minor);
	struct device *d = n->major == 189 ? usb_of(n->minor) : NULL;
	int fd;

	if (n->major == 1 && n->minor == 3)
		return install(&null_ops, flags);
	if (n->major == 1 && n->minor == 11) {
		fd = install(&sink_ops, flags);
		if (fd >= 0) {
			opened(fd)->sink = world.outcome.kmsg;
			opened(fd)->room = sizeof world.outcome.kmsg;
		}
		return fd;
	}
	if (d) {
		lock_of(d, "open");
		if (!d->present)
			return -ENODEV;
		fd = install(&usbfs_ops, flags);
		if (fd >= 0) {
			opened(fd)->device = d;
			opened(fd)->urb = calloc(URBS, sizeof(struct urb_slot));
			if (!opened(fd)->urb)
				abort();
		}
		return fd;
	}
	if (!l)
		return -ENXIO;
	if (other_holds(l))
		return -EBUSY;
	fd = install(l->tty ? &tty_ops : &wdm_ops, flags);
	if (fd >= 0) {
		opened(fd)->line = l;
		line_open(l);
	}
	return fd;
}

static const struct ops file_ops;

static bool writable(const char *path)
{
	return !fault("readonly") && (!strncmp(path, "/dev/", 5) || !strncmp(path, "/run/", 5) ||
				      !strncmp(path, "/tmp/", 5) || strrchr(path, '/') == path);
}

static long open_file(const char *path, int flags)
{
	struct node *n = files_find(path, true);
	long fd;

	if (files_hang(path, "open"))
		stay_for_ever("open");
	if (!n && flags & O_CREAT && writable(path))
		n = files_make(path, TEXT, "");
	if (!n)
		return -ENOENT;
	if (flags & O_DIRECTORY && n->is != DIRECTORY)
		return -ENOTDIR;
	if (n->is == DIRECTORY && (flags & O_ACCMODE) != O_RDONLY)
		return -EISDIR;
	if (fault("user1000") &&
	    (n->is == CHARACTER ? n->major != 1 : (flags & O_ACCMODE) != O_RDONLY))
		return -EACCES;
	fd = n->is == CHARACTER ? open_character(n, flags) : install(&file_ops, flags);
	if (fd >= 0)
		opened((int)fd)->node = n;
	return fd;
}

#define THIS (int)0
int kernel_open(const char *path, int flags, ...)
{
	STOP("open", path, -1, (unsigned)flags, NULL, 0);
	return (int)give(open_file(path, flags));
}

/* The path from the root on; "" where the directory is gone. */
static void path_at(int directory, const char *path, char *whole, size_t size)
{
	const struct open *o = opened(directory);

	if (directory == AT_FDCWD || *path == '/')
		snprintf(whole, size, "%s", path);
	else if (o && o->node && !o->node->gone)
		snprintf(whole, size, "%s/%s", files_path(o->node), path);
	else
		*whole = '\0';
}

int kernel_openat(int directory, const char *path, int flags, ...)
{
	char whole[400];

	path_at(directory, path, whole, sizeof whole);
	STOP("openat", whole, -1, (unsigned)flags, NULL, 0);
	return (int)give(*whole ? open_file(whole, flags) : -ENOENT);
}

int kernel_close(int fd)
{
	struct open *o = opened(fd);

	STOP("close", NULL, fd, 0, NULL, 0);
	if (!o)
		return (int)give(-EBADF);
	world.self->fd[fd] = NULL;
	open_drop(o);
	return 0;
}

int kernel_dup2(int from, int to)
{
	struct open *o = opened(from);

	STOP("dup2", NULL, from, 0, NULL, 0);
	if (!o || to < 0 || to >= FDS)
		return (int)give(-EBADF);
	if (from == to)
		return to;
	if (opened(to))
		open_drop(opened(to));
	o->refs++;
	world.self->fd[to] = o;
	world.self->cloexec[to] = false;
	return to;
}

int kernel_dup(int from)
{
	struct open *o = opened(from);
	int fd = new_fd(0);

	STOP("dup", NULL, from, 0, NULL, 0);
	if (!o)
		return (int)give(-EBADF);
	if (fd < 0)
		return (int)give(fd);
	o->refs++;
	world.self->fd[fd] = o;
	return fd;
}

int kernel_fcntl(int fd, int command, ...)
{
	struct open *o = opened(fd);
	long argument;
	int to;
	va_list ap;

	va_start(ap, command);
	argument = va_arg(ap, long);
	va_end(ap);
	STOP("fcntl", NULL, fd, (unsigned)command, NULL, 0);
	if (!o)
		return (int)give(-EBADF);
	switch (command) {
	case F_GETFL:
		return o->flags & ~O_CLOEXEC;
	case F_SETFL:
		o->flags = (o->flags & ~O_NONBLOCK) | ((int)argument & O_NONBLOCK);
		return 0;
	case F_GETFD:
		return world.self->cloexec[fd] ? FD_CLOEXEC : 0;
	case F_SETFD:
		world.self->cloexec[fd] = argument & FD_CLOEXEC;
		return 0;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		to = new_fd((int)argument);
		if (to < 0)
			return (int)give(to);
		o->refs++;
		world.self->fd[to] = o;
		return to;
	default:
		return (int)give(-EINVAL);
	}
}

static long file_read(struct open *o, void *buf, size_t n)
{
	struct node *f = o->node;

	if (files_hang(files_path(f), "read"))
		stay_for_ever("read");
	lock_of(f->device, "read");
	if (f->is == DIRECTORY)
		return -EISDIR;
	if (f->gone)
		return -ENODEV;
	if (o->at >= f->size)
		return 0;
	if (n > f->size - o->at)
		n = f->size - o->at;
	memcpy(buf, f->text + o->at, n);
	o->at += n;
	return (long)n;
}

static long file_write(struct open *o, const void *buf, size_t n)
{
	struct node *f = o->node;
	char text[64];

	if ((o->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (files_hang(files_path(f), "write"))
		stay_for_ever("write");
	if (f->gone)
		return -ENODEV;
	if (!f->write) {
		files_text(f, buf, n);
		return (long)n;
	}
	lock_of(f->device, "write");
	if (f->gone)
		return -ENODEV;
	snprintf(text, sizeof text, "%.*s", (int)n, (const char *)buf);
	return f->write(f, text, n);
}

static short file_poll(struct open *o)
{
	(void)o;
	return POLLIN | POLLOUT;
}

static const struct ops file_ops = { .read = file_read, .write = file_write, .poll = file_poll };

/* ---- waiting for files ---- */

static uint64_t bits_of(const sigset_t *set)
{
	uint64_t bits = 0;

	for (int s = 1; s < 64; s++)
		if (sigismember(set, s) == 1)
			bits |= (uint64_t)1 << s;
	return bits;
}

static short events_of(const struct process *p, int fd)
{
	struct open *o = fd >= 0 && fd < FDS ? p->fd[fd] : NULL;

	if (!o)
		return POLLNVAL;
	if (o->ops == &signal_ops)
		return (short)(p->pending & o->mask ? POLLIN : 0);
	if (!o->ops->poll)
		return POLLIN | POLLOUT;
	return o->ops->poll(o);
}

static bool poll_awake(struct process *p)
{
	for (unsigned i = 0; i < p->npolled; i++)
		if (p->polled[i].fd >= 0 &&
		    events_of(p, p->polled[i].fd) &
			    (p->polled[i].events | POLLHUP | POLLERR | POLLNVAL))
			return true;
	return false;
}

static int poll_until(struct pollfd *fds, nfds_t n, int64_t until)
{
	struct process *me = world.self;
	int ready = 0;

	if (n > LEN(me->polled))
		return -EINVAL;
	memcpy(me->polled, fds, n * sizeof *fds);
	me->npolled = (unsigned)n;
	process_block("poll", poll_awake, until, true);
	if (process_deliver())
		return -EINTR;
	for (nfds_t i = 0; i < n; i++) {
		int events = fds[i].fd < 0 ? 0 : events_of(world.self, fds[i].fd);

		fds[i].revents = (short)(events & (fds[i].events | POLLHUP | POLLERR | POLLNVAL));
		ready += fds[i].revents != 0;
	}
	return ready;
}

int kernel_poll(struct pollfd *fds, nfds_t n, int ms)
{
	STOP("poll", NULL, n ? fds->fd : -1, 0, NULL, 0);
	return (int)give(poll_until(fds, n, ms < 0 ? FOREVER : world.clock + (int64_t)ms * 1000));
}

int kernel_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	int64_t until = t ? world.clock + t->tv_sec * 1000000 + t->tv_nsec / 1000 : FOREVER;
	uint64_t before = world.self->blocked;
	int r;

	STOP("ppoll", NULL, n ? fds->fd : -1, 0, NULL, 0);
	if (mask)
		world.self->blocked = bits_of(mask);
	r = poll_until(fds, n, until);
	world.self->blocked = before;
	return (int)give(r);
}

/* Waits for a file that has nothing yet, if it is one that is waited for. */
static bool patient(const struct open *o, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (o->flags & O_NONBLOCK)
		return false;
	return poll_until(&p, 1, FOREVER) != -EINTR;
}

#undef THIS
#define THIS (ssize_t)0
ssize_t kernel_read(int fd, void *buf, size_t n)
{
	struct open *o = opened(fd);
	long r;

	STOP("read", NULL, fd, 0, NULL, n);
	if (!o)
		return give(-EBADF);
	do
		r = o->ops->read ? o->ops->read(o, buf, n) : -EINVAL;
	while (r == -EAGAIN && patient(o, fd, POLLIN));
	return give(r);
}

ssize_t kernel_write(int fd, const void *buf, size_t n)
{
	struct open *o = opened(fd);
	long r;

	STOP("write", NULL, fd, 0, buf, n);
	if (!o)
		return give(-EBADF);
	if ((o->flags & O_ACCMODE) == O_RDONLY)
		return give(-EBADF);
	do
		r = o->ops->write ? o->ops->write(o, buf, n) : -EBADF;
	while (r == -EAGAIN && patient(o, fd, POLLOUT));
	if (r == -EPIPE && o->ops->ioctl == NULL)
		process_signal(world.self, SIGPIPE);
	return give(r);
}

static ssize_t read_link(const char *path, char *buf, size_t size)
{
	struct node *n = files_find(path, false);
	size_t len;

	if (files_hang(path, "read"))
		stay_for_ever("readlink");
	if (!n)
		return -ENOENT;
	if (n->is != LINK)
		return -EINVAL;
	len = n->size < size ? n->size : size;
	memcpy(buf, n->text, len);
	return (ssize_t)len;
}

ssize_t kernel_readlink(const char *path, char *buf, size_t size)
{
	STOP("readlink", path, -1, 0, NULL, 0);
	return give(read_link(path, buf, size));
}

#undef THIS
#define THIS (int)0
int kernel_access(const char *path, int mode)
{
	const struct node *n;

	STOP("access", path, -1, 0, NULL, 0);
	n = files_find(path, true);
	if (!n)
		return (int)give(-ENOENT);
	return (int)give(mode & W_OK && fault("user1000") ? -EACCES : 0);
}

static unsigned mode_of(const struct node *n)
{
	static const unsigned modes[] = { [DIRECTORY] = S_IFDIR | 0755,
					  [TEXT] = S_IFREG | 0644,
					  [LINK] = S_IFLNK | 0777,
					  [CHARACTER] = S_IFCHR | 0600 };

	return modes[n->is];
}

static long stat_node(const struct node *n, struct stat *st)
{
	if (!n)
		return -ENOENT;
	memset(st, 0, sizeof *st);
	st->st_mode = mode_of(n);
	st->st_ino = n->ino;
	st->st_rdev = makedev(n->major, n->minor);
	st->st_size = (off_t)n->size;
	return 0;
}

int kernel_stat(const char *path, struct stat *st)
{
	STOP("stat", path, -1, 0, NULL, 0);
	return (int)give(stat_node(files_find(path, true), st));
}

int kernel_lstat(const char *path, struct stat *st)
{
	STOP("lstat", path, -1, 0, NULL, 0);
	return (int)give(stat_node(files_find(path, false), st));
}

int kernel_fstat(int fd, struct stat *st)
{
	STOP("fstat", NULL, fd, 0, NULL, 0);
	if (!opened(fd))
		return (int)give(-EBADF);
	if (opened(fd)->node)
		return (int)give(stat_node(opened(fd)->node, st));
	memset(st, 0, sizeof *st);
	st->st_mode = S_IFIFO | 0600;
	return 0;
}

static long statx_node(const struct node *n, struct statx *st)
{
	if (!n)
		return -ENOENT;
	memset(st, 0, sizeof *st);
	st->stx_mask = STATX_TYPE | STATX_INO;
	st->stx_mode = (uint16_t)mode_of(n);
	st->stx_ino = n->ino;
	st->stx_rdev_major = n->major;
	st->stx_rdev_minor = n->minor;
	return 0;
}

/* Names of a directory, as getdents64 packs them. o->at counts. */
static long directory_read(struct open *o, char *buf, size_t size)
{
	const struct node *n = o->node && !o->node->hidden ? o->node->child : NULL;
	size_t skip = o->at, used = 0;

	if (!o->node || o->node->is != DIRECTORY)
		return -ENOTDIR;
	if (files_hang(files_path(o->node), "read"))
		stay_for_ever("getdents64");
	if (o->node->gone)
		return -ENOENT;
	while (n && skip--)
		n = n->next;
	for (; n; n = n->next, o->at++) {
		size_t len = (19 + strlen(n->name) + 1 + 7) & ~(size_t)7;
		struct dirent64 *d = (void *)(buf + used);

		if (used + len > size)
			break;
		d->d_ino = n->ino;
		d->d_off = (off_t)o->at + 1;
		d->d_reclen = (unsigned short)len;
		d->d_type = n->is == DIRECTORY ? DT_DIR : n->is == LINK ? DT_LNK : DT_REG;
		strcpy(buf + used + 19, n->name);
		used += len;
	}
	return (long)used;
}

int kernel_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	STOP("mkdir", path, -1, 0, NULL, 0);
	if (files_find(path, true))
		return (int)give(-EEXIST);
	return (int)give(writable(path) && files_make(path, DIRECTORY, NULL) ? 0 : -EROFS);
}

int kernel_rmdir(const char *path)
{
	struct node *n = files_find(path, false);

	STOP("rmdir", path, -1, 0, NULL, 0);
	if (!n || n->is != DIRECTORY)
		return (int)give(n ? -ENOTDIR : -ENOENT);
	if (!n->hidden && n->child)
		return (int)give(-ENOTEMPTY);
	files_remove(n);
	return 0;
}

/* Is the fault to be told as a security module tells it? */
static bool is_denied(const char *word)
{
	const char *how = fault_value(word, 0);
	return how && !strcmp(how, "denied");
}

int kernel_mknod(const char *path, mode_t mode, dev_t dev)
{
	struct node *n;

	STOP("mknod", path, -1, 0, NULL, 0);
	if (mode != (S_IFCHR | 0600)) /* others could open a modem by it */
		return (int)give(-EINVAL);
	if (fault("nomknod") || fault("user1000"))
		return (int)give(is_denied("nomknod") ? -EACCES : -EPERM);
	if (files_find(path, false))
		return (int)give(-EEXIST);
	n = writable(path) ? files_make(path, CHARACTER, NULL) : NULL;
	if (!n)
		return (int)give(-EROFS);
	n->major = major(dev);
	n->minor = minor(dev);
	return 0;
}

int kernel_unlink(const char *path)
{
	struct node *n = files_find(path, false);

	STOP("unlink", path, -1, 0, NULL, 0);
	if (!n)
		return (int)give(-ENOENT);
	files_remove(n);
	return 0;
}

int kernel_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data)
{
	struct node *n = files_find(target, true);

	(void)source;
	(void)type;
	(void)flags;
	(void)data;
	STOP("mount", target, -1, 0, NULL, 0);
	if (!n)
		return (int)give(-ENOENT);
	if (!n->hidden)
		return (int)give(-EBUSY);
	n->hidden = false;
	return 0;
}

/* Does anybody else live? A process that hangs in a call holds what it calls into. */
static bool has_others(void)
{
	for (unsigned i = 0; i < PROCESSES; i++) {
		const struct process *p = &world.process[i];
		if (p != world.self && (p->state == READY || p->state == BLOCKED))
			return true;
	}
	return false;
}

int kernel_umount2(const char *target, int flags)
{
	struct node *n = files_find(target, true);

	STOP("umount2", target, -1, 0, NULL, 0);
	if (!n || n->hidden)
		return (int)give(-EINVAL);
	if (!(flags & MNT_DETACH) && has_others())
		return (int)give(-EBUSY);
	n->hidden = true;
	return 0;
}

int kernel_flock(int fd, int how)
{
	struct open *o = opened(fd);

	STOP("flock", NULL, fd, 0, NULL, 0);
	if (!o)
		return (int)give(-EBADF);
	if (fault("noflock"))
		return (int)give(-ENOSYS);
	if (how & LOCK_UN) {
		if (world.lock == o)
			world.lock = NULL;
		return 0;
	}
	if (world.lock && world.lock != o) {
		if (how & LOCK_NB)
			return (int)give(-EWOULDBLOCK);
		stay_for_ever("flock");
	}
	world.lock = o;
	return 0;
}

/* ---- terminals, ioctl ---- */

static struct termios console = { .c_lflag = ICANON | ECHO };

static struct termios *terminal(int fd)
{
	struct open *o = opened(fd);

	if (o && o->line && o->line->tty && !o->line->gone)
		return &o->line->termios;
	return o && o->sink == world.outcome.err && fault("terminal") ? &console : NULL;
}

static long no_terminal(int fd)
{
	struct open *o = opened(fd);

	return !o ? -EBADF : o->line && o->line->tty ? -EIO : -ENOTTY;
}

int kernel_tcgetattr(int fd, struct termios *t)
{
	STOP("tcgetattr", NULL, fd, 0, NULL, 0);
	if (!terminal(fd))
		return (int)give(no_terminal(fd));
	*t = *terminal(fd);
	return 0;
}

int kernel_tcsetattr(int fd, int when, const struct termios *t)
{
	(void)when;
	STOP("tcsetattr", NULL, fd, 0, NULL, 0);
	if (!terminal(fd))
		return (int)give(no_terminal(fd));
	*terminal(fd) = *t;
	return 0;
}

int kernel_tcflush(int fd, int queue)
{
	struct open *o = opened(fd);

	STOP("tcflush", NULL, fd, 0, NULL, 0);
	if (!terminal(fd))
		return (int)give(no_terminal(fd));
	if (!o->line)
		return 0;
	if (queue != TCOFLUSH) {
		o->ops->poll(o);
		o->line->ninput = 0;
	}
	if (queue != TCIFLUSH)
		o->line->unsent = 0;
	return 0;
}

int kernel_isatty(int fd)
{
	STOP("isatty", NULL, fd, 0, NULL, 0);
	return terminal(fd) ? 1 : (int)give(no_terminal(fd)) * 0;
}

static long do_ioctl(int fd, unsigned long request, void *data)
{
	struct open *o = opened(fd);

	if (!o)
		return -EBADF;
	return o->ops->ioctl ? o->ops->ioctl(o, request, data) : -ENOTTY;
}

int kernel_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *data;

	va_start(ap, request);
	data = va_arg(ap, void *);
	va_end(ap);
	STOP("ioctl", NULL, fd, request & 0xffffffff, data, 0);
	return (int)give(do_ioctl(fd, request & 0xffffffff, data));
}

/* ---- processes and signals ---- */

pid_t kernel_getpid(void)
{
	return world.self->pid;
}

pid_t kernel_getppid(void)
{
	return world.self->parent;
}

uid_t kernel_geteuid(void)
{
	return fault("user1000") ? 1000 : 0;
}

uid_t kernel_getuid(void)
{
	return kernel_geteuid();
}

pid_t kernel_fork(void)
{
	STOP("fork", NULL, -1, 0, NULL, 0);
	return process_fork();
}

pid_t kernel__Fork(void)
{
	STOP("_Fork", NULL, -1, 0, NULL, 0);
	return process_fork();
}

pid_t kernel_vfork(void)
{
	return (pid_t)give(-ENOSYS);
}

_Noreturn void kernel__exit(int status)
{
	process_exit((status & 0xff) << 8);
}

_Noreturn void kernel_exit(int status)
{
	process_exit((status & 0xff) << 8);
}

int kernel_setpgid(pid_t pid, pid_t group)
{
	struct process *p = pid ? process_find(pid) : world.self;

	STOP("setpgid", NULL, -1, 0, NULL, 0);
	if (!p)
		return (int)give(-ESRCH);
	p->group = group ? group : p->pid;
	return 0;
}

pid_t kernel_getpgrp(void)
{
	return world.self->group;
}

/* The terminal's own group: swflip's first process runs in it. */
pid_t kernel_tcgetpgrp(int fd)
{
	STOP("tcgetpgrp", NULL, fd, 0, NULL, 0);
	if (!terminal(fd))
		return (pid_t)give(no_terminal(fd));
	return fault("background") ? 1 : world.first;
}

pid_t kernel_setsid(void)
{
	STOP("setsid", NULL, -1, 0, NULL, 0);
	world.self->group = world.self->pid;
	return world.self->pid;
}

int kernel_kill(pid_t pid, int signal)
{
	bool found = false;

	STOP("kill", NULL, -1, 0, NULL, 0);
	for (struct process *p = world.process; p < world.process + PROCESSES; p++) {
		if (p->state == FREE || (pid > 0 ? p->pid != pid : p->group != -pid))
			continue;
		found = true;
		if (signal)
			process_signal(p, signal);
	}
	return (int)give(found ? 0 : -ESRCH);
}

static struct process *dead_child(struct process *me, pid_t pid, bool *any)
{
	*any = false;
	for (struct process *p = world.process; p < world.process + PROCESSES; p++) {
		if (p->state == FREE || p->parent != me->pid || (pid > 0 && p->pid != pid))
			continue;
		*any = true;
		if (p->state == ZOMBIE)
			return p;
	}
	return NULL;
}

static bool wait_awake(struct process *p)
{
	bool any;

	return dead_child(p, p->waited, &any) || !any;
}

pid_t kernel_waitpid(pid_t pid, int *status, int options)
{
	struct process *p;
	bool any;
	pid_t r;

	STOP("waitpid", NULL, -1, 0, NULL, 0);
	world.self->waited = pid;
	if (!(options & WNOHANG)) {
		process_block("waitpid", wait_awake, FOREVER, true);
		if (process_deliver())
			return (pid_t)give(-EINTR);
	}
	p = dead_child(world.self, pid, &any);
	if (!p)
		return any ? 0 : (pid_t)give(-ECHILD);
	if (status)
		*status = p->status;
	r = p->pid;
	p->state = FREE;
	return r;
}

int kernel_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	struct process *me = world.self;
	uint64_t bits = set ? bits_of(set) : 0, let;

	STOP("sigprocmask", NULL, -1, 0, NULL, 0);
	if (old) {
		sigemptyset(old);
		for (int s = 1; s < 64; s++)
			if (me->blocked >> s & 1)
				sigaddset(old, s);
	}
	if (!set)
		return 0;
	me->blocked = how == SIG_BLOCK     ? me->blocked | bits
		      : how == SIG_UNBLOCK ? me->blocked & ~bits
					   : bits;
	let = me->pending & ~me->blocked;
	me->pending &= me->blocked;
	for (int s = 1; s < 64; s++)
		if (let >> s & 1)
			process_signal(me, s);
	return 0;
}

int kernel_sigaction(int signal, const struct sigaction *wanted, struct sigaction *old)
{
	struct process *me = world.self;
	uint64_t bit = (uint64_t)1 << signal;

	STOP("sigaction", NULL, -1, 0, NULL, 0);
	if (old) {
		memset(old, 0, sizeof *old);
		old->sa_handler = me->handler[signal];
		if (me->ignored & bit)
			old->sa_handler = SIG_IGN;
	}
	if (!wanted)
		return 0;
	me->ignored &= ~bit;
	me->handler[signal] = NULL; /* SIG_DFL */
	if (wanted->sa_handler == SIG_IGN)
		me->ignored |= bit;
	else
		me->handler[signal] = wanted->sa_handler;
	return 0;
}

#undef THIS
#define THIS (sighandler_t)0
sighandler_t kernel_signal(int signal, sighandler_t handler)
{
	struct sigaction wanted = { .sa_handler = handler }, old = { 0 };

	STOP("signal", NULL, -1, 0, NULL, 0);
	kernel_sigaction(signal, &wanted, &old);
	return old.sa_handler;
}
#undef THIS
#define THIS (int)0

int kernel_signalfd(int fd, const sigset_t *mask, int flags)
{
	STOP("signalfd", NULL, -1, 0, NULL, 0);
	if (fault("nosignalfd"))
		return (int)give(-ENOSYS);
	if (fd < 0)
		fd = install(&signal_ops, flags & SFD_NONBLOCK ? O_NONBLOCK : 0);
	if (fd < 0)
		return (int)give(fd);
	opened(fd)->mask = bits_of(mask);
	return fd;
}

int kernel_sigpending(sigset_t *set)
{
	STOP("sigpending", NULL, -1, 0, NULL, 0);
	sigemptyset(set);
	for (int s = 1; s < 64; s++)
		if (world.self->pending >> s & 1)
			sigaddset(set, s);
	return 0;
}

/* Only as a look: whoever waits here gives no time. */
int kernel_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *t)
{
	uint64_t have = world.self->pending & bits_of(set);

	STOP("sigtimedwait", NULL, -1, 0, NULL, 0);
	if (!have && t && (t->tv_sec || t->tv_nsec))
		abort();
	if (!have)
		return (int)give(-EAGAIN);
	if (info)
		memset(info, 0, sizeof *info);
	for (int s = 1; s < 64; s++)
		if (have >> s & 1) {
			world.self->pending &= ~((uint64_t)1 << s);
			return s;
		}
	return -1;
}

/* What the next program would find that swflip did not. */
static const char *left_to_next(void)
{
	static const char *const places[] = { "/proc", "/sys" };

	if (world.self->blocked != world.blocked)
		return "a signal is blocked";
	if (world.self->ignored != world.ignored)
		return "a signal is ignored";
	for (int fd = 3; fd < FDS; fd++)
		if (world.self->fd[fd] && !world.self->cloexec[fd])
			return "a descriptor is open";
	for (size_t i = 0; i < LEN(places); i++)
		if (files_find(places[i], true)->hidden != fault("unmounted"))
			return "something is mounted";
	return NULL;
}

int kernel_execv(const char *file, char *const argv[])
{
	int n = snprintf(world.exec, sizeof world.exec, "%s", file);

	STOP("execv", file, -1, 0, NULL, 0);
	if (!files_find(file, true))
		return (int)give(-ENOENT);
	for (char *const *a = argv + 1; argv[0] && *a; a++)
		n += snprintf(world.exec + n, sizeof world.exec - (size_t)n, " %s", *a);
	world.outcome.exec = world.exec;
	world.left = left_to_next();
	process_exit(0);
}

int kernel_setrlimit(int what, const struct rlimit *limit)
{
	(void)what;
	(void)limit;
	STOP("setrlimit", NULL, -1, 0, NULL, 0);
	return 0;
}

mode_t kernel_umask(mode_t mask)
{
	(void)mask;
	return 022;
}

/* ---- memory ---- */

static _Alignas(4096) char shared[1 << 18];
static size_t shared_used;

void kernel_memory_reset(void)
{
	memset(shared, 0, shared_used);
	shared_used = 0;
}

#undef THIS
#define THIS (void *)0
void *kernel_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	void *p = shared + shared_used;

	(void)at;
	(void)fd;
	(void)offset;
	STOP("mmap", NULL, -1, 0, NULL, 0);
	n = (n + 4095) & ~(size_t)4095;
	if (protection != (PROT_READ | PROT_WRITE) || !(flags & MAP_SHARED) ||
	    shared_used + n > sizeof shared) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	shared_used += n;
	return p;
}
#undef THIS
#define THIS (int)0

int kernel_munmap(void *at, size_t n)
{
	(void)at;
	(void)n;
	STOP("munmap", NULL, -1, 0, NULL, 0);
	return 0;
}

/* ---- the clock ---- */

int kernel_clock_gettime(clockid_t clock, struct timespec *t)
{
	(void)clock;
	if (++world.busy > SPIN)
		STOP("clock_gettime", NULL, -1, 0, NULL, 0);
	world.clock++;
	t->tv_sec = world.clock / 1000000;
	t->tv_nsec = world.clock % 1000000 * 1000;
	return 0;
}

int kernel_nanosleep(const struct timespec *t, struct timespec *left)
{
	STOP("nanosleep", NULL, -1, 0, NULL, 0);
	process_block("nanosleep", never, world.clock + t->tv_sec * 1000000 + t->tv_nsec / 1000,
		      true);
	if (left)
		memset(left, 0, sizeof *left);
	return (int)give(process_deliver() ? -EINTR : 0);
}

/* ---- uevents ---- */

int kernel_socket(int family, int type, int protocol)
{
	int fd;

	(void)protocol;
	STOP("socket", NULL, -1, 0, NULL, 0);
	if (family != AF_NETLINK || fault("nonetlink"))
		return (int)give(-EAFNOSUPPORT);
	fd = install(&uevent_ops, type & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	return (int)give(fd);
}

int kernel_bind(int fd, const struct sockaddr *name, socklen_t size)
{
	uint32_t groups; /* struct sockaddr_nl: family, sender, groups */

	STOP("bind", NULL, fd, 0, NULL, 0);
	if (!opened(fd) || fault("bind-fails"))
		return (int)give(opened(fd) ? -EACCES : -EBADF);
	if (size != 12)
		return (int)give(-EINVAL);
	memcpy(&groups, (const char *)name + 8, sizeof groups);
	uevents_listen(opened(fd), groups & 1);
	return 0;
}

int kernel_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	(void)level;
	(void)option;
	(void)value;
	(void)size;
	STOP("setsockopt", NULL, fd, 0, NULL, 0);
	return 0;
}

#undef THIS
#define THIS (ssize_t)0
ssize_t kernel_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from,
			socklen_t *size)
{
	struct open *o = opened(fd);
	char message[512];
	uint32_t name[3] = { AF_NETLINK, 0, 1 };
	long r;

	STOP("recvfrom", NULL, fd, 0, NULL, 0);
	if (!o)
		return give(-EBADF);
	if (flags & MSG_OOB)
		return give(-EOPNOTSUPP);
	do
		r = o->ops->read(o, message, sizeof message);
	while (r == -EAGAIN && !(flags & MSG_DONTWAIT) && patient(o, fd, POLLIN));
	if (r <= 0)
		return give(r);
	if (*message)
		name[1] = 4711;
	r--;
	if (n > (size_t)r)
		n = (size_t)r;
	memcpy(buf, message + 1, n);
	if (from && size) {
		memcpy(from, name, *size < sizeof name ? *size : sizeof name);
		*size = sizeof name;
	}
	return (ssize_t)n;
}

/* ---- by number ---- */

#undef THIS
#define THIS (long)0
long kernel_syscall(long number, ...)
{
	long a[5]; /* as many as there are registers for */
	va_list ap;

	va_start(ap, number);
	for (unsigned i = 0; i < LEN(a); i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (number) {
	case SYS_getdents64:
		STOP("getdents64", NULL, (int)a[0], 0, NULL, 0);
		if (!opened((int)a[0]))
			return give(-EBADF);
		return give(directory_read(opened((int)a[0]), (char *)a[1], (size_t)a[2]));
	case SYS_statx:
		STOP("statx", (const char *)a[1], -1, 0, NULL, 0);
		return give(statx_node(files_find((const char *)a[1], true), (struct statx *)a[4]));
	case SYS_clock_gettime:
		return kernel_clock_gettime((clockid_t)a[0], (struct timespec *)a[1]);
	case SYS_ioctl:
		STOP("ioctl", NULL, (int)a[0], a[1] & 0xffffffff, (const void *)a[2], 0);
		return give(do_ioctl((int)a[0], a[1] & 0xffffffff, (void *)a[2]));
	case SYS_fork:
		return kernel_fork();
	default:
		abort();
	}
}
