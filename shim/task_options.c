/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runtime options by the type of message that brought them. */
#include "task_options.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "fd.h"
#include "fdio.h"
#include "message.h"
#include "pathfs.h"
#include "runc.pb-c.h"
#include "runtimeoptions.pb-c.h"

#define CONFIG_BYTES (1u << 20)

static int from_runc(const void *value, size_t len, struct shim_options *o, struct arena *a,
		     struct err *e)
{
	Containerd__Runc__V1__Options *m =
		msg_unpack(a, &containerd__runc__v1__options__descriptor, value, len, e);

	if (!m)
		return err_context(e, "runtime options");
	o->no_pivot_root = m->no_pivot_root;
	o->no_new_keyring = m->no_new_keyring;
	o->systemd_cgroup = m->systemd_cgroup;
	o->shim_cgroup = msg_str(&m->shim_cgroup);
	o->root = msg_str(&m->root);
	o->io_uid = m->io_uid;
	o->io_gid = m->io_gid;
	return 0;
}

static int from_file(const char *path, struct shim_options *o, struct arena *a,
		     const struct log *log, struct err *e)
{
	auto_buf b = BUF_INIT;
	int r = path_read(AT_FDCWD, path, CONFIG_BYTES, &b);

	if (r < 0)
		return err_set(e, ERR_SPEC, r, path, "read runtime options");
	return b.len ? options_toml(b.data, b.len, o, a, log, e) : 0;
}

static int from_generic(const void *value, size_t len, struct shim_options *o, struct arena *a,
			const struct log *log, struct err *e)
{
	Runtimeoptions__V1__Options *m =
		msg_unpack(a, &runtimeoptions__v1__options__descriptor, value, len, e);

	if (!m)
		return err_context(e, "runtime options");
	if (m->config_body.len)
		return options_toml((const char *)m->config_body.data, m->config_body.len, o, a,
				    log, e);
	if (m->config_path.len)
		return from_file(msg_str(&m->config_path), o, a, log, e);
	return 0;
}

int options_any(const char *type_url, const void *value, size_t len, struct shim_options *o,
		struct arena *a, const struct log *log, struct err *e)
{
	const char *slash = strrchr(type_url, '/'), *name = slash ? slash + 1 : type_url;

	if (!len)
		return 0;
	if (!strcmp(name, "containerd.runc.v1.Options"))
		return from_runc(value, len, o, a, e);
	if (!strcmp(name, "runtimeoptions.v1.Options"))
		return from_generic(value, len, o, a, log, e);
	log_warn(log, "runtime options of unknown type %s ignored", type_url);
	return 0;
}
