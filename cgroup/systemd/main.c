/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cleat-systemd: the helper program that speaks with systemd. cleat executes
 * it for one operation on one unit; the request comes on stdin, and the answer
 * goes there (unit_wire.h).
 *
 * One method call and, where it begins a job, the signal of that job's end.
 * More only when something is out of the ordinary: a failed unit of the same
 * name, a systemd that does not know a property, or that restarts meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fdio.h"
#include "systemd.h"

#define UNIT_EXISTS	"org.freedesktop.systemd1.UnitExists"
#define NO_SUCH_UNIT	"org.freedesktop.systemd1.NoSuchUnit"
#define UNITS		"/org/freedesktop/systemd1/unit"
#define POLL_MS		50
#define LOST_MAX	40	/* with POLL_MS between: a systemd that restarts takes less */

struct work {
	struct request q;
	struct link l;
	struct unit_answer a;
	bool reset;		/* a failed unit was out of the way once */
	unsigned int lost;	/* how often the connection was */
	bool heard;		/* a call whose answer was lost had been heard */
};

static int fail(struct work *w, int r, const char *what, const sd_bus_error *error)
{
	enum err_kind kind = ERR_PEER;
	struct err *e = &w->a.err;

	if (r == -ETIMEDOUT)
		return err_set(e, ERR_TIMEOUT, r, w->l.address, "%s of %.128s: systemd does not answer within %d s", what,
			       w->q.unit, UNIT_DEADLINE_MS / 1000);
	if (!error || !error->name)
		return err_set(e, ERR_PEER, r, w->l.address, "%s of %.128s", what, w->q.unit);
	if (sd_bus_error_has_name(error, UNIT_EXISTS))
		kind = ERR_EXISTS;
	else if (sd_bus_error_has_name(error, NO_SUCH_UNIT))
		kind = ERR_NOT_FOUND;
	else if (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
		 sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
		kind = ERR_DENIED;
	else if (sd_bus_error_has_name(error, SD_BUS_ERROR_INVALID_ARGS) ||
		 sd_bus_error_has_name(error, SD_BUS_ERROR_PROPERTY_READ_ONLY))
		kind = ERR_SPEC;
	return err_set(e, kind, 0, w->q.unit, "%s: systemd says \"%.200s\"", what,
		       error->message ? error->message : error->name);
}

/* Call @m, which is released; -errno leaves @error filled by a peer that refused. */
static int call(struct work *w, int built, sd_bus_message *m, sd_bus_message **reply, sd_bus_error *error)
{
	int r = built < 0 ? built : link_call(&w->l, m, reply, error);

	sd_bus_message_unref(m);
	return r;
}

/* A call whose reply is the path of a job. */
static int call_job(struct work *w, int built, sd_bus_message *m, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	const char *job;
	int r;

	w->l.unit = w->q.unit;
	w->l.job[0] = 0;
	w->l.ended = false;
	r = call(w, built, m, &reply, error);
	if (!r)
		r = sd_bus_message_read(reply, "o", &job);
	if (r >= 0)
		snprintf(w->l.job, sizeof(w->l.job), "%s", job);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 0;
}

static int start_transient(struct work *w, sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	int r = link_manager(&w->l, &m, "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", w->q.unit, "replace");
	if (r >= 0)
		r = request_append(&w->q, m);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	return call_job(w, r, m, error);
}

static int reset_failed(struct work *w)
{
	sd_bus_error ignored = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int r = link_manager(&w->l, &m, "ResetFailedUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", w->q.unit);
	r = call(w, r, m, &reply, &ignored);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&ignored);
	return r == -EREMOTEIO ? 0 : r;
}

/* A property of the unit. @out: heap. */
static int unit_get(struct work *w, const char *interface, const char *name, char **out, sd_bus_error *error)
{
	sd_bus_message *m = NULL, *reply = NULL;
	const char *text;
	char *path = NULL;
	int r = sd_bus_path_encode(UNITS, w->q.unit, &path);

	if (r >= 0)
		r = sd_bus_message_new_method_call(w->l.bus, &m, "org.freedesktop.systemd1", path,
						   "org.freedesktop.DBus.Properties", "Get");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", interface, name);
	r = call(w, r, m, &reply, error);
	if (r >= 0)
		r = sd_bus_message_read(reply, "v", "s", &text);
	if (r >= 0) {
		*out = strdup(text);
		r = *out ? 0 : -ENOMEM;
	}
	sd_bus_message_unref(reply);
	free(path);
	return r < 0 ? r : 0;
}

/* A new bus may be there before systemd is on it; it may even try to start one. */
static bool not_on_the_bus(const sd_bus_error *error)
{
	static const char spawn[] = "org.freedesktop.DBus.Error.Spawn.";

	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	       (error->name && !strncmp(error->name, spawn, sizeof(spawn) - 1));
}

/*
 * The connection was lost while a unit was started, and with it the answer.
 * Return: 1 it runs, 0 it has to be started (again), or -errno.
 */
static int look_after(struct work *w)
{
	for (;;) {
		sd_bus_error ignored = SD_BUS_ERROR_NULL;
		char *state = NULL;
		int r = unit_get(w, "org.freedesktop.systemd1.Unit", "ActiveState", &state, &ignored);
		bool active = !r && !strcmp(state, "active"), waits = !r && !strcmp(state, "activating");

		waits |= r == -EREMOTEIO && not_on_the_bus(&ignored);
		free(state);
		sd_bus_error_free(&ignored);
		if (!waits)
			return r == -EREMOTEIO ? 0 : r < 0 ? r : active;
		r = link_sleep(&w->l, POLL_MS);
		if (r)
			return r;
	}
}

/* Return: 0, or -errno: @r when it was lost too often. */
static int reopen(struct work *w, int r)
{
	int q = ++w->lost > LOST_MAX ? r : link_sleep(&w->l, POLL_MS);

	if (q)
		return q;
	link_close(&w->l);
	return link_open(&w->l, &w->a.err);
}

/* One try to start the unit and see its job end. Return: 0, 1 to try again, or -errno. */
static int start_once(struct work *w)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = start_transient(w, &error);

	if (r == -EREMOTEIO && w->lost && !w->heard && sd_bus_error_has_name(&error, UNIT_EXISTS)) {
		/* The call whose answer was lost was heard after all. (Our caller sees whether the process is in it.) */
		w->heard = true;
		r = look_after(w);
		if (r >= 0)
			r = !r;
		snprintf(w->l.result, sizeof(w->l.result), "done");
	} else if (r == -EREMOTEIO && !w->reset && sd_bus_error_has_name(&error, UNIT_EXISTS)) {
		w->reset = true;
		r = reset_failed(w);
		if (!r)
			r = 1;
	} else if (r == -EREMOTEIO && request_drop(&w->q, error.message)) {
		r = 1;
	} else if (!r) {
		r = link_wait_job(&w->l);
	}
	if (link_lost(r)) {
		do {
			r = reopen(w, r);
			r = r ? r : look_after(w);
		} while (link_lost(r) && w->lost <= LOST_MAX);
		r = r < 0 ? r : !r;
	} else if (!r && strcmp(w->l.result, "done")) {
		r = err_set(&w->a.err, ERR_PEER, 0, w->q.unit, "systemd's job to start it ended as \"%s\"", w->l.result);
	}
	if (r < 0)
		fail(w, r, "StartTransientUnit", &error);
	sd_bus_error_free(&error);
	return r;
}

static int op_start(struct work *w)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *cgroup = NULL;
	size_t n = strlen(w->q.unit);
	int r;

	do {
		r = start_once(w);
	} while (r > 0);
	if (r < 0 || n < 6 || strcmp(w->q.unit + n - 6, ".slice"))
		return r;
	r = unit_get(w, "org.freedesktop.systemd1.Slice", "ControlGroup", &cgroup, &error);
	if (r < 0)
		r = fail(w, r, "ControlGroup", &error);
	else
		snprintf(w->a.cgroup, sizeof(w->a.cgroup), "%s", cgroup);
	free(cgroup);
	sd_bus_error_free(&error);
	return r;
}

static int op_stop(struct work *w)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r, q;

	do {
		sd_bus_message *m = NULL;

		sd_bus_error_free(&error);
		r = link_manager(&w->l, &m, "StopUnit");
		if (r >= 0)
			r = sd_bus_message_append(m, "ss", w->q.unit, "replace");
		r = call_job(w, r, m, &error);
		if (!r)
			r = link_wait_job(&w->l);
		q = link_lost(r) ? reopen(w, r) : -1;
	} while (!q);
	if (r == -EREMOTEIO && sd_bus_error_has_name(&error, NO_SUCH_UNIT))
		r = 0;
	else if (!r && strcmp(w->l.result, "done"))
		r = err_set(&w->a.err, ERR_PEER, 0, w->q.unit, "systemd's job to stop it ended as \"%s\"", w->l.result);
	if (r < 0)
		fail(w, r, "StopUnit", &error);
	sd_bus_error_free(&error);
	return r;
}

static int op_set(struct work *w)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	for (;;) {
		sd_bus_message *m = NULL;

		sd_bus_error_free(&error);
		r = link_manager(&w->l, &m, "SetUnitProperties");
		if (r >= 0)
			r = sd_bus_message_append(m, "sb", w->q.unit, 1);
		if (r >= 0)
			r = request_append(&w->q, m);
		r = call(w, r, m, &reply, &error);
		if (link_lost(r) && !reopen(w, r))
			continue;
		if (r == -EREMOTEIO && request_drop(&w->q, error.message) && w->q.n)
			continue;
		break;
	}
	if (r < 0)
		fail(w, r, "SetUnitProperties", &error);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return r;
}

static void answer(struct work *w, uint64_t start)
{
	w->a.calls = w->l.calls;
	w->a.usec = (uint32_t)(link_now_us() - start);
	fdio_send(0, &w->a, sizeof(w->a), NULL, 0);
}

int main(void)
{
	static const struct { const char *name; int (*run)(struct work *w); } ops[] = {
		{ "start", op_start }, { "stop", op_stop }, { "set", op_set },
	};
	uint64_t start = link_now_us();
	struct work *w = calloc(1, sizeof(*w));
	char *text = malloc(UNIT_REQUEST_MAX);
	ssize_t n;
	size_t i = 0;
	int r;

	if (!w || !text)
		return 1;
	n = fdio_recv(0, text, UNIT_REQUEST_MAX, NULL, NULL);
	if (n <= 0) {
		dprintf(2, UNIT_HELPER ": this program is executed by cleat, with a request on a socket\n");
		return 2;
	}
	r = request_parse(&w->q, text, (size_t)n);
	while (!r && i < sizeof(ops) / sizeof(ops[0]) && strcmp(ops[i].name, w->q.op))
		i++;
	if (r || i == sizeof(ops) / sizeof(ops[0])) {
		err_set(&w->a.err, ERR_BUG, -EPROTO, UNIT_HELPER, "the request is not of this program's version");
	} else {
		w->l.end_us = start + UNIT_DEADLINE_MS * 1000ULL;
		w->l.user = w->q.user;
		r = link_open(&w->l, &w->a.err);
		if (!r)
			ops[i].run(w);
	}
	/* The answer first: taking the connection down is nobody's wait. */
	answer(w, start);
	link_close(&w->l);
	free(text);
	free(w);
	return 0;
}
