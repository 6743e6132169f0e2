/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As much of systemd as a container needs, on a private message bus, for
 * hosts that systemd does not run on.
 *
 *   fake-systemd LOG MODE		serve; LOG gets a line per call, and what was sent
 *   fake-systemd --deaf SOCKET		listen there and never answer
 *
 * The file MODE is read at each call and says how to behave: "" as systemd
 * does; "silent" no answer; "nojob" jobs never end; "slow" they take 700 ms;
 * "failed" they fail; "denied" callers have no right; "exists" units exist
 * until ResetFailedUnit; "old" CollectMode is not known.
 *
 * Units live in the cgroup hierarchy that systemd uses: name=systemd of v1, or v2.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define MANAGER "org.freedesktop.systemd1.Manager"
#define OBJECT "/org/freedesktop/systemd1"

static sd_bus *bus;
static FILE *out;
static const char *mode_file, *top;
static unsigned int jobs;
static bool reset;

static bool mode(const char *name)
{
	char text[64] = "";
	FILE *f = fopen(mode_file, "re");

	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = 0;
		fclose(f);
	}
	text[strcspn(text, "\n")] = 0;
	return !strcmp(text, name);
}

static void note(sd_bus_message *m)
{
	fprintf(out, "CALL %s\n", sd_bus_message_get_member(m));
	sd_bus_message_dump(m, out, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY);
	sd_bus_message_rewind(m, 1);
	fflush(out);
}

/* TOP/a.slice/a-b.slice/UNIT; every level is made. */
static void place(const char *slice, const char *unit, char *path, size_t size)
{
	size_t len = strlen(slice) - strlen(".slice");
	int n = snprintf(path, size, "%s", top);

	for (size_t i = 1; i <= len; i++) {
		if (i < len && slice[i] != '-')
			continue;
		if (len == 1 && slice[0] == '-')
			break;
		n += snprintf(path + n, size - n, "/%.*s.slice", (int)i, slice);
		mkdir(path, 0755);
	}
	if (unit) {
		snprintf(path + n, size - n, "/%s", unit);
		mkdir(path, 0755);
	}
}

/* Where a unit is: its slice is remembered in a file beside the log. */
static bool find(const char *unit, char *path, size_t size)
{
	char name[512], slice[256] = "";
	struct stat st;
	FILE *f;

	snprintf(name, sizeof(name), "%s.%s", mode_file, unit);
	f = fopen(name, "re");
	if (!f)
		return false;
	if (!fgets(slice, sizeof(slice), f))
		slice[0] = 0;
	fclose(f);
	place(slice, NULL, path, size);
	if (strcmp(slice, unit))
		snprintf(path + strlen(path), size - strlen(path), "/%s", unit);
	return !stat(path, &st);
}

static void remember(const char *unit, const char *slice)
{
	char name[512];
	FILE *f;

	snprintf(name, sizeof(name), "%s.%s", mode_file, unit);
	f = fopen(name, "we");
	if (f) {
		fputs(slice, f);
		fclose(f);
	}
}

static void forget(const char *unit)
{
	char name[512];

	snprintf(name, sizeof(name), "%s.%s", mode_file, unit);
	unlink(name);
}

static bool move(const char *path, uint32_t pid)
{
	char procs[512];
	FILE *f;
	bool ok;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	f = fopen(procs, "we");
	if (!f)
		return false;
	ok = fprintf(f, "%u", pid) > 0;
	return !fclose(f) && ok;
}

static int end_job(sd_bus_message *m, const char *unit)
{
	char job[64];
	int r;

	snprintf(job, sizeof(job), OBJECT "/job/%u", ++jobs);
	r = sd_bus_reply_method_return(m, "o", job);
	if (r < 0 || mode("nojob"))
		return r;
	if (mode("slow"))
		usleep(700000);
	return sd_bus_emit_signal(bus, OBJECT, MANAGER, "JobRemoved", "uoss", jobs, job, unit,
				  mode("failed") ? "failed" : "done");
}

/* The properties of interest. Return: 0, or the reply's own status. */
static int read_properties(sd_bus_message *m, char *slice, size_t size, uint32_t *pid)
{
	const char *name, *text;
	int r = sd_bus_message_enter_container(m, 'a', "(sv)");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r < 0)
			return r;
		if (!strcmp(name, "CollectMode") && mode("old"))
			return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_PROPERTY_READ_ONLY,
							  "Cannot set property %s, or unknown property.", name) < 0 ?
				-EIO : 1;
		if (!strcmp(name, "Slice")) {
			r = sd_bus_message_read(m, "v", "s", &text);
			snprintf(slice, size, "%s", text);
		} else if (!strcmp(name, "PIDs")) {
			r = sd_bus_message_read(m, "v", "au", 1, pid);
		} else {
			r = sd_bus_message_skip(m, "v");
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : 0;
}

static int start(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	char slice[256] = "system.slice", path[1024];
	const char *unit, *how;
	uint32_t pid = 0;
	int r;

	note(m);
	if (mode("silent"))
		return 1;
	if (mode("denied"))
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "Access denied");
	r = sd_bus_message_read(m, "ss", &unit, &how);
	if (r >= 0 && mode("exists") && !reset)
		return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.UnitExists",
						  "Unit %s already exists.", unit);
	if (r >= 0)
		r = read_properties(m, slice, sizeof(slice), &pid);
	if (r)
		return r;
	if (find(unit, path, sizeof(path)))
		return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.UnitExists",
						  "Unit %s already exists.", unit);
	if (!mode("failed")) {
		bool is_slice = strlen(unit) > 6 && !strcmp(unit + strlen(unit) - 6, ".slice");

		if (is_slice)
			snprintf(slice, sizeof(slice), "%s", unit);
		place(slice, is_slice ? NULL : unit, path, sizeof(path));
		remember(unit, slice);
		if (pid && !move(path, pid))
			return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_FAILED, "no process %u", pid);
	}
	return end_job(m, unit);
}

static int stop(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	char path[1024];
	const char *unit;

	note(m);
	if (mode("silent"))
		return 1;
	if (sd_bus_message_read(m, "s", &unit) < 0 || !find(unit, path, sizeof(path)))
		return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not loaded.", unit);
	rmdir(path);
	forget(unit);
	return end_job(m, unit);
}

static int set(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	note(m);
	return mode("silent") ? 1 : sd_bus_reply_method_return(m, NULL);
}

static int reset_failed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	note(m);
	reset = true;
	return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", start, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", stop, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetUnitProperties", "sba(sv)", "", set, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ResetFailedUnit", "s", "", reset_failed, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END
};

/* Properties of units, which are asked for only when something went wrong, and of slices. */
static int unit_get(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *interface, *property;
	char *unit = NULL, path[1024] = "";
	bool there;
	int r;

	if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get"))
		return 0;
	note(m);
	r = sd_bus_message_read(m, "ss", &interface, &property);
	if (r >= 0)
		r = sd_bus_path_decode(sd_bus_message_get_path(m), OBJECT "/unit", &unit);
	if (r <= 0)
		return r;
	there = find(unit, path, sizeof(path));
	free(unit);
	if (!strcmp(property, "ControlGroup"))
		return sd_bus_reply_method_return(m, "v", "s", there ? path + strlen(top) : "");
	return sd_bus_reply_method_return(m, "v", "s", there ? "active" : "inactive");
}

static int deaf(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		return 1;
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct stat st;
	int r;

	if (argc == 3 && !strcmp(argv[1], "--deaf"))
		return deaf(argv[2]);
	if (argc != 3)
		return 2;
	out = fopen(argv[1], "ae");
	mode_file = argv[2];
	top = stat("/sys/fs/cgroup/systemd", &st) ? "/sys/fs/cgroup" : "/sys/fs/cgroup/systemd";
	r = out ? sd_bus_open_user(&bus) : -errno;
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, OBJECT, MANAGER, manager, NULL);
	if (r >= 0)
		r = sd_bus_add_fallback(bus, NULL, OBJECT "/unit", unit_get, NULL);
	if (r >= 0)
		r = sd_bus_request_name(bus, "org.freedesktop.systemd1", 0);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (!r)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "fake-systemd: %s\n", strerror(-r));
	return 1;
}
