/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_LABEL_H
#define CLEAT_LABEL_H
#include "arena.h"
#include "err.h"

struct spec;

/* Labels of the kernel's security modules. NULL and "" are none everywhere. */

/** label_check_apparmor() - Can this host confine by profiles? "unconfined" passes where it cannot. */
int label_check_apparmor(const char *profile, const char *where, struct err *e);
/** label_check_selinux() - Does this host know labels, and this one? */
int label_check_selinux(const char *label, const char *where, struct err *e);
/**
 * label_mount_option() - mountLabel as the mount option "context=LABEL"; @out is NULL without one.
 * The annotation run.oci.mount_context_type chooses another of the four options for labels.
 */
int label_mount_option(const struct spec *s, struct arena *a, const char **out, struct err *e);

/**
 * label_procfs() - A procfs to reach our own attributes through.
 *
 * In a running container its /proc is not to be trusted, and a handle of the host's would be within reach
 * of whoever is inside. So: a new one of our own pid namespace, attached nowhere. Below 5.2 the container's,
 * of which it is made sure that it is a procfs.
 * Return: fd or -errno.
 */
int label_procfs(void);
/**
 * label_exec() - What the next execve shall do: enter an AppArmor profile, take an SELinux label.
 * @procfd: of proc_open() or label_procfs().
 */
int label_exec(int procfd, const char *apparmor, const char *selinux, struct err *e);
/** label_keys() - Label of the keyrings that we make; NULL: as without one. */
int label_keys(int procfd, const char *selinux, struct err *e);
#endif
