/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session keyring: the host's must not be reachable from a container. */
#include "keyring.h"
#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEY_OTHER_SEARCH	0x00000008u
#define KEY_USER_SEARCH		0x00080000u

int keyring_join(const char *name, bool userns)
{
	char text[256], *p;
	long id = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name), n;
	uint32_t perm, more = userns ? KEY_OTHER_SEARCH : KEY_USER_SEARCH;
	int i;

	if (id < 0)
		return -errno;
	/* "type;uid;gid;perm;name", perm in hexadecimal */
	n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n < (long)sizeof(text) ? n : (long)sizeof(text) - 1] = 0;
	p = text;
	for (i = 0; i < 3 && p; i++) {
		p = strchr(p, ';');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return -EPROTO;
	perm = (uint32_t)strtoul(p, NULL, 16);
	/* An exec finds it as init has left it. EACCES: somebody else's of this name, with its permissions set already. */
	if ((perm & more) != more && syscall(SYS_keyctl, KEYCTL_SETPERM, id, perm | more) && errno != EACCES)
		return -errno;
	return 0;
}
