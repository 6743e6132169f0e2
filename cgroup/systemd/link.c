/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to systemd. As root, and for a user's own manager, directly
 * to its private socket: no bus between, no matches to set, and it works where
 * no message bus runs. Else, or where the environment names a bus, by that.
 *
 * Nothing here blocks: every wait ends at the one deadline.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include "systemd.h"

#define RETRY_MS	2000	/* for a socket that nobody listens at */
#define RESTART_MS	30000	/* where systemd runs: it may be executing itself anew, which a slow host takes long for */
#define PAUSE_MS	50
#define DESTINATION	"org.freedesktop.systemd1"
#define MANAGER		"org.freedesktop.systemd1.Manager"
#define OBJECT		"/org/freedesktop/systemd1"

uint64_t link_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool link_lost(int r)
{
	return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE || r == -ESHUTDOWN;
}

int link_sleep(const struct link *l, unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	if (link_now_us() + (uint64_t)ms * 1000 >= l->end_us)
		return -ETIMEDOUT;
	nanosleep(&t, NULL);
	return 0;
}

/* Is it there? Whether somebody listens is seen when it is connected to. */
static bool take_socket(struct link *l, const char *dir, const char *name)
{
	char path[200];
	int n = snprintf(path, sizeof(path), "%s%s", dir, name);

	if (n < 0 || (size_t)n >= sizeof(path) || faccessat(AT_FDCWD, path, F_OK, 0))
		return false;
	snprintf(l->address, sizeof(l->address), "unix:path=%s", path);
	return true;
}

/* Choose l->address. Return: 1 a bus, 0 systemd itself, -errno. */
static int choose(struct link *l, struct err *e)
{
	const char *given = getenv(l->user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (l->user && dir && take_socket(l, dir, "/systemd/private"))
		return 0;
	if (given && *given) {
		snprintf(l->address, sizeof(l->address), "%s", given);
		return 1;
	}
	if (l->user && !dir)
		return err_set(e, ERR_UNSUPPORTED, -ENOENT, "XDG_RUNTIME_DIR",
			       "not set, so the user's systemd cannot be found");
	if (l->user) {
		snprintf(l->address, sizeof(l->address), "unix:path=%.200s/bus", dir);
		return 1;
	}
	if (!geteuid() && take_socket(l, "/run/systemd", "/private"))
		return 0;
	snprintf(l->address, sizeof(l->address), "unix:path=/run/dbus/system_bus_socket");
	return 1;
}

static int job_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct link *l = arg;
	const char *job, *unit, *result;
	uint32_t id;

	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0 || !l->unit ||
	    strcmp(unit, l->unit) || (l->job[0] && strcmp(job, l->job)))
		return 0;
	snprintf(l->result, sizeof(l->result), "%s", result);
	l->ended = true;
	return 0;
}

static int connect_once(struct link *l, bool broker)
{
	int r = sd_bus_new(&l->bus);

	if (r >= 0)
		r = sd_bus_set_address(l->bus, l->address);
	if (r >= 0 && broker)
		r = sd_bus_set_bus_client(l->bus, 1);
	if (r >= 0)
		r = sd_bus_start(l->bus);
	if (r >= 0)
		r = sd_bus_match_signal_async(l->bus, &l->match, broker ? DESTINATION : NULL, OBJECT, MANAGER,
					      "JobRemoved", job_removed, NULL, l);
	if (r < 0)
		link_close(l);
	return r < 0 ? r : 0;
}

int link_open(struct link *l, struct err *e)
{
	uint64_t start = link_now_us();

	for (;;) {
		int broker = choose(l, e), r;

		if (broker < 0)
			return broker;
		r = connect_once(l, broker);
		if (!r)
			return 0;
		/* EAGAIN: more wait for systemd's accept than its queue holds */
		if (r != -ENOENT && r != -ECONNREFUSED && r != -EAGAIN && !link_lost(r))
			return err_set(e, r == -EACCES || r == -EPERM ? ERR_DENIED : ERR_PEER, r, l->address,
				       "connect to systemd");
		if (r != -EAGAIN && link_now_us() - start > (broker ? RETRY_MS : RESTART_MS) * 1000)
			return err_set(e, ERR_UNSUPPORTED, r, l->address,
				       "systemd does not run here, or its bus does not: connect");
		if (link_sleep(l, PAUSE_MS))
			return err_set(e, ERR_TIMEOUT, -ETIMEDOUT, l->address, "connect to systemd");
	}
}

void link_close(struct link *l)
{
	l->match = sd_bus_slot_unref(l->match);
	l->bus = sd_bus_close_unref(l->bus);
}

/* Let the connection work until something came, or the time is over. */
static int turn(struct link *l)
{
	uint64_t now = link_now_us();
	int r = sd_bus_process(l->bus, NULL);

	if (r != 0)
		return r < 0 ? r : 0;
	if (now >= l->end_us)
		return -ETIMEDOUT;
	r = sd_bus_wait(l->bus, l->end_us - now);
	return r < 0 && r != -EINTR ? r : 0;
}

struct waiting {
	sd_bus_message *reply;
};

static int got_reply(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct waiting *w = arg;

	w->reply = sd_bus_message_ref(m);
	return 0;
}

int link_call(struct link *l, sd_bus_message *m, sd_bus_message **reply, sd_bus_error *error)
{
	struct waiting w = { NULL };
	sd_bus_slot *slot = NULL;
	uint64_t now = link_now_us();
	const sd_bus_error *told;
	int r = now >= l->end_us ? -ETIMEDOUT : 0;

	l->calls++;
	if (!r)
		r = sd_bus_call_async(l->bus, &slot, m, got_reply, &w, l->end_us - now);
	while (r >= 0 && !w.reply)
		r = turn(l);
	sd_bus_slot_unref(slot);
	if (!w.reply)
		return r;
	told = sd_bus_message_get_error(w.reply);
	if (!told) {
		*reply = w.reply;
		return 0;
	}
	r = -EREMOTEIO;
	/* what the library itself says in the name of a peer that is silent or gone */
	if (sd_bus_error_has_name(told, SD_BUS_ERROR_NO_REPLY) || sd_bus_error_has_name(told, SD_BUS_ERROR_TIMEOUT))
		r = sd_bus_is_open(l->bus) > 0 ? -ETIMEDOUT : -ENOTCONN;
	else if (sd_bus_error_has_name(told, SD_BUS_ERROR_DISCONNECTED) ||
		 sd_bus_error_has_name(told, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
		 sd_bus_error_has_name(told, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
		 (told->name && !strncmp(told->name, "org.freedesktop.DBus.Error.Spawn.", 33)))
		r = -ENOTCONN;	/* the bus is there and systemd is not: it may be on its way back */
	sd_bus_error_copy(error, told);
	sd_bus_message_unref(w.reply);
	return r;
}

int link_wait_job(struct link *l)
{
	int r = 0;

	while (!r && !l->ended)
		r = turn(l);
	return l->ended ? 0 : r;
}

int link_manager(struct link *l, sd_bus_message **m, const char *method)
{
	return sd_bus_message_new_method_call(l->bus, m, DESTINATION, OBJECT, MANAGER, method);
}
