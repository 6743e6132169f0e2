/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_TTY_H
#define CLEAT_TTY_H
#include <stdbool.h>
#include <termios.h>

/** struct tty - The terminal that this program was started on, while it lends it to a container. */
struct tty {
	int fd;			/* -1: there is none */
	bool owned;		/* fd was opened by us */
	bool raw;		/* old is to be put back */
	struct termios old;
};
#define TTY_INIT ((struct tty){ .fd = -1 })

/** tty_find() - The terminal on 0, 1 or 2, else the controlling one, else none (fd -1). */
void tty_find(struct tty *t);
/** tty_raw() - No editing, echo or signals: the container's terminal does these. 0 or -errno. */
int tty_raw(struct tty *t);
/** tty_restore() - Put the old settings back and forget the terminal. */
void tty_restore(struct tty *t);
/** tty_size_copy() - Give the terminal @to the window size of @from. 0 or -errno. */
int tty_size_copy(int from, int to);
#endif
