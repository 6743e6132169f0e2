/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SYSTEMD_H
#define CLEAT_SYSTEMD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include "err.h"
#include "unit_wire.h"

/* The helper program's own parts; the only code that knows sd-bus. */

#define PROPERTIES_MAX 512

/** struct property - Pointers into the request. */
struct property {
	const char *name, *sig;
	const char *words, *end;	/* of the value */
	bool optional;			/* left out where systemd does not know it */
};

struct request {
	const char *op, *unit;
	bool user;
	struct property p[PROPERTIES_MAX];
	size_t n;
};
/** request_parse() - Cut @text (whose last byte is a NUL) into words. Return: 0 or -EPROTO. */
int request_parse(struct request *q, char *text, size_t len);
/** request_drop() - Forget the optional property that @message complains of. Return: was there one? */
bool request_drop(struct request *q, const char *message);
/** request_append() - The properties as a(sv). Return: 0 or -errno. */
int request_append(const struct request *q, sd_bus_message *m);

/** struct link - A connection and the time there is for everything. */
struct link {
	sd_bus *bus;
	sd_bus_slot *match;
	uint64_t end_us;	/* CLOCK_MONOTONIC */
	uint32_t calls;
	bool user;
	char address[256];	/* for messages */
	/* the job that is waited for: its end is told by a signal */
	const char *unit;
	char job[256], result[32];
	bool ended;
};
uint64_t link_now_us(void);
/** link_open() - Connect; tries again for a moment, for systemd may be restarting. */
int link_open(struct link *l, struct err *e);
void link_close(struct link *l);
/** link_call() - Send @m and wait. @reply is the caller's. Return: 0, -ENOTCONN and its like, -ETIMEDOUT, -EREMOTEIO with @error. */
int link_call(struct link *l, sd_bus_message *m, sd_bus_message **reply, sd_bus_error *error);
/** link_wait_job() - Wait for the end of l->job. */
int link_wait_job(struct link *l);
/** link_lost() - Does @r mean that the connection is gone? */
bool link_lost(int r);
/** link_sleep() - A pause before something is tried again. Return: 0 or -ETIMEDOUT. */
int link_sleep(const struct link *l, unsigned int ms);
/** link_manager() - A call to systemd's manager. */
int link_manager(struct link *l, sd_bus_message **m, const char *method);
#endif
