/* What the tests of swflip.c's own functions share: swflip.c itself, every static function of it;
 * tap.h; and descriptors. */
#define main swflip_main
#include "../swflip.c"
#undef main

#include "tap.h"

/* ---- descriptors, as a modem sends them ---- */

static uint8_t *add_bytes(uint8_t *p, const uint8_t *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static uint8_t *config_bytes(uint8_t *p, uint8_t value, unsigned interfaces)
{
	uint8_t bytes[] = { 9, 2, 0, 0, (uint8_t)interfaces, value, 0, 0xe0, 250 };

	return add_bytes(p, bytes, sizeof bytes);
}

static uint8_t *endpoint_bytes(uint8_t *p, unsigned address, uint8_t type, uint16_t size)
{
	uint8_t bytes[] = { 7, 5, (uint8_t)address, type, (uint8_t)size, (uint8_t)(size >> 8), 9 };

	return add_bytes(p, bytes, sizeof bytes);
}

static uint8_t *interface_bytes(uint8_t *p, uint8_t number, uint8_t alt, uint8_t class,
				uint8_t subclass, uint8_t protocol, bool bulk, bool interrupt)
{
	enum { BULK = 2, INTERRUPT = 3 };
	/* CDC header; MBIM, with 0x1234 as wMaxControlMessage */
	static const uint8_t mbim[] = { 5, 0x24, 0,    0x10, 1, 12,   0x24, 0x1b, 0,
					1, 0x34, 0x12, 8,    0, 0xdc, 5,    0x20 };
	uint8_t endpoints = (uint8_t)(bulk * 2 + interrupt);
	uint8_t bytes[] = { 9, 4, number, alt, endpoints, class, subclass, protocol, 0 };

	p = add_bytes(p, bytes, sizeof bytes);
	if (class == 2 && subclass == 0x0e)
		p = add_bytes(p, mbim, sizeof mbim);
	if (interrupt)
		p = endpoint_bytes(p, 0x81u + number % 15, INTERRUPT, 64);
	if (bulk) {
		p = endpoint_bytes(p, 0x81u + number % 15, BULK, 512);
		p = endpoint_bytes(p, 1u + number % 15, BULK, 512);
	}
	return p;
}

/* One interface with three ports in it, as a public lsusb -v shows it of hs2300 (03f0:1e1d),
 * AC 860 (1199:6855) and MC5720 (1199:0218). */
static uint8_t *three_ports_bytes(uint8_t *p, uint8_t number)
{
	enum { BULK = 2, INTERRUPT = 3 };
	uint8_t bytes[] = { 9, 4, number, 0, 7, 0xff, 0xff, 0xff, 0 };

	p = add_bytes(p, bytes, sizeof bytes);
	p = endpoint_bytes(p, 0x81, INTERRUPT, 16);
	p = endpoint_bytes(p, 0x82, BULK, 64);
	p = endpoint_bytes(p, 0x02, BULK, 64);
	p = endpoint_bytes(p, 0x84, BULK, 64);
	p = endpoint_bytes(p, 0x04, BULK, 64);
	p = endpoint_bytes(p, 0x85, BULK, 64);
	return endpoint_bytes(p, 0x05, BULK, 64);
}

__attribute__((unused)) static uint8_t *device_bytes(uint8_t *p, uint16_t idVendor,
						     uint16_t idProduct, uint8_t configurations)
{
	uint8_t bytes[] = {
		18, 1, 0x10, 0x02, 0xef, 2, 1, 64, 0, 0, 0, 0, 6, 0, 1, 2, 3, configurations,
	};

	put16(bytes + 8, idVendor);
	put16(bytes + 10, idProduct);
	return add_bytes(p, bytes, sizeof bytes);
}

/* A configuration by its interfaces, a hex number (g to z go on with 16 to 35) and a letter each:
 * v vendor with bulk and interrupt, b vendor with bulk, n vendor with no endpoint, d the DIAG of an
 * EM91xx (ff/ff/30), p three ports in one, m MBIM, e ECM, s storage, h HID. */
__attribute__((unused)) static uint8_t *config_text(uint8_t *p, uint8_t value, const char *s)
{
	static const struct {
		char letter;
		uint8_t class;
		uint8_t subclass;
		uint8_t protocol;
		bool bulk;
		bool interrupt;
	} kinds[] = {
		{ 'v', 0xff, 0x00, 0x00, true, true },   { 'b', 0xff, 0xff, 0xff, true, false },
		{ 'n', 0xff, 0x00, 0x00, false, false }, { 'd', 0xff, 0xff, 0x30, true, false },
		{ 'm', 0x02, 0x0e, 0x00, false, true },  { 'e', 0x02, 0x06, 0x00, false, true },
		{ 's', 0x08, 0x06, 0x50, true, false },  { 'h', 0x03, 0x01, 0x01, false, true },
	};

	p = config_bytes(p, value, (unsigned)(strlen(s) + 1) / 3);
	for (; *s; s += s[2] ? 3 : 2) {
		uint8_t number = (uint8_t)digit_value(s[0]);

		if (s[1] == 'p')
			p = three_ports_bytes(p, number);
		for (size_t k = 0; k < LEN(kinds); k++)
			if (kinds[k].letter == s[1])
				p = interface_bytes(p, number, 0, kinds[k].class, kinds[k].subclass,
						    kinds[k].protocol, kinds[k].bulk,
						    kinds[k].interrupt);
	}
	return p;
}
