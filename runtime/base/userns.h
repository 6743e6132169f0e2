/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_USERNS_H
#define CLEAT_USERNS_H
#include <stdbool.h>
#include <sys/types.h>

/** userns_is_own() - Are we in a user namespace other than the machine's first? The first maps every id to itself. */
bool userns_is_own(void);
/** userns_root_uid() - What the namespace above calls our uid 0; 0 when it has no name there. */
uid_t userns_root_uid(void);
#endif
