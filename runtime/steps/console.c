/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The container's terminal: a pty of its own devpts, verified by fd (security contract: t-console-race). */
#include "steps.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>
#include "fd.h"
#include "pathfs.h"
#include "sync.h"

#ifndef DEVPTS_SUPER_MAGIC
#define DEVPTS_SUPER_MAGIC 0x1cd1
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)	/* 4.13 */
#endif

static int open_master(int rootfd, struct err *e)
{
	auto_fd fd = path_open_in_root(rootfd, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	struct statfs sfs;
	struct stat st;

	if (fd < 0)
		return err_set(e, ERR_SPEC, fd, "/process/terminal", "open /dev/pts/ptmx of the container (is devpts mounted?)");
	if (fstat(fd, &st) || fstatfs(fd, &sfs))
		return err_set(e, ERR_KERNEL, -errno, "/process/terminal", "stat /dev/pts/ptmx");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || sfs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(e, ERR_SPEC, -ENODEV, "/process/terminal", "/dev/pts/ptmx is not a pty multiplexer");
	return take_fd(&fd);
}

static int bind_console(int rootfd, int slave, struct mnt_env *m, struct err *e)
{
	auto_fd target = path_touch_in_root(rootfd, "/dev/console", 0620);
	int r;

	if (target < 0)
		return err_set(e, ERR_KERNEL, target, "/process/terminal", "make /dev/console");
	r = mnt_bind(m, slave, false, false, target, NULL);
	return r ? err_set(e, ERR_KERNEL, r, "/process/terminal", "bind the terminal to /dev/console") : 0;
}

/* Before the program can print. */
static int set_bare_newlines(int slave, struct err *e)
{
	struct termios t;

	if (tcgetattr(slave, &t))
		return err_set(e, ERR_KERNEL, -errno, "/process/terminal", "read the terminal's settings");
	t.c_oflag &= ~(tcflag_t)ONLCR;
	if (tcsetattr(slave, TCSANOW, &t))
		return err_set(e, ERR_KERNEL, -errno, "/process/terminal", "set the terminal up");
	return 0;
}

int console_make(int rootfd, struct seal_ctx *c, struct mnt_env *bind, struct err *e)
{
	auto_fd master = open_master(rootfd, e), slave = -1;
	const struct process *p = c->p;
	struct winsize ws = { .ws_row = (unsigned short)p->rows, .ws_col = (unsigned short)p->columns };
	int unlock = 0, r, i;

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlock))
		return err_set(e, ERR_KERNEL, -errno, "/process/terminal", "unlock the pty");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(e, ERR_KERNEL, -errno, "/process/terminal", "open the pty's other end");
	if ((ws.ws_row || ws.ws_col) && ioctl(master, TIOCSWINSZ, &ws))
		return err_set(e, ERR_KERNEL, -errno, "/process/consoleSize", "set the terminal's size");
	if (bind) {
		r = bind_console(rootfd, slave, bind, e);
		if (r)
			return r;
	}
	if (c->bare_newlines) {
		r = set_bare_newlines(slave, e);
		if (r)
			return r;
	}
	r = sync_send(c->sock, SYNC_CONSOLE, 0, master);
	if (r)
		return err_set(e, ERR_PEER, r, NULL, "hand over the terminal");
	if (ioctl(slave, TIOCSCTTY, 0))
		return err_set(e, ERR_KERNEL, -errno, "/process/terminal", "make the pty the controlling terminal");
	for (i = 0; i < 3; i++)
		if (dup2(slave, i) < 0)
			return err_set(e, ERR_KERNEL, -errno, "/process/terminal", "dup2");
	if (slave <= 2)
		take_fd(&slave);
	c->console_done = true;
	return 0;
}
