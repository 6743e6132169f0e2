/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings of our own terminal around a container's. */
#include "tty.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

void tty_find(struct tty *t)
{
	/* As in a shell's pipeline, any of the three may have been redirected. */
	static const int std[] = { STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO };
	unsigned int i;

	*t = TTY_INIT;
	for (i = 0; i < sizeof(std) / sizeof(std[0]); i++) {
		if (!tcgetattr(std[i], &t->old)) {
			t->fd = std[i];
			return;
		}
	}
	t->fd = openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	t->owned = t->fd >= 0;
	if (t->owned && tcgetattr(t->fd, &t->old))
		tty_restore(t);
}

int tty_raw(struct tty *t)
{
	struct termios raw = t->old;

	if (t->fd < 0)
		return 0;
	cfmakeraw(&raw);
	/* Output processing stays: a container's terminal sends bare newlines (console_make()). */
	raw.c_oflag |= OPOST;
	if (tcsetattr(t->fd, TCSANOW, &raw))
		return -errno;
	t->raw = true;
	return 0;
}

void tty_restore(struct tty *t)
{
	int saved = errno;

	if (t->raw)
		tcsetattr(t->fd, TCSADRAIN, &t->old);
	if (t->owned)
		close(t->fd);
	*t = TTY_INIT;
	errno = saved;
}

int tty_size_copy(int from, int to)
{
	struct winsize ws;

	if (ioctl(from, TIOCGWINSZ, &ws) || ioctl(to, TIOCSWINSZ, &ws))
		return -errno;
	return 0;
}
