/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_KEYRING_H
#define CLEAT_KEYRING_H
#include <stdbool.h>

/**
 * keyring_join() - Leave the caller's session keyring for the container's own, "_ses.<id>".
 * @userns: in a user namespace; decides whose search permission is added, so that exec'ed
 *          processes with another uid find the keyring too.
 * Return: 0, -ENOSYS on a kernel without keyrings, -EDQUOT and other -errno.
 */
int keyring_join(const char *name, bool userns);
#endif
