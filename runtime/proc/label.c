/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AppArmor and SELinux: asked of the kernel by the files of /proc/self/attr, without their libraries. */
#include "label.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "spec.h"
#include "sysx.h"

#define LABEL_MAX 4096

static bool given(const char *s)
{
	return s && *s;
}

static bool apparmor_on(void)
{
	auto_fd fd = openat(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char yes = 0;

	return fd >= 0 && read(fd, &yes, 1) == 1 && yes == 'Y';
}

int label_check_apparmor(const char *profile, const char *where, struct err *e)
{
	if (!given(profile) || apparmor_on() || !strcmp(profile, "unconfined"))
		return 0;
	return err_set(e, ERR_UNSUPPORTED, 0, where, "\"%.200s\": AppArmor is not enabled on this host (the kernel's "
		       "command line can: apparmor=1 security=apparmor)", profile);
}

int label_check_selinux(const char *label, const char *where, struct err *e)
{
	auto_fd ask = -1;
	struct statfs st;

	if (!given(label))
		return 0;
	if (statfs("/sys/fs/selinux", &st) || (unsigned long)st.f_type != SELINUX_MAGIC)
		return err_set(e, ERR_UNSUPPORTED, 0, where, "\"%.200s\": SELinux is not enabled on this host "
			       "(there is no selinuxfs at /sys/fs/selinux)", label);
	/* Whether we may ask is the policy's to say. Who may not, hears of a wrong label when it is used. */
	ask = openat(AT_FDCWD, "/sys/fs/selinux/context", O_WRONLY | O_CLOEXEC);
	if (ask < 0 || write(ask, label, strlen(label)) >= 0 || errno != EINVAL)
		return 0;
	return err_set(e, ERR_SPEC, 0, where, "\"%.200s\" is no label of the policy that is loaded", label);
}

int label_mount_option(const struct spec *s, struct arena *a, const char **out, struct err *e)
{
	static const char *const kinds[] = { "context", "fscontext", "defcontext", "rootcontext" };
	const char *label = s->linux_->mount_label, *kind = kinds[0];
	size_t i;
	int r;

	*out = NULL;
	if (!label)
		return 0;
	for (i = 0; i < s->annotations.n; i++)
		if (!strcmp(s->annotations.v[i].key, "run.oci.mount_context_type"))
			kind = s->annotations.v[i].val;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kind, kinds[i]); i++)
		;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return err_set(e, ERR_SPEC, 0, "/annotations/run.oci.mount_context_type",
			       "\"%.100s\" is not context, fscontext, defcontext or rootcontext", kind);
	r = label_check_selinux(label, "/linux/mountLabel", e);
	if (r)
		return r;
	*out = arena_printf(a, "%s=%s", kind, label);
	return *out ? 0 : err_set(e, ERR_LIMIT, -ENOMEM, "/linux/mountLabel", "\"%s\"", label);
}

int label_procfs(void)
{
	auto_fd fs = sysx_fsopen("proc", FSOPEN_CLOEXEC);
	int r = fs;

	if (r >= 0)
		r = sysx_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sysx_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return r == -ENOSYS ? proc_open() : r;
}

static int put(int procfd, const char *file, const char *text)
{
	auto_fd fd = proc_openat(procfd, file, O_WRONLY);

	if (fd < 0)
		return fd;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int enter_profile(int procfd, const char *profile, struct err *e)
{
	char text[LABEL_MAX];
	int r = -ENAMETOOLONG;

	if (snprintf(text, sizeof(text), "exec %s", profile) < (int)sizeof(text)) {
		r = put(procfd, "self/attr/apparmor/exec", text);
		if (r == -ENOENT)	/* the profile, or below 5.8 the file, where all modules share the next one */
			r = put(procfd, "self/attr/exec", text);
	}
	if (!r)
		return 0;
	return err_set(e, r == -EACCES || r == -EPERM ? ERR_DENIED : ERR_SPEC, r, "/process/apparmorProfile",
		       "enter the AppArmor profile \"%.200s\"%s", profile, r == -ENOENT ?
		       " (it is not loaded; apparmor_parser -r loads it)" : "");
}

int label_exec(int procfd, const char *apparmor, const char *selinux, struct err *e)
{
	int r = 0;

	/* Where AppArmor is off, the one word that got here is "unconfined". */
	if (given(apparmor) && (strcmp(apparmor, "unconfined") || apparmor_on()))
		r = enter_profile(procfd, apparmor, e);
	if (r || !given(selinux))
		return r;
	r = put(procfd, "self/attr/exec", selinux);
	return r ? err_set(e, r == -EACCES || r == -EPERM ? ERR_DENIED : ERR_SPEC, r, "/process/selinuxLabel",
			   "set the SELinux label \"%.200s\"", selinux) : 0;
}

int label_keys(int procfd, const char *selinux, struct err *e)
{
	int r = put(procfd, "self/attr/keycreate", given(selinux) ? selinux : "\n");

	return r ? err_set(e, ERR_KERNEL, r, "/process/selinuxLabel", "label the session keyring \"%.200s\"",
			   given(selinux) ? selinux : "") : 0;
}
