/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SELFEXE_H
#define CLEAT_SELFEXE_H

/** selfexe_open_readonly() - Our executable through a detached read-only bind (5.12): O_PATH fd, or -errno. */
int selfexe_open_readonly(void);
#endif
