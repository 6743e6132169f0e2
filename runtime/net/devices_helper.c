/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes the place of devices.c in a program that has no libmnl, as static ones: another program moves the devices. */
#include "devices.h"
#include <errno.h>
#include "buf.h"
#include "devices_wire.h"
#include "helper.h"
#include "spec.h"

#define NETDEV(...) { \
	.program = DEVICES_HELPER, .need = "/linux/netDevices", .library = "libmnl", \
	.deadline_ms = DEVICES_DEADLINE_MS, __VA_ARGS__ }

int net_devices_available(struct err *e)
{
	const struct helper_call c = NETDEV(.fd = -1);

	return helper_there(&c, e);
}

static void word(struct buf *b, const char *text)
{
	buf_adds(b, text);
	buf_addc(b, 0);
}

int net_devices_move(const struct objv *devices, int netns, struct arena *a, struct err *e)
{
	const struct spec_net_device *d = devices->v;
	auto_buf b = BUF_INIT;
	struct err answer;

	word(&b, DEVICES_WIRE_VERSION);
	for (size_t i = 0; i < devices->n; i++) {
		word(&b, d[i].key);
		word(&b, d[i].name ? d[i].name : "");
	}
	if (!buf_ok(&b) || b.len > DEVICES_REQUEST_MAX)
		return err_set(e, ERR_LIMIT, -E2BIG, "/linux/netDevices", "too many devices");

	const struct helper_call c = NETDEV(.request = b.data, .len = b.len, .fd = netns);

	return helper_ask(&c, &answer, sizeof(answer), e);
}
