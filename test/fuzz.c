/* fuzz - bytes from nowhere, for the functions of swflip.c that read what it did not write
 *
 * Five targets: answers (AT), descriptors, words (kernel command line, targets), uevents,
 * frames (QMI, MBIM). What must hold of any bytes is held to by must(). The whole program is
 * test/fuzz-modem.c's.
 *
 * With libFuzzer (test/fuzz) the environment's FUZZ names the target. Without, main() plays all
 * of test/corpus again, and every file of it cut short and with a bit turned over. */
#define _GNU_SOURCE
#include <sys/types.h>

/* What swflip says of it is of no interest: its write() is this one. */
ssize_t write(int fd, const void *data, size_t n) __asm__("write_nowhere");
ssize_t write_nowhere(int fd, const void *data, size_t n);

/* What a port's `peer` link holds is the fuzzer's: its readlink() is this one. */
ssize_t readlink(const char *file, char *target, size_t size) __asm__("readlink_bytes");
ssize_t readlink_bytes(const char *file, char *target, size_t size);

#include "native.h"

ssize_t write_nowhere(int fd, const void *data, size_t n)
{
	(void)fd;
	(void)data;
	return (ssize_t)n;
}

static const uint8_t *link_bytes;
static size_t link_size;

ssize_t readlink_bytes(const char *file, char *target, size_t size)
{
	size_t n = link_size < size ? link_size : size;

	(void)file;
	memcpy(target, link_bytes, n);
	return (ssize_t)n;
}

#include "replay.h"

static int fuzz_answers(const uint8_t *data, size_t size)
{
	static const char *const commands[] = { "ATI",        "AT!UDUSBCOMP?", "AT!UDUSBCOMP=?",
						"AT!UDPID=?", "AT!USBCOMP=?",  "" };
	static struct link l;
	struct answer a = { .pid = UNKNOWN };
	size_t piece = size ? data[0] % 64u + 1 : 1;
	const char *command = commands[size ? data[0] / 64u : 0];
	char *copy;
	uint32_t value;

	memset(&l, 0, sizeof l);
	begin_answer(&l);
	for (size_t i = 1; i < size; i += piece) {
		size_t n = size - i < piece ? size - i : piece;

		memcpy(l.received, data + i, n);
		take_bytes(&l, command, (int)n);
		must(l.used < ANSWER_SIZE && l.line <= l.used, "an answer's length");
		must(strlen(l.text) == l.used, "an answer's end");
	}
	end_answer(&l, command);
	copy = strdup(l.text); /* with nothing behind it */
	if (!copy)
		return 0;
	parse_rows(&a, copy);
	must(a.rows <= LEN(a.row), "rows");
	parse_pids(&a, copy);
	must(a.pids <= LEN(a.pid_list), "PIDs");
	parse_bitmask(&a, copy);
	must(parse_pid(copy) <= 0xffff, "a PID");
	read_value(copy, "!UDUSBCOMP", 10, &value);
	read_value(copy, "Config Type", 10, &value);
	read_value(copy, "Interface bitmask", 16, &value);
	for (unsigned i = 0; i < a.rows; i++)
		must(!a.row[i].supported || strcasestr(copy, "SUPPORTED"), "a row out of nothing");
	free(copy);
	return 0;
}

static int fuzz_descriptors(const uint8_t *data, size_t size)
{
	struct modem m;
	uint8_t *copy = malloc(size ? size : 1);

	memset(&m, 0, sizeof m);
	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	m.active = 1;
	if (read_descriptors(&m, copy, size)) {
		kind_of(&m);
		must(m.configurations <= LEN(m.configuration), "configurations");
		for (unsigned c = 0; c < m.configurations; c++) {
			const struct configuration *one = &m.configuration[c];

			must(one->interfaces <= LEN(one->interface), "interfaces");
			functions_of(&m, one);
			for (unsigned i = 0; i < one->interfaces; i++)
				function_of(&m, &one->interface[i]);
		}
	}
	free(copy);
	return 0;
}

/* The first byte says whether the rest is a target or the kernel's command line. */
static int fuzz_words(const uint8_t *data, size_t size)
{
	static __typeof__(g) before;
	struct given given = { { NULL }, { NULL } };
	char *copy = malloc(size + 1);
	struct target t;

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	g = before;
	memset(&t, 0, sizeof t);
	if (*copy != 'T') {
		g.shared = &g.own;
		given.text[SET_CODE] = "A710";
		if (read_kernel_words(copy, &given) == GO_ON && apply_options(&given) == GO_ON)
			must(strlen(g.code) >= 4 && strlen(g.code) <= 15, "a code");
		must(g.targets <= LEN(g.target), "targets");
	} else if (!parse_target(&t, copy + 1)) {
		must(!t.port[0] || port_length(t.port) == strlen(t.port), "a port");
		must(t.mode != MODE_NAMES || t.value, "no function");
		must(t.pid == UNKNOWN || (t.pid >= 0 && t.pid <= 0xffff), "a PID");
	}
	free(copy);
	return 0;
}

static int fuzz_uevents(const uint8_t *data, size_t size)
{
	static struct slot slot = { .port = "1-1.2", .peer = "2-1.2" };
	char *copy = malloc(size + 1);
	char peer[PORT_SIZE];

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	g.me = size && data[0] & 1 ? &slot : NULL;
	is_news(copy);
	g.me = NULL;
	path_has_port(copy, "1-1");
	is_device_name(copy);
	must(port_length(copy) <= size, "a port");
	link_bytes = (const uint8_t *)copy;
	link_size = size;
	find_peer(size & 1 ? "1-1" : "1-1.4", peer);
	must(port_length(peer) == strlen(peer), "a peer");
	free(copy);
	return 0;
}

/* One frame, taken for the answer to a question, bare or inside MBIM. */
static void take_frame(struct link *l, const uint8_t *data, size_t size, bool mbim, bool dms)
{
	uint8_t ask[MBIM_COMMAND_HEADER + 13] = { 0 }, *q = ask + MBIM_COMMAND_HEADER;
	const uint8_t *p = l->received;
	size_t n = size, length;
	struct answer a;

	memset(l, 0xff, sizeof *l);
	l->message_length = 0;
	memcpy(l->received, data, size);
	memcpy(ask, tunnel, sizeof tunnel);
	put32(ask, MBIM_COMMAND);
	put32(ask + 8, 4);
	q[4] = dms ? DMS : CTL;
	q[5] = dms ? 10 : 0;
	q[6] = dms ? 2 : 1;
	q[7] = 4;
	put16(q + (dms ? 13 : 12) - 4, dms ? SWI_GET_USB_COMPOSITION : GET_CLIENT_ID);
	if (mbim) {
		if (!take_fragment(l, size) || judge_mbim(l, ask, MBIM_STATUS) != QMI_OK)
			return;
		must(l->message_length <= sizeof l->message, "a message's length");
		if (l->message_length <= MBIM_COMMAND_HEADER)
			return;
		p = l->message + MBIM_COMMAND_HEADER;
		n = l->message_length - MBIM_COMMAND_HEADER;
	}
	if (!is_qmi_answer(l, p, n, q))
		return;
	must(l->tlvs >= p && l->tlvs + l->tlvs_length <= p + n, "an answer beyond its frame");
	for (unsigned type = 0; type < 0x20; type++) {
		const uint8_t *v = find_tlv(l, (uint8_t)type, &length);

		must(!v || (v >= l->tlvs && v + length <= l->tlvs + l->tlvs_length),
		     "a TLV beyond its answer");
	}
	if (parse_qmi_composition(l, &a))
		must(a.rows <= LEN(a.row), "rows");
}

/* MBIM fragments, as long as each says it is: however they lie, the message stays in its room. */
static void take_fragments(struct link *l, const uint8_t *data, size_t size)
{
	memset(l, 0, sizeof *l);
	while (size >= 2) {
		size_t n = (size_t)(data[0] | data[1] << 8) % (FRAME_SIZE + 1);

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		memcpy(l->received, data, n);
		take_fragment(l, n);
		must(l->message_length <= sizeof l->message, "a message's length");
		data += n;
		size -= n;
	}
}

static int fuzz_frames(const uint8_t *data, size_t size)
{
	static struct link l;

	take_fragments(&l, data, size);
	for (int i = 0; size <= FRAME_SIZE && i < 4; i++)
		take_frame(&l, data, size, i & 1, i & 2);
	return 0;
}

const struct fuzzer fuzzers[] = {
	{ "answers", fuzz_answers }, { "descriptors", fuzz_descriptors }, { "words", fuzz_words },
	{ "uevents", fuzz_uevents }, { "frames", fuzz_frames },           { NULL, NULL },
};
