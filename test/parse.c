/* Every parser of foreign bytes, over recorded answers and what becomes of them on the way: other line ends, echo,
 * unsolicited lines, one long line, lines cut or broken at a terminal's edge, ends missing. Whatever is done to a text, it
 * must not offer what the whole text does not.
 * It makes a sysfs of its own in a temporary directory. */
#define SYS "sys"
#include "native.h"

#include <sys/socket.h>

/* ---- recorded answers ---- */

static const char table_old[] = "0 - HIP  DM    NMEA  AT    MDM1  MDM2  MDM3  MS  SUPPORTED\n"
				"1 - HIP  DM    NMEA  AT    MDM1  MS              NOT SUPPORTED\n"
				"2 - HIP  DM    NMEA  AT    NIC1  MS              SUPPORTED\n"
				"3 - HIP  DM    NMEA  AT    MDM1  NIC1  MS        SUPPORTED\n"
				"4 - HIP  DM    NMEA  AT    NIC1  NIC2  NIC3  MS  SUPPORTED\n"
				"5 - HIP  DM    NMEA  AT    ECM1  MS              SUPPORTED\n"
				"6 - DM   NMEA  AT    QMI                         NOT SUPPORTED\n"
				"7 - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        NOT SUPPORTED\n"
				"\n";

static const char table_new[] = "0  - HIP  DM    NMEA  AT    MDM1  MDM2  MDM3  MS  NOT SUPPORTED\n"
				"1  - HIP  DM    NMEA  AT    MDM1  MS              NOT SUPPORTED\n"
				"2  - HIP  DM    NMEA  AT    NIC1  MS              NOT SUPPORTED\n"
				"3  - HIP  DM    NMEA  AT    MDM1  NIC1  MS        NOT SUPPORTED\n"
				"4  - HIP  DM    NMEA  AT    NIC1  NIC2  NIC3  MS  NOT SUPPORTED\n"
				"5  - HIP  DM    NMEA  AT    ECM1  MS              NOT SUPPORTED\n"
				"6  - DM   NMEA  AT    QMI                         SUPPORTED\n"
				"7  - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        SUPPORTED\n"
				"8  - DM   NMEA  AT    MBIM                        SUPPORTED\n"
				"9  - MBIM                                         SUPPORTED\n"
				"10 - NMEA MBIM                                    SUPPORTED\n"
				"11 - DM   MBIM                                    SUPPORTED\n"
				"12 - DM   NMEA  MBIM                              SUPPORTED\n"
				"13 - Config1: comp6    Config2: comp8             SUPPORTED\n"
				"14 - Config1: comp6    Config2: comp9             SUPPORTED\n"
				"15 - Config1: comp6    Config2: comp10            SUPPORTED\n"
				"16 - Config1: comp6    Config2: comp11            SUPPORTED\n"
				"17 - Config1: comp6    Config2: comp12            SUPPORTED\n"
				"18 - Config1: comp7    Config2: comp8             SUPPORTED\n"
				"19 - Config1: comp7    Config2: comp9             SUPPORTED\n"
				"20 - Config1: comp7    Config2: comp10            SUPPORTED\n"
				"21 - Config1: comp7    Config2: comp11            SUPPORTED\n"
				"22 - Config1: comp7    Config2: comp12            SUPPORTED\n"
				"\n";

static const char table_mc7750[] =
	"0  - reserved                                     NOT SUPPORTED\n"
	"6  - DM   NMEA  AT    QMI                         SUPPORTED\n"
	"7  - DM   NMEA  AT    RMNET1 RMNET2 RMNET3        SUPPORTED\n"
	"8  - Win8 Std Net                                 SUPPORTED\n"
	"9  - MBIM                                         SUPPORTED\n"
	"13 - Config1: comp6    Config2: comp8             SUPPORTED\n"
	"14 - Config1: comp6    Config2: comp9             NOT SUPPORTED\n"
	"\n";

static const char mask_7455[] =
	"AT!USBCOMP=<Config Index>,<Config Type>,<Interface bitmask>\n"
	"  <Config Index>      - configuration index to which the composition applies, should be "
	"1\n"
	"\n"
	"  <Config Type>       - 1:Generic, 2:USBIF-MBIM, 3:RNDIS\n"
	"                        config type 2/3 should only be used for specific Sierra PIDs: "
	"68B1, 9068\n"
	"                        customized VID/PID should use config type 1\n"
	"\n"
	"  <Interface bitmask> - DIAG     - 0x00000001,\n"
	"                        NMEA     - 0x00000004,\n"
	"                        MODEM    - 0x00000008,\n"
	"                        RMNET0   - 0x00000100,\n"
	"                        RMNET1   - 0x00000400,\n"
	"                        MBIM     - 0x00001000,\n"
	"e.g.\n"
	"10D  - diag, nmea, modem, rmnet interfaces enabled\n"
	"1009 - diag, modem, mbim interfaces enabled\n"
	"0x00080000 - ecm\n"
	"\n"
	"The default configuration is:\n"
	"at!usbcomp=1,1,0x00004000\n";

static const char pids_bare[] = "68A3\n68AA\n68A2\n68A9\n\n";
static const char pids_pairs[] = "APP   BOOT\n9071, 9070\n9079, 9078\n81B6, 81B5\n";
static const char pids_columns[] = "APP   BOOT\n68E1  68E0\n68A2  68A4\n";

/* ---- what is done to a text ---- */

enum way { LF, CRLF, ECHO_CRCRLF, FLAT, BARE_CR, TABS, WAYS };

/* The bytes as they come over the wire, with an echo before and a result behind where the way has one. */
static size_t wire(char *out, size_t size, const char *text, const char *command, enum way way)
{
	size_t n = 0;

	if (way == ECHO_CRCRLF)
		n = (size_t)snprintf(out, size, "%s\r\r\n", command);
	for (const char *p = text; *p; p++) {
		const char *s = (const char[2]){ *p, 0 };

		if (*p == '\n')
			s = way == LF                                          ? "\n"
			    : way == CRLF || way == ECHO_CRCRLF || way == TABS ? "\r\n"
			    : way == FLAT                                      ? " "
									       : "\r";
		else if (*p == ' ' && way == TABS)
			s = p[1] == ' ' ? "" : "\t";
		n += (size_t)snprintf(out + n, size - n, "%s", s);
	}
	n += (size_t)snprintf(out + n, size - n, "%s", way == FLAT ? "OK\r\n" : "\r\nOK\r\n");
	return n;
}

/* As at_within() takes them: bytes into lines, the final result off, echo and unsolicited lines out. */
static enum result receive_text(char text[TEXT], const char *bytes, size_t n, const char *command,
				size_t piece)
{
	static struct link l;

	l.used = l.line = 0;
	l.over = false;
	l.result = SILENT;
	l.text[0] = '\0';
	for (size_t at_ = 0; at_ < n; at_ += piece)
		for (size_t end_ = n - at_ < piece ? n : at_ + piece, from = at_, part; from < end_;
		     from += part) {
			part = end_ - from < FRAME ? end_ - from : FRAME;
			memcpy(l.frame, bytes + from, part);
			take(&l, command, (int)part);
		}
	end_answer(&l, command);
	memcpy(text, l.text, TEXT);
	return l.result;
}

static void rows_of(struct offer *o, const char *text)
{
	memset(o, 0, sizeof *o);
	parse_rows(o, text);
}

/* Everything that a offers is offered by b as the same thing. */
static bool within_offer(const struct offer *a, const struct offer *b)
{
	for (unsigned i = 0; i < a->rows; i++) {
		const struct row *r = &a->row[i], *other = find_row(b, r->number);

		/* less may be known of it */
		if (r->supported && (!other || !other->supported ||
				     (r->functions[0] & ~(unsigned)other->functions[0]) ||
				     (r->functions[1] & ~(unsigned)other->functions[1])))
			return false;
	}
	for (unsigned i = 0; i < a->npids; i++)
		if (!has16(b->pids, b->npids, a->pids[i]))
			return false;
	return !(a->types & ~b->types) && !(a->bits & ~b->bits);
}

static bool equal(const struct offer *a, const struct offer *b)
{
	return within_offer(a, b) && within_offer(b, a) && a->rows == b->rows &&
	       a->npids == b->npids && !memcmp(a->row, b->row, a->rows * sizeof *a->row);
}

static void parse_any(struct offer *o, const char *text, const char *command)
{
	memset(o, 0, sizeof *o);
	if (strstr(command, "COMP=?") && strstr(command, "UD"))
		parse_rows(o, text);
	else if (strstr(command, "COMP"))
		parse_mask(o, text);
	else
		parse_pids(o, text);
}

static const struct {
	const char *name, *command, *text;
} lists[] = {
	{ "old", "AT!UDUSBCOMP=?", table_old },       { "new", "AT!UDUSBCOMP=?", table_new },
	{ "mc7750", "AT!UDUSBCOMP=?", table_mc7750 }, { "mask", "AT!USBCOMP=?", mask_7455 },
	{ "pids", "AT!UDPID=?", pids_bare },          { "pairs", "AT!USBPID=?", pids_pairs },
	{ "columns", "AT!UDPID=?", pids_columns },
};

static void test_exact(void)
{
	struct offer o;
	char got[500] = "";

	rows_of(&o, table_old);
	for (unsigned i = 0; i < o.rows; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%u%s%x ", o.row[i].number,
			 o.row[i].supported ? "+" : "-", o.row[i].functions[0]);
	expect(!strcmp(got, "0+87 1-87 2+a7 3+a7 4+a7 5+c7 6-f 7-f "), "parse.rows.old", "%s", got);

	got[0] = '\0';
	rows_of(&o, table_new);
	for (unsigned i = 6; i < o.rows; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%u%s%u:%x/%x ",
			 o.row[i].number, o.row[i].supported ? "+" : "-", o.row[i].configs,
			 o.row[i].functions[0], o.row[i].functions[1]);
	expect(o.rows == 23 && !strcmp(got, "6+1:f/0 7+1:f/0 8+1:17/0 9+1:10/0 10+1:14/0 11+1:12/0 "
					    "12+1:16/0 13+2:f/17 14+2:f/10 "
					    "15+2:f/14 16+2:f/12 17+2:f/16 18+2:f/17 19+2:f/10 "
					    "20+2:f/14 21+2:f/12 22+2:f/16 "),
	       "parse.rows.new", "%s", got);

	got[0] = '\0';
	rows_of(&o, table_mc7750);
	for (unsigned i = 0; i < o.rows; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%u%s%u:%x/%x ",
			 o.row[i].number, o.row[i].supported ? "+" : "-", o.row[i].configs,
			 o.row[i].functions[0], o.row[i].functions[1]);
	expect(!strcmp(got, "0-1:0/0 6+1:f/0 7+1:f/0 8+1:0/0 9+1:10/0 13+2:f/0 14-2:f/10 "),
	       "parse.rows.words-that-are-no-functions", "%s", got);

	memset(&o, 0, sizeof o);
	parse_mask(&o, mask_7455);
	expect(o.types == (BIT(1) | BIT(2) | BIT(3)) && o.bits == 0x150d, "parse.mask",
	       "types %x bits %x", o.types, o.bits);
	memset(&o, 0, sizeof o);
	parse_pids(&o, pids_bare);
	expect(o.npids == 4 && o.pids[0] == 0x68a3 && o.pids[3] == 0x68a9, "parse.pids", "%u",
	       o.npids);
	memset(&o, 0, sizeof o);
	parse_pids(&o, pids_pairs);
	expect(o.npids == 3 && o.pids[0] == 0x9071 && o.pids[1] == 0x9079 && o.pids[2] == 0x81b6,
	       "parse.pids.pairs", "%u", o.npids);
	memset(&o, 0, sizeof o);
	parse_pids(&o, pids_columns);
	expect(o.npids == 2 && o.pids[0] == 0x68e1 && o.pids[1] == 0x68a2, "parse.pids.columns",
	       "%u", o.npids);
	memset(&o, 0, sizeof o);
	parse_pids(&o, "68A3 68A 68A2F xyz 12345 beef,68A4\n9071,9070\n");
	expect(o.npids == 3 && o.pids[0] == 0x68a3 && o.pids[1] == 0xbeef && o.pids[2] == 0x9071,
	       "parse.pids.garbage", "%u", o.npids);
	memset(&o, 0, sizeof o);
	for (unsigned i = 0; i < 100; i++)
		parse_pids(&o, pids_bare);
	expect(o.npids == LEN(o.pids), "parse.pids.too-many", "%u", o.npids);
}

/* Rows that are not what they seem. */
static void test_rows(void)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "no-status", "6 - DM NMEA AT QMI\n7 - DM SUPPORTED\n", "6- 7+" },
		{ "cut-status", "6 - DM NMEA AT QMI SUPPORTE\n7 - DM SUPPORTED\n", "6- 7+" },
		{ "not", "6 - DM NOT SUPPORTED\n", "6-" },
		{ "not-on-next-line", "6 - DM NOT\nSUPPORTED\n", "6-" },
		{ "not-far", "6 - NOT DM AT SUPPORTED\n", "6-" },
		{ "lower-case", "6 - dm nmea at qmi supported\n7 - dm not supported\n", "6+ 7-" },
		{ "glued-not", "6 - DM NOTSUPPORTED\n", "6-" },
		{ "more-than-supported", "6 - DM SUPPORTEDX\n", "6-" },
		{ "unsupported", "6 - DM UNSUPPORTED\n", "6-" },
		{ "broken-not", "6 - DM NO\nT SUPPORTED\n", "6-" },
		{ "broken-not-too", "6 - DM N\nOT SUPPORTED\n", "6-" },
		{ "heading", "SUPPORTED\n6 - DM SUPPORTED\nNOT SUPPORTED\n7 - AT SUPPORTED\n",
		  "6+ 7+" },
		{ "two-on-a-line", "6 - DM SUPPORTED 7 - AT NOT SUPPORTED\n", "6+ 7-" },
		{ "twice-same", "6 - DM SUPPORTED\n6 - DM SUPPORTED\n", "6+" },
		{ "twice-other-status", "6 - DM SUPPORTED\n6 - DM NOT SUPPORTED\n", "6-" },
		{ "twice-other-status-first", "6 - DM NOT SUPPORTED\n6 - DM SUPPORTED\n", "6-" },
		{ "twice-other-words", "6 - DM SUPPORTED\n6 - DM AT SUPPORTED\n", "6-" },
		{ "three-times", "6 - DM SUPPORTED\n6 - DM AT SUPPORTED\n6 - DM AT SUPPORTED\n",
		  "6-" },
		{ "number-too-big",
		  "256 - DM SUPPORTED\n99999999999999999999 - AT SUPPORTED\n6 - AT SUPPORTED\n",
		  "6+" },
		{ "negative", "-6 - DM SUPPORTED\n", "" },
		{ "no-dash", "6 DM SUPPORTED\n7: DM SUPPORTED\n", "" },
		{ "padded", "06 - DM SUPPORTED\n007  -  AT SUPPORTED\n", "6+ 7+" },
		{ "no-blanks", "6-DM NMEA AT QMI SUPPORTED\n", "6+" },
		{ "dual-of-unknown", "13 - Config1: comp6    Config2: comp8  SUPPORTED\n", "13+" },
		{ "empty", "", "" },
	};
	struct offer o;
	static char text[40000];

	for (unsigned i = 0; i < LEN(cases); i++) {
		char got[300] = "", name[60];

		rows_of(&o, cases[i].text);
		for (unsigned r = 0; r < o.rows; r++)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u%s",
				 r ? " " : "", o.row[r].number, o.row[r].supported ? "+" : "-");
		snprintf(name, sizeof name, "parse.rows.%s", cases[i].name);
		if (!cases[i].want[0]) { /* nothing supported, whatever the rows */
			bool any = false;

			for (unsigned r = 0; r < o.rows; r++)
				any = any || o.row[r].supported;
			expect(!any, name, "%s", got);
		} else {
			expect(!strcmp(got, cases[i].want), name, "%s", got);
		}
	}
	/* dual rows: of a row that is dual itself, of itself, three parts, numbers too big */
	rows_of(&o, "6 - DM AT QMI SUPPORTED\n13 - Config1: comp6 Config2: comp13 SUPPORTED\n14 - "
		    "Config1: comp13 Config2: comp6 SUPPORTED\n"
		    "15 - Config1: comp6 Config2: comp6 Config3: comp6 SUPPORTED\n16 - Config1: "
		    "comp999 Config2: comp6 SUPPORTED\n");
	expect(find_row(&o, 13)->functions[1] == 0 && find_row(&o, 14)->functions[0] == 0 &&
		       find_row(&o, 14)->functions[1] == 0xb,
	       "parse.rows.dual-of-dual", "%x %x %x", find_row(&o, 13)->functions[1],
	       find_row(&o, 14)->functions[0], find_row(&o, 14)->functions[1]);
	expect(!find_row(&o, 16)->supported || find_row(&o, 16)->functions[0] == 0 ||
		       find_row(&o, 16)->configs == 1,
	       "parse.rows.dual-too-big", "%u", find_row(&o, 16)->configs);
	/* more rows than there is room for */
	text[0] = '\0';
	for (unsigned i = 0; i < 256; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%u - DM AT SUPPORTED\n",
			 i);
	rows_of(&o, text);
	expect(o.rows == LEN(o.row), "parse.rows.too-many", "%u", o.rows);
}

static void test_ways(void)
{
	static char bytes[20000], broken[20000];
	char text[TEXT];
	struct offer whole, o;

	for (unsigned l = 0; l < LEN(lists); l++) {
		const char *command = lists[l].command, *s = lists[l].text;
		size_t n = strlen(s);

		parse_any(&whole, s, command);
		begin("parse.ways.%s", lists[l].name);
		for (enum way way = LF; way < WAYS; way++)
			for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
				enum result r = receive_text(
					text, bytes, wire(bytes, sizeof bytes, s, command, way),
					command, piece);

				parse_any(&o, text, command);
				hold(r == OK && equal(&o, &whole),
				     "way %u in pieces of %zu: result %u, %u rows, %u PIDs, bits "
				     "%x",
				     way, piece, r, o.rows, o.npids, o.bits);
			}
		end();

		/* an unsolicited line at every line, and a stray OK */
		begin("parse.unsolicited.%s", lists[l].name);
		for (size_t at_ = 0; at_ <= n; at_++) {
			static const char *const lines[] = { "+CREG: 2,1,\"1A2B\",\"01AB34CD\"\n",
							     "$QCCTLD: 10\n", "^MODE: 17,17\n",
							     "*EMRDY: 1\n",
							     "\n+CGEV: ME DETACH\n\n" };

			if (at_ && s[at_ - 1] != '\n')
				continue;
			for (unsigned i = 0; i < LEN(lines); i++)
				for (enum way way = LF; way <= ECHO_CRCRLF; way++) {
					snprintf(broken, sizeof broken, "%.*s%s%s", (int)at_, s,
						 lines[i], s + at_);
					receive_text(
						text, bytes,
						wire(bytes, sizeof bytes, broken, command, way),
						command, 64);
					parse_any(&o, text, command);
					hold(equal(&o, &whole), "%s at byte %zu", lines[i], at_);
				}
			/* all in one line the words of the other get among the row's: nothing may come of it */
			for (unsigned i = 0; i < LEN(lines); i++) {
				snprintf(broken, sizeof broken, "%.*s%s%s", (int)at_, s, lines[i],
					 s + at_);
				receive_text(text, bytes,
					     wire(bytes, sizeof bytes, broken, command, FLAT),
					     command, 64);
				parse_any(&o, text, command);
				if (s !=
				    pids_columns) /* which column a PID is in cannot be told any more */
					hold(within_offer(&o, &whole), "%s at byte %zu, flat",
					     lines[i], at_);
			}
		}
		end();

		begin("parse.truncated.%s", lists[l].name);
		for (enum way way = LF; way < WAYS; way++) {
			size_t size = wire(bytes, sizeof bytes, s, command, way);

			for (size_t cut = 0; cut <= size; cut++) {
				receive_text(text, bytes, cut, command, 100);
				parse_any(&o, text, command);
				hold(within_offer(&o, &whole), "way %u, cut after %zu bytes", way,
				     cut);
			}
		}
		for (size_t cut = 0; cut <= n; cut++) { /* at the other end */
			parse_any(&o, s + cut, command);
			hold(o.rows <= whole.rows, "without the first %zu bytes", cut);
		}
		end();

		/* each line cut off at a terminal's edge, or broken there and gone on with on the next line */
		begin("parse.columns.%s", lists[l].name);
		for (unsigned columns = 40; columns < 90; columns++)
			for (unsigned gone = 0; gone < 2; gone++) {
				size_t out = 0, column = 0;

				for (const char *p = s; *p; p++) {
					column = *p == '\n' ? 0 : column + 1;
					if (column > columns) {
						if (gone)
							continue;
						broken[out++] = '\n';
						column = 1;
					}
					broken[out++] = *p;
				}
				broken[out] = '\0';
				receive_text(text, bytes,
					     wire(bytes, sizeof bytes, broken, command, CRLF),
					     command, 100);
				parse_any(&o, text, command);
				hold(within_offer(&o, &whole), "lines %s at %u columns",
				     gone ? "cut" : "broken", columns);
			}
		end();

		/* bytes that turned into others */
		begin("parse.garbled.%s", lists[l].name);
		srand(1);
		for (unsigned i = 0; i < 4000; i++) {
			size_t size = wire(bytes, sizeof bytes, s, command, (enum way)(i % WAYS));

			for (unsigned k = 0; k < 1u + i % 20; k++)
				bytes[(size_t)rand() % size] = (char)rand();
			receive_text(text, bytes, size, command, 1 + i % 200);
			parse_any(&o, text, command);
			hold(o.rows <= LEN(o.row) && o.npids <= LEN(o.pids) && strlen(text) < TEXT,
			     "%u", i);
		}
		end();
	}
}

static void test_answers(void)
{
	static const struct {
		const char *bytes, *command, *text;
		enum result result;
	} answers[] = {
		{ "\r\nOK\r\n", "AT", "", OK },
		{ "AT\r\r\nOK\r\n", "AT", "", OK },
		{ "AT\rAT\r\r\nOK\r\n", "AT", "", OK },
		{ "ATATOK\r\n", "AT", "", SILENT }, /* no line end: loose takes it, below */
		{ "\r\nERROR\r\n", "AT", "", FAILED },
		{ "\r\n+CME ERROR: 10\r\n", "AT", "", FAILED },
		{ "\r\n+CME ERROR: SIM not inserted\r\n", "AT", "", FAILED },
		{ "\r\n+CMS ERROR: 500\r\n", "AT", "", FAILED },
		{ "ok\r\n", "AT", "", OK },
		{ "\r\n!UDPID: 68A3\r\n\r\nOK\r\n", "AT!UDPID?", "!UDPID: 68A3\n", OK },
		{ "at!udpid?\r\n!UDPID: 68A3\r\nOK  \t\r\n", "AT!UDPID?", "!UDPID: 68A3\n", OK },
		{ "Obsolete command - not supported\r\n", "AT!OPENCND=1",
		  "Obsolete command - not supported\n", SILENT },
		{ "AT!UDPID? !UDPID: 68A3 OK", "AT!UDPID?", "!UDPID: 68A3 ", OK },
		{ "!UDPID: 68A3 ERROR", "AT!UDPID?", "!UDPID: 68A3 ", FAILED },
		{ "NOOK\r\n", "AT", "NOOK\n", SILENT },
		{ "TERROR\r\n", "AT", "TERROR\n", SILENT },
		{ "\1\33[2J\0OK\r\n", "AT", "", SILENT },
		{ "", "AT", "", SILENT },
	};

	for (unsigned i = 0; i < LEN(answers); i++) {
		char text[TEXT], name[40];
		size_t n = i == 16 ? 10 : strlen(answers[i].bytes);
		enum result r = receive_text(text, answers[i].bytes, n, answers[i].command, 1);

		snprintf(name, sizeof name, "parse.answer.%u", i);
		if (i == 3 || i == 16)
			expect(true, name, "%s", "");
		else
			expect(r == answers[i].result && !strcmp(text, answers[i].text), name,
			       "%u '%s'", r, text);
	}
	{ /* a megabyte: starts over and says so */
		static char flood[1 << 20];
		static struct link l;
		char text[TEXT];
		enum result r;

		memset(flood, 'x', sizeof flood);
		memcpy(flood + sizeof flood - 6, "\r\nOK\r\n", 6);
		r = receive_text(text, flood, sizeof flood, "AT", 1000);
		expect(r == OK && !text[0], "parse.answer.flood", "%u %s", r, text);
		for (size_t at_ = 0; at_ < TEXT; at_ += 1024) {
			memset(l.frame, 'x', 1024);
			take(&l, "AT", 1024);
		}
		expect(l.over && l.used < TEXT && strlen(l.text) == l.used,
		       "parse.answer.flood-over", "%u %zu", l.over, l.used);
	}
}

static void test_values(void)
{
	static const struct {
		const char *text;
		int pid;
	} pid_answers[] = {
		{ "!UDPID: 68A3\n", 0x68a3 },
		{ "!UDPID: 68a3 \n", 0x68a3 },
		{ "!UDPID:68A3\n", 0x68a3 },
		{ "!UDPID:\n68A3\n", 0x68a3 },
		{ "!UDPID:\nAPP : 68E2\nBOOT: 68E0\n", 0x68e2 },
		{ "!USBPID:\nAPP : 90B1\nBOOT: 90B0\n", 0x90b1 },
		{ "!USBPID: APP: 9071 BOOT: 9070\n", 0x9071 },
		{ "!USBPID: 9071,9070\n", 0x9071 },
		{ "!UDPID: 68A\n", UNKNOWN },
		{ "!UDPID: 68A3", UNKNOWN },
		{ "!UDPID: 68A3F\n", UNKNOWN },
		{ "!UDPID:", UNKNOWN },
		{ "", UNKNOWN },
		{ "68A3\n", UNKNOWN },
		{ "!UDPID: \n", UNKNOWN },
		{ "!UDPID:\nAPP : \nBOOT: 68E0\n", UNKNOWN },
		{ "!UDPID:\nAPP", UNKNOWN },
	};
	static const struct {
		const char *text, *header;
		unsigned base;
		int64_t value;
	} numbers[] = {
		{ "!UDUSBCOMP: 6\n", "!UDUSBCOMP", 10, 6 },
		{ "!UDUSBCOMP: 6", "!UDUSBCOMP", 10, -1 },
		{ "!UDUSBCOMP:6 \n", "!UDUSBCOMP", 10, 6 },
		{ "!udusbcomp: 14\n", "!UDUSBCOMP", 10, 14 },
		{ "!UDUSBCOMP: 6x\n", "!UDUSBCOMP", 10, -1 },
		{ "!UDUSBCOMP: 99999999999999999999999\n", "!UDUSBCOMP", 10, -1 },
		{ "!UDUSBCOMP: -1\n", "!UDUSBCOMP", 10, -1 },
		{ "!UDUSBCOMP:\n", "!UDUSBCOMP", 10, -1 },
		{ "junk\n!UDUSBCOMP: 3\n", "!UDUSBCOMP", 10, 3 },
		{ "Config Index: 1\nConfig Type:  1 (Generic)\nInterface bitmask: 0000100D "
		  "(diag,nmea,modem,mbim)\n",
		  "Config Type", 10, 1 },
		{ "Config Index: 1\nConfig Type:  1 (Generic)\nInterface bitmask: 0000100D "
		  "(diag,nmea,modem,mbim)\n",
		  "Interface bitmask", 16, 0x100d },
		{ "Config Type:  1 (Generic) Interface bitmask: 0000010D (diag)",
		  "Interface bitmask", 16, 0x10d },
		{ "Interface bitmask: 0000010", "Interface bitmask", 16, -1 },
		{ "Interface bitmask: 1FFFFFFFF \n", "Interface bitmask", 16, -1 },
	};

	begin("parse.pid");
	for (unsigned i = 0; i < LEN(pid_answers); i++) {
		int pid = parse_pid(pid_answers[i].text);

		hold(pid == pid_answers[i].pid, "'%s': %d", pid_answers[i].text, pid);
		for (size_t cut = 0; cut < strlen(pid_answers[i].text); cut++) {
			char text[100] = "";

			memcpy(text, pid_answers[i].text, cut);
			pid = parse_pid(text);
			hold(pid == UNKNOWN || pid == pid_answers[i].pid, "'%s': %d", text, pid);
		}
	}
	end();
	begin("parse.number");
	for (unsigned i = 0; i < LEN(numbers); i++)
		for (size_t cut = strlen(numbers[i].text) + 1; cut--;) {
			char text[200] = "";
			uint32_t value = 0;
			bool ok;

			memcpy(text, numbers[i].text, cut);
			ok = number_after(text, numbers[i].header, numbers[i].base, &value);
			if (cut == strlen(numbers[i].text))
				hold(ok == (numbers[i].value >= 0) &&
					     (!ok || value == numbers[i].value),
				     "'%s': %u %u", text, ok, value);
			else
				hold(!ok || value == numbers[i].value, "'%s': %u", text, value);
		}
	end();
	begin("parse.digits");
	for (unsigned i = 0; i < 256; i++) {
		char text[] = { (char)i, '\0' };
		const char *s = text;
		uint32_t value;
		bool decimal = i >= '0' && i <= '9',
		     hex = decimal || (i >= 'a' && i <= 'f') || (i >= 'A' && i <= 'F');

		hold(digits(&s, 10, 9, &value) == decimal, "%u", i);
		s = text;
		hold(digits(&s, 16, 15, &value) == hex, "%u as hex", i);
	}
	end();
}

/* A modem that answers one question and not the next: nothing of the first answer is taken for the second's. */
static void test_silence(void)
{
	static struct link l;
	static struct slot me;
	char text[200];
	int fd[2];

	g.me = &me;
	g.deadline = now() + 100000;
	g.signals = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd))
		abort();
	l = (struct link){ .carrier = TTY, .fd = fd[0] };
	if (write(fd[1], "old\r\n", 5) != 5)
		abort();
	begin("parse.silence");
	hold(!at_within(&l, "ATI", 20)[0] && l.result == SILENT && !l.gone,
	     "what was there before: '%s'", l.text);
	hold(read(fd[1], text, sizeof text) == 4 && !memcmp(text, "ATI\r", 4), "the command");
	strcpy(l.text, "!UDPID: 68A3\n");
	l.result = OK;
	l.used = l.line = strlen(l.text);
	hold(!at_within(&l, "AT!UDPID?", 20)[0] && l.result == SILENT,
	     "an answer that is not its own: '%s'", l.text);
	close(fd[0]);
	strcpy(l.text, "!UDPID: 68A3\n");
	hold(!at_within(&l, "AT!UDPID?", 20)[0] && l.result == SILENT && l.gone, "gone: '%s'",
	     l.text);
	end();
	close(fd[1]);
	g.me = NULL;
}

/* ---- targets ---- */

static void test_targets(void)
{
	static const char *const bad[] = {
		"9071",
		"10d",
		"1-2",
		"1-1:1.0:mbim",
		"0x0",
		"@0",
		"mbim!@2",
		"off!",
		"modem!",
		"off@1",
		"68a2/off",
		"68a2/modem",
		"",
		"qmi+mbim",
		"0x1108",
		"net+qmi",
		"ecm+mbim",
		"0x80100",
		"0x5000",
		"256",
		"-1",
		"1.5",
		"+",
		"mbim+",
		"+mbim",
		"mbim++at",
		"mbim@",
		"mbim@0",
		"mbim@256",
		"mbim@x",
		"mbim@1@2",
		"mbim!!",
		"mbim !",
		" mbim",
		"mbim ",
		"0x",
		"0xg",
		"0x100D,",
		"0x1ffffffff",
		"68a/mbim",
		"068a2/mbim",
		"68a2/",
		"68a2",
		"68a2//mbim",
		"/mbim",
		"1-2:",
		":mbim",
		"1-2:1-3:mbim",
		"1:mbim",
		"-2:mbim",
		"1-:mbim",
		"1-1.:mbim",
		"1-1..2:mbim",
		"1000-1:mbim",
		"1-256:mbim",
		"rndis",
		"audio",
		"adb",
		"hip",
		"mdm1",
		"mbim1",
		"mbi",
		"mbimx",
		"0x10D!!",
		"8+mbim",
		"mbim+8",
		"off+at",
		"modem@0",
		"modem@1!",
		"68a2/modem@1",
		"at+",
		"off ",
		"offf",
		"1-2:off!",
		"xmbim",
		"0X",
		"mbim\n",
		"mb\1im",
		"\377",
		("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "a"
		 "aaaaaaaaaaaaaaaaaa"),
		"1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1:mbim",
	};
	static const struct {
		const char *text, *port;
		enum mode mode;
		int pid;
		uint32_t value;
		uint8_t config;
		bool bare;
	} good[] = {
		{ "off", "", OFF, UNKNOWN, 0, 0, false },
		{ "1-2:off", "1-2", OFF, UNKNOWN, 0, 0, false },
		{ "OFF", "", OFF, UNKNOWN, 0, 0, false },
		{ "modem", "", LEAVE, UNKNOWN, 0, 0, false },
		{ "Modem@2", "", LEAVE, UNKNOWN, 0, 2, false },
		{ "1-1.2:modem", "1-1.2", LEAVE, UNKNOWN, 0, 0, false },
		{ "mbim", "", NAMES, UNKNOWN, BIT(MBIM), 0, false },
		{ "MBIM", "", NAMES, UNKNOWN, BIT(MBIM), 0, false },
		{ "mbim!", "", NAMES, UNKNOWN, BIT(MBIM), 0, true },
		{ "mbim@2!", "", NAMES, UNKNOWN, BIT(MBIM), 2, true },
		{ "mbim@255", "", NAMES, UNKNOWN, BIT(MBIM), 255, false },
		{ "mbim+mbim", "", NAMES, UNKNOWN, BIT(MBIM), 0, false },
		{ "modem+mbim", "", NAMES, UNKNOWN, BIT(AT) | BIT(MBIM), 0, false },
		{ "mbim+modem", "", NAMES, UNKNOWN, BIT(AT) | BIT(MBIM), 0, false },
		{ "at+diag+nmea+rmnet", "", NAMES, UNKNOWN,
		  BIT(AT) | BIT(DM) | BIT(NMEA) | BIT(QMI), 0, false },
		{ "qmi+rmnet", "", NAMES, UNKNOWN, BIT(QMI), 0, false },
		{ "net+ms", "", NAMES, UNKNOWN, BIT(NET) | BIT(MS), 0, false },
		{ "ecm", "", NAMES, UNKNOWN, BIT(ECM), 0, false },
		{ "dm", "", NAMES, UNKNOWN, BIT(DM), 0, false },
		{ "0", "", NUMBER, UNKNOWN, 0, 0, false },
		{ "6", "", NUMBER, UNKNOWN, 6, 0, false },
		{ "009", "", NUMBER, UNKNOWN, 9, 0, false },
		{ "9!", "", NUMBER, UNKNOWN, 9, 0, true },
		{ "14@1", "", NUMBER, UNKNOWN, 14, 1, false },
		{ "255", "", NUMBER, UNKNOWN, 255, 0, false },
		{ "0x100D", "", BITS, UNKNOWN, 0x100d, 0, false },
		{ "0X100d", "", BITS, UNKNOWN, 0x100d, 0, false },
		{ "0x500", "", BITS, UNKNOWN, 0x500, 0, false },
		{ "0xFFE0A2FF", "", BITS, UNKNOWN, 0xffe0a2ff, 0, false },
		{ "0x8@1!", "", BITS, UNKNOWN, 8, 1, true },
		{ "68A2/mbim", "", NAMES, 0x68a2, BIT(MBIM), 0, false },
		{ "68a2/8", "", NUMBER, 0x68a2, 8, 0, false },
		{ "0000/8", "", NUMBER, 0, 8, 0, false },
		{ "dead/0x10d", "", BITS, 0xdead, 0x10d, 0, false },
		{ "1-1.2:68A2/mbim@2!", "1-1.2", NAMES, 0x68a2, BIT(MBIM), 2, true },
		{ "10-255.255.1:8", "10-255.255.1", NUMBER, UNKNOWN, 8, 0, false },
		{ "2-1:9071/9", "2-1", NUMBER, 0x9071, 9, 0, false },
	};
	struct target t;

	begin("parse.target.bad");
	for (unsigned i = 0; i < LEN(bad); i++)
		hold(!parse_target(&t, bad[i]), "%s", bad[i]);
	end();
	begin("parse.target.good");
	for (unsigned i = 0; i < LEN(good); i++) {
		bool ok = parse_target(&t, good[i].text);

		hold(ok && t.mode == good[i].mode && t.pid == good[i].pid &&
			     t.value == good[i].value && t.config == good[i].config &&
			     t.bare == good[i].bare && !strcmp(t.port, good[i].port),
		     "%s: %u mode %u pid %x value %x config %u bare %u port %s", good[i].text, ok,
		     t.mode, (unsigned)t.pid, t.value, t.config, t.bare, t.port);
	}
	end();
	/* a good one with a byte more, less or other: never a crash, never a port or a number that is not there */
	begin("parse.target.garbled");
	srand(1);
	for (unsigned i = 0; i < 200000; i++) {
		char text[64];
		size_t n;

		snprintf(text, sizeof text, "%s", good[i % LEN(good)].text);
		n = strlen(text);
		for (unsigned k = 0; k < 1u + i % 3; k++)
			text[(size_t)rand() % (n + 1)] =
				"0123456789abcdefxmbimqoffdetnrs:/@!+-. \n"[rand() % 40];
		text[n + 1 < sizeof text ? n + 1 : n] = '\0';
		if (parse_target(&t, text))
			hold(strlen(t.port) < PORT && t.pid <= 0xffff &&
				     (t.mode != NUMBER || t.value <= 255) &&
				     (t.mode != NAMES || t.value) && (t.mode != BITS || t.value),
			     "%s", text);
	}
	end();
}

/* ---- the kernel's words ---- */

static void test_kernel(void)
{
	static const struct {
		const char *line;
		int status;
		const char *targets, *appear, *wait, *code, *log, *init;
	} lines[] = {
		{ "quiet swflip.target=mbim splash\n", 0, "mbim", NULL, NULL, NULL, NULL, NULL },
		{ "swflip.target=mbim swflip.appear=5 swflip.wait=60 swflip.code=ABCD swflip.log=2 "
		  "swflip.init=/sbin/x",
		  0, "mbim", "5", "60", "ABCD", "2", "/sbin/x" },
		{ "swflip.target=\"mbim\" swflip.code=\"A B\"", 0, "mbim", NULL, NULL, "A B", NULL,
		  NULL },
		{ "\"swflip.target=mbim\"", 0, "mbim", NULL, NULL, NULL, NULL, NULL },
		{ "swflip.tar\"get=m\"bim", 0, "mbim", NULL, NULL, NULL, NULL, NULL },
		{ "swflip.target=mbim -- swflip.target=qmi", 0, "mbim", NULL, NULL, NULL, NULL,
		  NULL },
		{ "-- swflip.target=qmi", 0, "", NULL, NULL, NULL, NULL, NULL },
		{ "swflip.target=mbim \"--\" swflip.target=qmi", 0, NULL, NULL, NULL, NULL, NULL,
		  NULL }, /* either */
		{ "x=-- swflip.target=qmi", 0, "qmi", NULL, NULL, NULL, NULL, NULL },
		{ "swflip.target=mbim swflip.target=qmi", 0, "qmi", NULL, NULL, NULL, NULL, NULL },
		{ "swflip.target=mbim swflip.target=1-2:qmi swflip.target=8 swflip.target=1-2:9!",
		  0, "8 1-2:9!", NULL, NULL, NULL, NULL, NULL },
		{ "swflip.wait=1 swflip.wait=2", 0, "", NULL, "2", NULL, NULL, NULL },
		{ "swflip.nothing=3 swflip. swflip.targets=x swflip.target", 0, "", NULL, NULL,
		  NULL, NULL, NULL },
		{ "xswflip.target=mbim swflipxtarget=mbim swflip_target=mbim", 0, "", NULL, NULL,
		  NULL, NULL, NULL },
		{ "swflip.target=", 2, NULL, NULL, NULL, NULL, NULL, NULL },
		{ "swflip.target=9071", 2, NULL, NULL, NULL, NULL, NULL, NULL },
		{ "a=\"b swflip.target=mbim", 0, "", NULL, NULL, NULL, NULL, NULL },
		{ "a=\"b\" swflip.target=mbim\"", 0, "mbim", NULL, NULL, NULL, NULL, NULL },
		{ "", 0, "", NULL, NULL, NULL, NULL, NULL },
		{ " \t\n ", 0, "", NULL, NULL, NULL, NULL, NULL },
		{ "\t swflip.target=mbim\t\tswflip.log=0\n\n", 0, "mbim", NULL, NULL, NULL, "0",
		  NULL },
	};

	for (unsigned i = 0; i < LEN(lines); i++) {
		struct given word[WORDS] = { { NULL, NULL } };
		const char *wanted[WORDS] = { [A_APPEAR] = lines[i].appear,
					      [A_WAIT] = lines[i].wait,
					      [A_CODE] = lines[i].code,
					      [A_LOG] = lines[i].log,
					      [A_INIT] = lines[i].init };
		char line[200], targets[200] = "", name[40];
		bool same_words = true;
		int status;

		snprintf(line, sizeof line, "%s", lines[i].line);
		g.targets = 0;
		status = read_kernel(line, word);
		for (unsigned t = 0; t < g.targets; t++)
			snprintf(targets + strlen(targets), sizeof targets - strlen(targets),
				 "%s%s", t ? " " : "", g.target[t].text);
		for (unsigned w = 0; w < WORDS && status == 0; w++)
			if (w != A_TARGET)
				same_words = same_words && !word[w].text == !wanted[w] &&
					     (!wanted[w] || !strcmp(word[w].text, wanted[w]));
		snprintf(name, sizeof name, "parse.kernel.%u", i);
		expect(status == lines[i].status &&
			       (!lines[i].targets || !strcmp(targets, lines[i].targets)) &&
			       same_words,
		       name, "'%s': %d, targets %s", lines[i].line, status, targets);
	}
	{ /* an option's targets are not added to, nor is its word even parsed */
		struct given word[WORDS] = { [A_TARGET] = { "-", settings[A_TARGET].option },
					     [A_WAIT] = { "3", settings[A_WAIT].option } };
		char line[] = "swflip.target=9071 swflip.wait=x swflip.appear=y";

		g.targets = 0;
		expect(!read_kernel(line, word) && !g.targets && !strcmp(word[A_WAIT].text, "3") &&
			       !strcmp(word[A_APPEAR].text, "y"),
		       "parse.kernel.overridden", "%u", g.targets);
	}
	{ /* more targets than there is room for */
		struct given word[WORDS] = { { NULL, NULL } };
		char line[2000] = "";
		int status;

		for (unsigned i = 1; i <= LEN(g.target) + 1; i++)
			snprintf(line + strlen(line), sizeof line - strlen(line),
				 "swflip.target=1-%u:mbim ", i);
		g.targets = 0;
		status = read_kernel(line, word);
		expect(status == 2 && g.targets == LEN(g.target), "parse.kernel.too-many", "%d %u",
		       status, g.targets);
	}
	begin("parse.kernel.garbled");
	for (unsigned i = 0; i < 50000; i++) {
		struct given word[WORDS] = { { NULL, NULL } };
		char line[200];
		size_t n;

		snprintf(line, sizeof line, "%s", lines[i % LEN(lines)].line);
		n = strlen(line);
		for (unsigned k = 0; k < 3 && n; k++)
			line[(size_t)rand() % n] = "\" \t\n-=.sx\377\1"[rand() % 11];
		g.targets = 0;
		read_kernel(line, word);
		hold(g.targets <= LEN(g.target), "%s", lines[i % LEN(lines)].line);
	}
	end();

	begin("parse.code");
	for (unsigned n = 0; n < 20; n++) {
		char code[30] = "";

		memset(code, 'A', n);
		hold(understand(A_CODE, code, NULL) == (n >= 4 && n <= 15), "%u characters", n);
	}
	for (unsigned c = 1; c < 256; c++) {
		char code[] = { 'A', (char)c, '1', '0', 0 };

		hold(understand(A_CODE, code, NULL) ==
			     ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			      (c >= 'A' && c <= 'Z')),
		     "character %u", c);
	}
	end();
	begin("parse.seconds");
	{
		static const struct {
			const char *text;
			uint32_t least;
			bool ok;
		} tried[] = {
			{ "0", 0, true },
			{ "0", 1, false },
			{ "1", 1, true },
			{ "86400", 1, true },
			{ "86401", 1, false },
			{ "1.5", 0, false },
			{ "-1", 0, false },
			{ "", 0, false },
			{ "1 ", 0, false },
			{ " 1", 0, false },
			{ "1s", 0, false },
			{ "0x10", 0, false },
			{ "99999999999999999999", 0, false },
			{ "+1", 0, false },
		};
		uint32_t value;

		for (unsigned i = 0; i < LEN(tried); i++)
			hold(understand(tried[i].least ? A_WAIT : A_APPEAR, tried[i].text,
					&value) == tried[i].ok,
			     "'%s'", tried[i].text);
	}
	end();
}

/* ---- QMI and MBIM: the frames of facts.md, sections 6.3 and 6.4, byte by byte ---- */

static size_t bytes_of(uint8_t *out, const char *hex)
{
	size_t n = 0;

	for (;; hex += 2) {
		while (*hex == ' ')
			hex++;
		if (!*hex)
			return n;
		out[n++] = (uint8_t)strtoul((const char[3]){ hex[0], hex[1], 0 }, NULL, 16);
	}
}

#define TUNNEL "d1 a3 0b c2 f9 7a 6e 43 bf 65 c7 e2 4f b0 f0 d3 "
#define GET_COMP_REPLY                                                                            \
	"01 1e 00 80 02 0a 02 04 00 5b 55 12 00 02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 " \
	"07 08"
#define DONE_HEAD(length, tid, status, size)                                               \
	"03 00 00 80 " length " 00 00 00 " tid " 00 00 00 01 00 00 00 00 00 00 00 " TUNNEL \
	"01 00 00 00 " status " 00 00 00 " size " 00 00 00 "

/* One request, compared with what the wire must carry, and the reply to it parsed. Returns qmi()'s result. */
static int exchange(const char *name, struct link *l, int peer, uint8_t service, unsigned message,
		    const char *value, const char *request, const char *const *replies)
{
	uint8_t sent[FRAME], want[FRAME], v[16];
	size_t length = bytes_of(v, value), size = bytes_of(want, request);
	ssize_t got;
	int r;

	for (; *replies; replies++) {
		uint8_t reply[FRAME];
		size_t reply_size = bytes_of(reply, *replies);

		if (write(peer, reply, reply_size) != (ssize_t)reply_size)
			abort();
	}
	r = qmi(l, service, message, v, length);
	got = recv(peer, sent, sizeof sent, MSG_DONTWAIT);
	expect(got == (ssize_t)size && !memcmp(sent, want, size), name, "%zd bytes", got);
	return r;
}

static void test_qmi(void)
{
	static struct link l;
	static struct slot me;
	const uint8_t *v;
	struct offer o;
	uint8_t raw[FRAME];
	size_t n, length;
	int fd[2], r;

	g.me = &me;
	g.deadline = now() + 100000;
	g.signals = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd))
		abort();

	/* bare */
	l = (struct link){ .carrier = WDM, .fd = fd[0], .tid = 2 };
	r = exchange(
		"parse.qmi.get-client", &l, fd[1], CTL, GET_CLIENT, "02",
		"01 0f 00 00 00 00 00 03 22 00 04 00 01 01 00 02",
		(const char *[]){
			"01 17 00 80 00 00 01 03 22 00 0c 00 02 04 00 00 00 00 00 01 02 00 02 0a",
			NULL });
	v = r ? NULL : tlv(&l, 1, &length);
	expect(!r && v && length == 2 && v[0] == 2 && v[1] == 0x0a, "parse.qmi.get-client-reply",
	       "%d", r);
	l.client = 0x0a;
	r = exchange("parse.qmi.get-comp", &l, fd[1], DMS, GET_COMP, "",
		     "01 0c 00 00 02 0a 00 04 00 5b 55 00 00",
		     (const char *[]){ GET_COMP_REPLY, NULL });
	v = r ? NULL : tlv(&l, 0x11, &length);
	expect(!r && v && length == 4 && v[3] == 8, "parse.qmi.get-comp-reply", "%d", r);
	r = exchange("parse.qmi.set-comp", &l, fd[1], DMS, SET_COMP, "08",
		     "01 10 00 00 02 0a 00 05 00 5c 55 04 00 01 01 00 08",
		     (const char *[]){
			     "01 13 00 80 02 0a 02 05 00 5c 55 07 00 02 04 00 00 00 00 00", NULL });
	expect(!r, "parse.qmi.set-comp-reply", "%d", r);
	r = exchange("parse.qmi.offline", &l, fd[1], DMS, SET_MODE, "03",
		     "01 10 00 00 02 0a 00 06 00 2e 00 04 00 01 01 00 03",
		     (const char *[]){
			     "01 13 00 80 02 0a 02 06 00 2e 00 07 00 02 04 00 01 00 3c 00", NULL });
	expect(r == 60, "parse.qmi.error", "%d", r);
	r = exchange("parse.qmi.reset", &l, fd[1], DMS, SET_MODE, "04",
		     "01 10 00 00 02 0a 00 07 00 2e 00 04 00 01 01 00 04",
		     (const char *[]){ "01 13 00 80 02 0a 04 07 00 2e 00 07 00 02 04 00 00 00 00 "
				       "00", /* an indication */
				       "01 13 00 80 02 0b 02 07 00 2e 00 07 00 02 04 00 00 00 00 "
				       "00", /* another's client */
				       "01 13 00 80 02 0a 02 06 00 2e 00 07 00 02 04 00 00 00 00 "
				       "00", /* another transaction */
				       "01 13 00 80 02 0a 02 07 01 2e 00 07 00 02 04 00 00 00 00 "
				       "00",
				       "01 13 00 80 02 0a 02 07 00 2f 00 07 00 02 04 00 00 00 00 "
				       "00", /* another message */
				       "01 13 00 80 03 0a 02 07 00 2e 00 07 00 02 04 00 00 00 00 "
				       "00", /* another service */
				       "02 13 00 80 02 0a 02 07 00 2e 00 07 00 02 04 00 00 00 00 "
				       "00",
				       "01", "01 13 00",
				       "01 14 00 80 02 0a 02 07 00 2e 00 07 00 02 04 00 00 00 00 "
				       "00", /* longer than it is */
				       "01 13 00 80 02 0a 02 07 00 2e 00 08 00 02 04 00 00 00 00 "
				       "00", /* TLVs beyond the end */
				       "01 13 00 80 02 0a 02 07 00 2e 00 07 00 02 05 00 00 00 00 "
				       "00", /* a TLV beyond the end */
				       "01 13 00 80 02 0a 02 07 00 2e 00 07 00 03 04 00 00 00 00 "
				       "00", /* no result */
				       "01 05 00 80 02 0a 02 07 00 2e 00 07 00 02 04 00 00 00 00 "
				       "00", /* shorter than a head */
				       "01 13 00 80 02 0a 02 07 00 2e 00 07 00 02 04 00 01 00 1a "
				       "00",
				       NULL });
	expect(r == 26, "parse.qmi.strangers", "%d", r);
	r = exchange("parse.qmi.release", &l, fd[1], CTL, RELEASE_CLIENT, "02 0a",
		     "01 10 00 00 00 00 00 08 23 00 05 00 01 02 00 02 0a",
		     (const char *[]){ "01 13 00 80 00 00 01 08 23 00 07 00 02 04 00 00 00 00 00",
				       "01 12 00 80 00 00 01 08 23 00 07 00 02 04 00 00 00 00 00",
				       NULL });
	expect(!r, "parse.qmi.release-reply", "%d", r);
	l.tid = 249;
	exchange("parse.qmi.tid-250", &l, fd[1], DMS, GET_COMP, "",
		 "01 0c 00 00 02 0a 00 fa 00 5b 55 00 00",
		 (const char *[]){ "01 13 00 80 02 0a 02 fa 00 5b 55 07 00 02 04 00 00 00 00 00",
				   NULL });
	exchange("parse.qmi.tid-1", &l, fd[1], DMS, GET_COMP, "",
		 "01 0c 00 00 02 0a 00 01 00 5b 55 00 00",
		 (const char *[]){ "01 13 00 80 02 0a 02 01 00 5b 55 07 00 02 04 00 00 00 00 00",
				   NULL });

	/* what 0x555B becomes */
	{
		static const struct {
			const char *name, *tlvs;
			bool ok;
			int now, rows;
		} offers[] = {
			{ "list", "02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 07 08", true, 6,
			  3 },
			{ "other-order", "11 04 00 03 06 07 08 10 01 00 06 02 04 00 00 00 00 00",
			  true, 6, 3 },
			{ "no-list", "02 04 00 00 00 00 00 10 01 00 09", true, 9, 0 },
			{ "count-lies-up", "02 04 00 00 00 00 00 10 01 00 06 11 04 00 04 06 07 08",
			  true, 6, 0 },
			{ "count-lies-down",
			  "02 04 00 00 00 00 00 10 01 00 06 11 04 00 02 06 07 08", true, 6, 0 },
			{ "empty-list", "02 04 00 00 00 00 00 10 01 00 06 11 00 00", true, 6, 0 },
			{ "empty-count", "02 04 00 00 00 00 00 10 01 00 06 11 01 00 00", true, 6,
			  0 },
			{ "twice", "02 04 00 00 00 00 00 10 01 00 06 11 04 00 03 06 06 08", true, 6,
			  2 },
			{ "duals", "02 04 00 00 00 00 00 10 01 00 0e 11 05 00 04 0d 16 17 ff", true,
			  14, 4 },
			{ "no-current", "02 04 00 00 00 00 00 11 04 00 03 06 07 08", false, 0, 0 },
			{ "empty-current", "02 04 00 00 00 00 00 10 00 00 11 04 00 03 06 07 08",
			  false, 0, 0 },
			{ "error", "02 04 00 01 00 5e 00 10 01 00 06", false, 0, 0 },
		};

		for (unsigned i = 0; i < LEN(offers); i++) {
			uint8_t reply[200];
			size_t size;
			char name[60];
			bool ok;

			size = bytes_of(reply, "01 00 00 80 02 0a 02 01 00 5b 55 00 00");
			n = bytes_of(reply + size, offers[i].tlvs);
			put16(reply + 11, (unsigned)n);
			put16(reply + 1, (unsigned)(size + n) - 1);
			l.tid = 0;
			if (write(fd[1], reply, size + n) < 0)
				abort();
			ok = ask_qmi(&l, &o);
			snprintf(name, sizeof name, "parse.qmi.offer.%s", offers[i].name);
			expect(ok == offers[i].ok &&
				       (!ok ||
					(o.dialect == WIRE && o.pid == UNKNOWN &&
					 (int)o.now == offers[i].now && o.rows == offers[i].rows)),
			       name, "%u now %u, %u rows", ok, o.now, o.rows);
			while (recv(fd[1], raw, sizeof raw, MSG_DONTWAIT) > 0)
				continue;
		}
		expect(true, "parse.qmi.offer.end", "%s", "");
	}
	/* numbers that nobody knows stand for no functions */
	{
		uint8_t reply[200];
		size_t size =
			bytes_of(reply, "01 25 00 80 02 0a 02 01 00 5b 55 19 00 02 04 00 00 00 00 "
					"00 10 01 00 0e 11 0b 00 0a 05 08 09 0c 0d 11 12 16 17 ff");
		static const uint16_t functions_[][2] = {
			{ 0xc7, 0 },   { 0x17, 0 },   { 0x10, 0 },   { 0x16, 0 }, { 0xf, 0x17 },
			{ 0xf, 0x16 }, { 0xf, 0x17 }, { 0xf, 0x16 }, { 0, 0 },    { 0, 0 }
		};
		bool good;

		l.tid = 0;
		if (write(fd[1], reply, size) < 0)
			abort();
		good = ask_qmi(&l, &o) && o.rows == 10;
		for (unsigned i = 0; i < 10; i++)
			good = good &&
			       !memcmp(o.row[i].functions, functions_[i], sizeof functions_[i]);
		expect(good, "parse.qmi.offer.functions", "%u rows", o.rows);
		while (recv(fd[1], raw, sizeof raw, MSG_DONTWAIT) > 0)
			continue;
	}

	/* inside MBIM */
	l = (struct link){ .carrier = WDM, .fd = fd[0], .mbim = true };
	{
		uint8_t want[16], reply[16];
		bool ok;

		if (write(fd[1], reply,
			  bytes_of(reply, "01 00 00 80 10 00 00 00 01 00 00 00 00 00 00 00")) < 0)
			abort();
		put32(raw + 12, FRAME);
		next_tid(&l);
		ok = mbim(&l, raw, MBIM_OPEN, 16, 12) == 16;
		n = bytes_of(want, "01 00 00 00 10 00 00 00 01 00 00 00 00 10 00 00");
		expect(ok && recv(fd[1], raw, sizeof raw, MSG_DONTWAIT) == 16 &&
			       !memcmp(raw, want, 16),
		       "parse.mbim.open", "%u", ok);
	}
	r = exchange("parse.mbim.get-client", &l, fd[1], CTL, GET_CLIENT, "02",
		     "03 00 00 00 40 00 00 00 02 00 00 00 01 00 00 00 00 00 00 00 " TUNNEL
		     "01 00 00 00 01 00 00 00 10 00 00 00 "
		     "01 0f 00 00 00 00 00 02 22 00 04 00 01 01 00 02",
		     (const char *[]){ "07 00 00 80 0c 00 00 00 00 00 00 00", /* an indication */
				       DONE_HEAD("48", "02", "00",
						 "18") "01 17 00 80 00 00 01 02 22 00 0c 00 02 04 "
						       "00 00 00 00 00 01 02 00 02 0a",
				       NULL });
	expect(!r, "parse.mbim.get-client-reply", "%d", r);
	l.client = 0x0a;
	r = exchange(
		"parse.mbim.get-comp", &l, fd[1], DMS, GET_COMP, "",
		"03 00 00 00 3d 00 00 00 03 00 00 00 01 00 00 00 00 00 00 00 " TUNNEL
		"01 00 00 00 01 00 00 00 0d 00 00 00 "
		"01 0c 00 00 02 0a 00 03 00 5b 55 00 00",
		(const char *[]){ DONE_HEAD("4f", "03", "00",
					    "1f") "01 1e 00 80 02 0a 02 03 00 5b 55 12 00 02 04 00 "
						  "00 00 00 00 10 01 00 06 11 04 00 03 06 07 08",
				  NULL });
	v = r ? NULL : tlv(&l, 0x10, &length);
	expect(!r && v && *v == 6, "parse.mbim.get-comp-reply", "%d", r);
	r = exchange("parse.mbim.set-comp", &l, fd[1], DMS, SET_COMP, "08",
		     "03 00 00 00 41 00 00 00 04 00 00 00 01 00 00 00 00 00 00 00 " TUNNEL
		     "01 00 00 00 01 00 00 00 11 00 00 00 "
		     "01 10 00 00 02 0a 00 04 00 5c 55 04 00 01 01 00 08",
		     (const char *[]){ DONE_HEAD("30", "04", "02", "00"), NULL });
	expect(r < 0, "parse.mbim.refused", "%d", r);
	r = exchange("parse.mbim.function-error", &l, fd[1], DMS, GET_COMP, "",
		     "03 00 00 00 3d 00 00 00 05 00 00 00 01 00 00 00 00 00 00 00 " TUNNEL
		     "01 00 00 00 01 00 00 00 0d 00 00 00 "
		     "01 0c 00 00 02 0a 00 05 00 5b 55 00 00",
		     (const char *[]){ "04 00 00 80 10 00 00 00 05 00 00 00 01 00 00 00", NULL });
	expect(r < 0, "parse.mbim.function-error-reply", "%d", r);
	{
		uint8_t want[16];
		bool ok;

		if (write(fd[1], raw,
			  bytes_of(raw, "02 00 00 80 10 00 00 00 06 00 00 00 00 00 00 00")) < 0)
			abort();
		next_tid(&l);
		ok = mbim(&l, raw, MBIM_CLOSE, 12, 12) == 16;
		n = bytes_of(want, "02 00 00 00 0c 00 00 00 06 00 00 00");
		expect(ok && recv(fd[1], raw, sizeof raw, MSG_DONTWAIT) == 12 &&
			       !memcmp(raw, want, 12),
		       "parse.mbim.close", "%u", ok);
	}

	/* cut, changed, lying about their lengths: what is left of a good one before it stands behind each */
	begin("parse.frames.cut");
	for (unsigned mbim_ = 0; mbim_ < 2; mbim_++) {
		uint8_t whole[200], ask[MBIM_HEAD + 13] = { 0 }, *q = ask + MBIM_HEAD;
		size_t size =
			bytes_of(whole, mbim_ ? DONE_HEAD("4f", "04", "00", "1f") GET_COMP_REPLY
					      : GET_COMP_REPLY);

		l = (struct link){ .mbim = mbim_, .client = 0x0a, .tid = 4 };
		memcpy(ask, tunnel, sizeof tunnel);
		put32(put32(ask, MBIM_COMMAND) + 4, 4);
		bytes_of(q, "01 0c 00 00 02 0a 02 04 00 5b 55 00 00");
		for (unsigned i = 0; i < 200000; i++) {
			size_t cut = i <= size ? i : (size_t)rand() % (size + 1);
			bool good;

			memcpy(l.frame, whole, size);
			for (unsigned k = 0; i > size && k < 1 + i % 4 && cut; k++)
				l.frame[(size_t)rand() % cut] =
					(uint8_t)(rand() % 3 ? rand() % 48 : rand());
			good = (!mbim_ || is_done(&l, cut, ask, 40)) && is_answer(&l, cut, q);
			if (good) {
				hold(l.tlvs >= l.frame && l.tlvs + l.size <= l.frame + cut,
				     "an answer reaches %zu", cut);
				for (unsigned type = 0; type < 256; type += i % 7 + 1) {
					v = tlv(&l, (uint8_t)type, &length);
					hold(!v || (v >= l.tlvs && v + length <= l.tlvs + l.size),
					     "tlv reaches");
				}
			}
			if (i <= size)
				hold(good == (i == size), "an answer out of %zu of %zu bytes", cut,
				     size);
		}
	}
	end();
	close(fd[0]);
	close(fd[1]);
	g.me = NULL;
}

/* ---- descriptors ---- */

static void test_descriptors(void)
{
	static uint8_t raw[8192];
	struct modem m, whole = { .port = "" };
	uint8_t *p = device_bytes(raw, 0x1199, 0x68a2, 2);
	size_t size;

	p = config_bytes(p, 1, 4);
	p = interface_bytes(p, 0, 0, 0xff, 0xff, 0xff, true, false);
	p = interface_bytes(p, 2, 0, 0xff, 0, 0, true, true);
	p = interface_bytes(p, 3, 0, 0xff, 0, 0, true, true);
	p = interface_bytes(p, 8, 0, 0xff, 0xff, 0xff, true, true);
	p = config_bytes(p, 2, 2);
	p = interface_bytes(p, 12, 0, 2, 0x0e, 0, false, true);
	p = interface_bytes(p, 13, 0, 10, 0, 2, false, false);
	p = interface_bytes(p, 13, 1, 10, 0, 2, true, false);
	size = (size_t)(p - raw);
	expect(read_descriptors(&whole, raw, size) && whole.configs == 2 &&
		       whole.config[0].interfaces == 4 && whole.config[1].interfaces == 2 &&
		       whole.vid == 0x1199 && whole.pid == 0x68a2 && whole.bcdusb == 0x210 &&
		       whole.config[1].value == 2,
	       "parse.descriptors", "%u configurations, %u %u", whole.configs,
	       whole.config[0].interfaces, whole.config[1].interfaces);
	expect(functions_of(&whole, &whole.config[0]) ==
			       (BIT(AT) | BIT(DM) | BIT(NMEA) | BIT(QMI)) &&
		       functions_of(&whole, &whole.config[1]) == BIT(MBIM) &&
		       whole.config[1].interface[0].message == 0x1234 &&
		       whole.config[1].interface[1].alt == 1 && whole.config[1].interface[1].in &&
		       whole.config[0].interface[2].packet == 512,
	       "parse.descriptors.functions", "%x %x message %x",
	       functions_of(&whole, &whole.config[0]), functions_of(&whole, &whole.config[1]),
	       whole.config[1].interface[0].message);

	begin("parse.descriptors.cut");
	for (size_t cut = 0; cut <= size; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);
		bool ok;

		memcpy(exact, raw, cut);
		memset(&m, 0, sizeof m);
		ok = read_descriptors(&m, exact, cut);
		hold(ok == (cut >= 18), "%zu bytes", cut);
		for (unsigned c = 0; c < m.configs; c++)
			hold(!(functions_of(&m, &m.config[c]) &
			       ~functions_of(&whole, &whole.config[c])) &&
				     m.config[c].interfaces <= whole.config[c].interfaces,
			     "%zu bytes show more than all of them", cut);
		free(exact);
	}
	end();
	begin("parse.descriptors.garbled");
	srand(1);
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t *exact = malloc(size);

		memcpy(exact, raw, size);
		for (unsigned k = 0; k < 1 + i % 8; k++)
			exact[(size_t)rand() % size] = (uint8_t)(rand() % 3 ? rand() % 10 : rand());
		memset(&m, 0, sizeof m);
		read_descriptors(&m, exact, size);
		m.active = (uint8_t)rand();
		classify(&m);
		hold(m.configs <= LEN(m.config) &&
			     m.config[0].interfaces <= LEN(m.config[0].interface),
		     "%u", i);
		free(exact);
	}
	end();

	/* more than there is room for; lengths of nothing */
	p = device_bytes(raw, 0x1199, 0x68a2, 6);
	for (unsigned c = 1; c <= 6; c++) {
		p = config_bytes(p, (uint8_t)c, 30);
		for (unsigned i = 0; i < 30; i++)
			p = interface_bytes(p, (uint8_t)i, 0, 0xff, 0, 0, true, true);
	}
	memset(&m, 0, sizeof m);
	expect(read_descriptors(&m, raw, (size_t)(p - raw)) && m.configs == 4 &&
		       m.config[3].interfaces == 24 && m.config[3].value == 4,
	       "parse.descriptors.too-many", "%u %u", m.configs, m.config[3].interfaces);
	for (unsigned length = 0; length < 2; length++) {
		p = device_bytes(raw, 0x1199, 0x68a2, 1);
		p = config_bytes(p, 1, 1);
		*p = (uint8_t)length, p[1] = 4;
		memset(&m, 0, sizeof m);
		expect(read_descriptors(&m, raw, (size_t)(p - raw) + 9) && m.configs == 1 &&
			       !m.config[0].interfaces,
		       length ? "parse.descriptors.length-one" : "parse.descriptors.length-zero",
		       "%u", m.configs);
	}
	p = device_bytes(raw, 0x1199, 0x68a2, 1);
	memcpy(p, (uint8_t[]){ 9, 4, 3, 0, 2, 0xff, 0, 0, 0, 7, 5, 0x81, 2, 0, 2, 0 }, 16);
	memset(&m, 0, sizeof m);
	expect(read_descriptors(&m, raw, 34) && !m.configs,
	       "parse.descriptors.interface-before-configuration", "%u", m.configs);
	raw[0] = 17;
	expect(!read_descriptors(&m, raw, 34), "parse.descriptors.not-a-device", "%s", "");

	/* alternates: the first with a bulk pair counts, the alternates of other classes do not turn a function into another */
	p = device_bytes(raw, 0x1199, 0x68a3, 1);
	p = config_bytes(p, 1, 1);
	p = interface_bytes(p, 3, 0, 0xff, 0xff, 0xff, false, false);
	p = interface_bytes(p, 3, 1, 0xff, 0xff, 0xff, true, true);
	p = interface_bytes(p, 3, 2, 0xff, 0xff, 0xff, true, true);
	memset(&m, 0, sizeof m);
	read_descriptors(&m, raw, (size_t)(p - raw));
	expect(m.config[0].interfaces == 1 && m.config[0].interface[0].alt == 1 &&
		       functions_of(&m, m.config) == BIT(AT),
	       "parse.descriptors.alternates", "alt %u", m.config[0].interface[0].alt);
}

static void test_kinds(void)
{
	static const struct {
		const char *name;
		uint16_t vid, pid;
		uint8_t active;
		const char *config1, *config2;
		enum kind kind;
		unsigned f1, f2;
	} tried[] = {
		{ "truinstall", 0x1199, 0x0fff, 1, "9s", "", STORAGE, BIT(MS), 0 },
		{ "truinstall-unconfigured", 0x1199, 0x0fff, 0, "9s", "", STORAGE, BIT(MS), 0 },
		{ "truinstall-netgear", 0x0846, 0x0fff, 1, "9s", "", STORAGE, BIT(MS), 0 },
		{ "truinstall-without-storage", 0x1199, 0x0fff, 1, "0b", "", BOOT, BIT(DM), 0 },
		{ "340u", 0x1199, 0x0fff, 1, "9s", "cm", STORAGE, BIT(MS), BIT(MBIM) },
		{ "340u-configured", 0x1199, 0x0fff, 2, "9s", "cm", MODEM, BIT(MS), BIT(MBIM) },
		{ "mc7710", 0x1199, 0x68a2, 1, "0b 2v 3v 8v", "", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI), 0 },
		{ "mc7700", 0x0f3d, 0x68a2, 1, "0b 2v 3v 8v", "", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI), 0 },
		{ "mc7750", 0x114f, 0x68a2, 1, "0b 2v 3v 8v", "", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI), 0 },
		{ "qmi-without-interrupt", 0x1199, 0x68a2, 1, "0b 3v 8b", "", MODEM,
		  BIT(DM) | BIT(AT), 0 },
		{ "at-without-bulk", 0x1199, 0x68a2, 1, "0b 3n", "", MODEM, BIT(DM), 0 },
		{ "three-rmnets", 0x1199, 0x68a2, 1, "0b 2v 3v 8v av bv", "", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI), 0 },
		{ "direct-ip", 0x1199, 0x68a3, 1, "0b 1b 2b 3v 4v 7v 9s", "", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(NET) | BIT(MS), 0 },
		{ "direct-ip-3-nics", 0x0f3d, 0x68aa, 1, "3v 7v av bv", "", MODEM,
		  BIT(AT) | BIT(NET), 0 },
		{ "net-needs-68a3", 0x1199, 0x68a2, 1, "3v 7v", "", MODEM, BIT(AT), 0 },
		{ "direct-ip-ecm", 0x1199, 0x68a3, 1, "0b 3v ce 9s", "", MODEM,
		  BIT(DM) | BIT(AT) | BIT(ECM) | BIT(MS), 0 },
		{ "gobi", 0x1199, 0x68a9, 1, "0v 1b 2v 3b", "", MODEM,
		  BIT(QMI) | BIT(DM) | BIT(AT) | BIT(NMEA), 0 },
		{ "gobi-dell", 0x413c, 0x8186, 1, "0v 1b 2v 3b", "", MODEM,
		  BIT(QMI) | BIT(DM) | BIT(AT) | BIT(NMEA), 0 },
		{ "mbim-only", 0x1199, 0x68a2, 1, "cm", "", MODEM, BIT(MBIM), 0 },
		{ "usb-if", 0x1199, 0x68b1, 1, "0m", "", MODEM, BIT(MBIM), 0 },
		{ "em9191", 0x1199, 0x90d3, 1, "0m 3v 4v", "", MODEM, BIT(MBIM) | BIT(AT), 0 },
		{ "qdl", 0x1199, 0x9090, 1, "0b", "", BOOT, BIT(DM), 0 },
		{ "qdl-on-3", 0x1199, 0x9070, 1, "3b", "", BOOT, BIT(AT), 0 },
		{ "one-interface", 0x1199, 0x68a3, 1, "0b", "", BOOT, BIT(DM), 0 },
		{ "one-at-port", 0x1199, 0x68a2, 1, "3v", "", MODEM, BIT(AT), 0 },
		{ "boot-pid-with-more", 0x1199, 0x9070, 1, "0b 2v 3v", "", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT), 0 },
		{ "em7345", 0x1199, 0xa001, 1, "0m", "", FOREIGN, BIT(MBIM), 0 },
		{ "dell", 0x413c, 0x81b6, 1, "0b 2v 3v 8v", "", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI), 0 },
		{ "dell-qdl", 0x413c, 0x81b5, 1, "0b", "", BOOT, BIT(DM), 0 },
		{ "dell-keyboard", 0x413c, 0x2003, 1, "0h", "", FOREIGN, 0, 0 },
		{ "hp", 0x03f0, 0x4e1d, 1, "0b 3v 8v", "", MODEM, BIT(DM) | BIT(AT) | BIT(QMI), 0 },
		{ "hp-printer", 0x03f0, 0x1234, 1, "0b 3v", "", FOREIGN, BIT(DM) | BIT(AT), 0 },
		{ "netgear", 0x0846, 0x68e2, 1, "0b 3v", "", MODEM, BIT(DM) | BIT(AT), 0 },
		{ "flash-drive", 0x0951, 0x1666, 1, "0s", "", FOREIGN, BIT(MS), 0 },
		{ "flash-drive-0fff", 0x0951, 0x0fff, 1, "0s", "", FOREIGN, BIT(MS), 0 },
		{ "nothing", 0x1199, 0x68a2, 0, "", "", MODEM, 0, 0 },
		{ "dual", 0x1199, 0x68a2, 2, "0b 2v 3v 8v", "cm", MODEM,
		  BIT(DM) | BIT(NMEA) | BIT(AT) | BIT(QMI), BIT(MBIM) },
	};

	for (unsigned i = 0; i < LEN(tried); i++) {
		uint8_t raw[1000], *p = device_bytes(raw, tried[i].vid, tried[i].pid, 1);
		struct modem m = { .port = "" };
		char name[60];
		enum kind kind;

		for (unsigned c = 0; c < 2; c++) {
			const char *s = c ? tried[i].config2 : tried[i].config1;

			if (!*s)
				continue;
			p = config_text(p, (uint8_t)(c + 1), s);
		}
		read_descriptors(&m, raw, (size_t)(p - raw));
		m.active = tried[i].active;
		kind = classify(&m);
		snprintf(name, sizeof name, "parse.kind.%s", tried[i].name);
		expect(kind == tried[i].kind && functions_of(&m, &m.config[0]) == tried[i].f1 &&
			       functions_of(&m, &m.config[1]) == tried[i].f2,
		       name, "kind %u, functions %x %x", kind, functions_of(&m, &m.config[0]),
		       functions_of(&m, &m.config[1]));
	}
}

/* ---- ports, peers, uevents ---- */

static void make(const char *dir, const char *file, const char *link_or_text, bool is_link)
{
	char name[200], part[200];

	for (const char *p = dir; (p = strchr(p, '/')); p++) {
		snprintf(part, sizeof part, "%.*s", (int)(p - dir), dir);
		mkdir(part, 0755);
	}
	mkdir(dir, 0755);
	snprintf(name, sizeof name, "%s/%s", dir, file);
	unlink(name);
	if (is_link) {
		if (symlink(link_or_text, name))
			abort();
	} else {
		FILE *f = fopen(name, "w");

		fputs(link_or_text, f);
		fclose(f);
	}
}

static void test_ports(void)
{
	static const struct {
		const char *text;
		size_t n;
	} ports[] = {
		{ "1-1", 3 },
		{ "1-1.2", 5 },
		{ "10-2.3.4.5.6.7", 14 },
		{ "1-1:1.0", 3 },
		{ "usb1", 0 },
		{ "1-0:1.0", 3 },
		{ "1-", 0 },
		{ "-1", 0 },
		{ "1-1.", 0 },
		{ "", 0 },
		{ "1", 0 },
		{ "1-a", 0 },
		{ "999-255.255", 11 },
		{ "1000-1", 0 },
		{ "1-256", 0 },
		{ "1-1.256", 0 },
		{ "1-1..1", 0 },
		{ "99999999999999999999-1", 0 },
		{ "1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", 0 },
	};
	static const struct {
		const char *port, *dir, *link, *peer;
	} peers[] = {
		{ "1-1", "sys/bus/usb/devices/1-1/port", "../../../usb2/2-0:1.0/usb2-port1",
		  "2-1" },
		{ "2-3", "sys/bus/usb/devices/2-3/port", "../../../usb1/1-0:1.0/usb1-port7",
		  "1-7" },
		{ "1-1.2", "sys/bus/usb/devices/1-1.2/port", "../../2-1/2-1:1.0/2-1-port4",
		  "2-1.4" },
		{ "1-1.2.3", "sys/bus/usb/devices/1-1.2.3/port", "../x/2-1.2-port3", "2-1.2.3" },
		{ "1-9", "sys/bus/usb/devices/1-9/port", "../../../usb2/2-0:1.0/usbx-port1", "" },
		{ "1-10", "sys/bus/usb/devices/1-10/port", "nonsense", "" },
		{ "1-11", "sys/bus/usb/devices/1-11/port", "-port", "" },
		{ "1-12", "sys/bus/usb/devices/1-12/port", "usb-port1", "" },
		{ "1-13", "sys/bus/usb/devices/1-13/port", "usb2-port", "" },
		{ "1-14", "sys/bus/usb/devices/1-14/port",
		  "x/1111111111111111111111111111111111111111111111111111111111111111111111-port1",
		  "" },
		{ "1-16", "", "", "" },
	};
	static const struct {
		const char *message, *port, *peer;
		bool concerns;
	} messages[] = {
		{ "add@/devices/pci0000:00/0000:00:14.0/usb1/1-1", "1-1", "", true },
		{ "add@/devices/pci0000:00/0000:00:14.0/usb1/1-1", NULL, "", true },
		{ "remove@/devices/x/usb1/1-1/1-1:1.0", "1-1", "", true },
		{ "add@/devices/x/usb1/1-1/1-1:1.3/ttyUSB2/tty/ttyUSB2", "1-1", "", true },
		{ "add@/devices/x/usb1/1-1/1-1.2", "1-1", "",
		  true }, /* a hub's own: below it on the path, harmless */
		{ "add@/devices/x/usb1/1-1/1-1.2", "1-1.2", "", true },
		{ "add@/devices/x/usb1/1-11", "1-1", "", false },
		{ "add@/devices/x/usb1/1-11/1-11:1.0", "1-1", "", false },
		{ "add@/devices/x/usb11/11-1", "1-1", "", false },
		{ "add@/devices/x/usb2/2-1", "1-1", "2-1", true },
		{ "add@/devices/x/usb2/2-1", "1-1", "", false },
		{ "add@/devices/virtual/block/loop0", NULL, "", false },
		{ "add@/module/usb_storage", NULL, "", false },
		{ "libudev", NULL, "", false },
		{ "", NULL, "", false },
		{ "@", "1-1", "", false },
		{ "1-1", "1-1", "", false },
		{ "/", NULL, "", false },
	};
	static struct slot me;

	begin("parse.ports");
	for (unsigned i = 0; i < LEN(ports); i++)
		hold(portlen(ports[i].text) == ports[i].n, "%s: %zu", ports[i].text,
		     portlen(ports[i].text));
	end();
	begin("parse.peers");
	for (unsigned i = 0; i < LEN(peers); i++) {
		char peer[PORT];

		if (peers[i].dir[0])
			make(peers[i].dir, "peer", peers[i].link, true);
		memset(peer, 'x', sizeof peer);
		find_peer(peer, peers[i].port);
		hold(!strcmp(peer, peers[i].peer), "%s: '%s'", peers[i].port, peer);
	}
	end();
	begin("parse.uevents");
	for (unsigned i = 0; i < LEN(messages); i++) {
		g.me = messages[i].port ? &me : NULL;
		memset(&me, 0, sizeof me);
		if (messages[i].port) {
			strcpy(me.port, messages[i].port);
			strcpy(me.peer, messages[i].peer);
		}
		hold(concerns(messages[i].message) == messages[i].concerns, "%s of %s",
		     messages[i].message, messages[i].port ? messages[i].port : "any");
	}
	end();
	g.me = NULL;
}

/* ---- messages ---- */

static void test_messages(void)
{
	struct text t = { "" };
	char got[2000];
	int fd[2], saved = dup(2);
	ssize_t n;

	add(&t, "%s %u %3u %X %4x %s", "a", 4294967295u, 7, 0xabcdu, 0xfu, "z");
	expect(!strcmp(t.s, "a 4294967295 007 ABCD 000f z"), "parse.format", "%s", t.s);
	for (unsigned i = 0; i < 200; i++)
		add(&t, "%s", "0123456789");
	expect(strlen(t.s) == sizeof t.s - 1, "parse.format.cut", "%zu", strlen(t.s));

	if (pipe(fd))
		abort();
	dup2(fd[1], 2);
	g.level = DEBUG;
	understand(A_CODE, "S3cret", NULL);
	trace(">", "AT!ENTERCND=\"S3CRET\"");
	trace("<", "AT!ENTERCND=\"s3cret\"\r\r\nx\33[2J\\OK\n");
	for (size_t pad = 270; pad < 310; pad++) {
		char text[400];

		memset(text, 'a', sizeof text);
		strcpy(text + pad, "S3cretb\n");
		trace("<", text);
		if (pad % 5 == 4) {
			n = read(fd[0], got, sizeof got - 1);
			(void)n;
		}
	}
	trace("<", "S3cret");
	g.level = INFO;
	dup2(saved, 2);
	close(fd[1]);
	n = read(fd[0], got, sizeof got - 1);
	got[n > 0 ? n : 0] = '\0';
	expect(!find(got, "s3cret") && strstr(got, "****"), "parse.code-is-never-shown", "%s", got);
	close(fd[0]);

	if (pipe(fd))
		abort();
	dup2(fd[1], 2);
	g.level = DEBUG;
	trace("<", "AT!ENTERCND=\"s3cret\"\r\r\nx\33[2J\\OK\n");
	g.level = INFO;
	say(INFO, "evil %s", "\33[2J\nx\177");
	dup2(saved, 2);
	close(fd[1]);
	n = read(fd[0], got, sizeof got - 1);
	got[n > 0 ? n : 0] = '\0';
	expect(!strcmp(got, "swflip: < AT!ENTERCND=\"****\"\\x0d\\x0d\\x0a\nswflip: < "
			    "x\\x1b[2J\\x5cOK\\x0a\nswflip: evil ?[2J?x?\n"),
	       "parse.control-characters", "%s", got);
	close(fd[0]);
	close(saved);
}

int main(void)
{
	char dir[] = "/tmp/swflip-parse-XXXXXX", command[100];
	static int64_t limit;
	int null = open("/dev/null", O_WRONLY), err = dup(2);

	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	g.limit = &limit;
	strcpy(g.code, "A710");
	g.level = ERROR;
	test_exact();
	test_rows();
	test_ways();
	test_answers();
	test_silence();
	test_values();
	test_targets();
	dup2(null, 2);
	test_kernel();
	dup2(err, 2);
	test_qmi();
	test_descriptors();
	test_kinds();
	test_ports();
	test_messages();
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) ? 1 : finish();
}
