/* USB/IP: between the modem and the kernel's vhci-hcd. */
#define _GNU_SOURCE
#include "inside.h"
#include "usbip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEADER = 48, SUBMIT = 1, UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };

struct urb { /* waits for an answer */
	struct urb *next;
	uint32_t seq;
	unsigned ep; /* address, 0 for control */
	size_t len;
};

int usbip_socket = -1;
static struct urb *urbs;
static size_t nin;
static unsigned char inbuf[1 << 18];

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Header and data in one piece. Between them vhci_rx holds a transfer that is no more to be
 * unlinked but still in its queue, and whoever flushes that queue tries again and again with
 * interrupts off: a machine with one processor stood still for good if vhci_rx had to wait. */
static void reply(uint32_t command, uint32_t seq, int status, size_t actual, const void *data,
		  size_t len)
{
	uint32_t h[HEADER / 4] = { htonl(command), htonl(seq), [5] = htonl((uint32_t)status),
				   htonl((uint32_t)actual) };
	struct iovec parts[] = { { h, sizeof h }, { (void *)data, len } };
	const struct msghdr whole = { .msg_iov = parts, .msg_iovlen = LEN(parts) };
	ssize_t sent = sendmsg(usbip_socket, &whole, MSG_NOSIGNAL);

	/* If it is closed the reading side will notice; signals come in elsewhere. */
	if (sent >= 0 && (size_t)sent < sizeof h + len)
		die("only %zd of %zu bytes are sent", sent, sizeof h + len);
}

static void waiting(uint32_t seq, unsigned ep, size_t len)
{
	struct urb *u = malloc(sizeof *u), **p = &urbs;

	if (!u)
		die("out of memory");
	*u = (struct urb){ .seq = seq, .ep = ep, .len = len };
	while (*p)
		p = &(*p)->next;
	*p = u;
}

/* False while the modem has nothing for it. */
static bool complete(struct modem *which, const struct urb *u)
{
	unsigned char *data = malloc(u->len + 1);
	int n;

	if (!data)
		die("out of memory");
	n = modem_in(which, u->ep, data, u->len);
	if (n != NOTYET)
		reply(RET_SUBMIT, u->seq, n < 0 ? n : 0, n < 0 ? 0 : (size_t)n, data,
		      n < 0 ? 0 : (size_t)n);
	free(data);
	return n != NOTYET;
}

void usbip_pump(struct modem *which)
{
	for (struct urb **p = &urbs, *u; (u = *p);) {
		if (!(u->ep & 0x80) || !complete(which, u)) {
			p = &u->next;
			continue;
		}
		*p = u->next;
		free(u);
	}
}

/* What is not answered stays: its UNLINK, or the end of the socket, settles it. */
static void control(struct modem *which, uint32_t seq, const unsigned char *setup,
		    const unsigned char *data)
{
	unsigned char answer[MAXMSG];
	int n = modem_control(which, setup, data, answer);
	bool in = setup[0] & 0x80;

	if (n == NEVER)
		waiting(seq, 0, le16(setup + 6));
	else if (n < 0)
		reply(RET_SUBMIT, seq, n, 0, NULL, 0);
	else
		reply(RET_SUBMIT, seq, 0, in ? (size_t)n : le16(setup + 6), answer,
		      in ? (size_t)n : 0);
}

static void submit(struct modem *which, const unsigned char *h, const unsigned char *data)
{
	uint32_t seq = be32(h + 4), len = be32(h + 24);
	unsigned ep = be32(h + 16) & 15;
	int n;

	if (!ep) {
		control(which, seq, h + 40, data);
		return;
	}
	if (be32(h + 12)) { /* IN */
		waiting(seq, ep | 0x80, len);
		usbip_pump(which);
		return;
	}
	n = modem_out(which, ep, data, len);
	if (n == NEVER)
		waiting(seq, ep, len);
	else
		reply(RET_SUBMIT, seq, n < 0 ? n : 0, n < 0 ? 0 : (size_t)n, NULL, 0);
}

/* One that waits is forgotten; of one that was answered the kernel knows already. */
static void forget(const unsigned char *h)
{
	uint32_t which = be32(h + 20);
	int status = 0;

	for (struct urb **p = &urbs, *u; (u = *p); p = &u->next)
		if (u->seq == which) {
			*p = u->next;
			free(u);
			status = -ECONNRESET;
			break;
		}
	reply(RET_UNLINK, be32(h + 4), status, 0, NULL, 0);
}

/* What came from the kernel: headers of 48 bytes, after some of them data. */
bool usbip_read(struct modem *which)
{
	ssize_t got = recv(usbip_socket, inbuf + nin, sizeof inbuf - nin, MSG_DONTWAIT);
	size_t from = 0, n;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return false;
	for (nin += (size_t)got; usbip_socket >= 0 && nin - from >= HEADER; from += n) {
		const unsigned char *h = inbuf + from;
		bool data = be32(h) == SUBMIT && !be32(h + 12);

		n = HEADER + (data ? be32(h + 24) : 0);
		if (n > sizeof inbuf)
			die("transfer of %zu bytes", n);
		if (n > nin - from)
			break;
		if (be32(h) == SUBMIT)
			submit(which, h, h + HEADER);
		else if (be32(h) == UNLINK)
			forget(h);
		else
			die("USB/IP command %lu", (unsigned long)be32(h));
	}
	nin -= from;
	memmove(inbuf, inbuf + from, nin);
	return true;
}

static unsigned fromsys(const char *name)
{
	char path[128], s[16] = "";
	FILE *f;

	snprintf(path, sizeof path, "/sys/devices/platform/vhci_hcd.0/%s", name);
	f = fopen(path, "re");
	if (!f || !fgets(s, sizeof s, f))
		die("%s:", path);
	fclose(f);
	return (unsigned)strtoul(s, NULL, 10);
}

/* The ports of all controllers are numbered through: each has as many high-speed as super-speed
 * ones. */
static unsigned numbered(unsigned port, unsigned controller)
{
	char path[64];
	unsigned controllers = 0, each;

	do
		snprintf(path, sizeof path, "/sys/devices/platform/vhci_hcd.%u", controllers);
	while (!access(path, F_OK) && ++controllers);
	if (controller >= controllers)
		die("no controller vhci_hcd.%u", controller);
	each = fromsys("nports") / controllers;
	return controller * each + (port >= 15 ? each / 2 + port - 15 : port);
}

bool usbip_attach(struct modem *which)
{
	char s[64];
	unsigned controller, port = modem_port(which, &controller);
	int pair[2], fd, n;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair:");
	n = snprintf(s, sizeof s, "%u %d %u %u", numbered(port, controller), pair[1],
		     1 + controller * 64 + port, (unsigned)modem_speed(which));
	fd = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("attach:");
	usbip_socket = pair[0];
	if (write(fd, s, (size_t)n) != n) {
		if (errno != EBUSY)
			die("attach %s:", s);
		close(usbip_socket);
		usbip_socket = -1;
	}
	close(fd);
	close(pair[1]);
	return usbip_socket >= 0;
}

void usbip_detach(struct modem *which)
{
	(void)which;
	for (struct urb *u; (u = urbs); free(u))
		urbs = u->next;
	if (usbip_socket >= 0)
		close(usbip_socket);
	usbip_socket = -1;
	nin = 0;
}
