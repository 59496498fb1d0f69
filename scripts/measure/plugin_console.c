// SPDX-License-Identifier: MIT
/*
 * How the line is found: the console is a file (-serial file:...) to which
 * QEMU's device models write at once. So after each store to a device the file
 * is looked at; what it grew by, that store has sent. No UART's registers need
 * to be known. Where a model sends later (SiFive's, in newer versions of QEMU),
 * tx= names the transmit register, and the stored values themselves are the
 * text; that needs a QEMU that tells them (API 4).
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "plugin.h"
#include "plugin_qemu.h"

/* The end of what the console has sent since the entry, long enough to match. */
static char tail[MAX_WANT + 1];
static size_t tail_len;
static bool want_seen;
static int console_fd = -1;

/* Take what the console has sent; end the run with the wanted line. */
static void console_sent(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (want_seen) {
			if (text[i] != '\n')
				continue;
			finish(true);
			if (!option.to_end)
				_exit(0);
			return;
		}
		if (tail_len == option.want_len)
			memmove(tail, tail + 1, --tail_len);
		tail[tail_len++] = text[i];
		want_seen =
			tail_len == option.want_len && !memcmp(tail, option.want, option.want_len);
	}
}

/* Read what the console's file has grown by. */
static size_t console_read(char *buf, size_t size)
{
	if (console_fd < 0)
		console_fd = open(option.console, O_RDONLY | O_CLOEXEC);
	if (console_fd < 0)
		die("cannot read ", option.console);

	ssize_t len = read(console_fd, buf, size);

	return len > 0 ? (size_t)len : 0;
}

/* What firmware said before the entry is not the line. */
void console_start(void)
{
	char buf[4096];

	while (console_read(buf, sizeof(buf)))
		;
}

void console_stored(unsigned int hart, uint64_t phys, uint32_t info)
{
	char buf[256];
	size_t len;

	if (option.tx) {
		if (phys == option.tx) {
			struct mem_value value = qemu_plugin_mem_get_value(info);

			buf[0] = (char)value.data.u8;
			flow_text(hart, buf, 1);
			console_sent(buf, 1);
		}
		return;
	}
	while ((len = console_read(buf, sizeof(buf)))) {
		flow_text(hart, buf, len);
		console_sent(buf, len);
	}
}
