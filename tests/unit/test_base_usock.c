/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of unix sockets, short and long, and connecting to them. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "fd.h"
#include "usock.h"

#define NAME_107 "/" "234567" "1234567890" "1234567890" "1234567890" "1234567890" "1234567890" \
	"1234567890" "1234567890" "1234567890" "1234567890" "1234567890"

FIXTURE(address) {};
FIXTURE_VARIANT(address) { const char *name; int r; size_t bytes; };
FIXTURE_VARIANT_ADD(address, of_a_path) { "/run/x", 0, 7 };
FIXTURE_VARIANT_ADD(address, of_an_abstract_name) { "@x/y", 0, 4 };
FIXTURE_VARIANT_ADD(address, of_the_longest_path) { NAME_107, 0, 108 };
FIXTURE_VARIANT_ADD(address, refuses_a_longer_one) { NAME_107 "8", -ENAMETOOLONG, 0 };
FIXTURE_VARIANT_ADD(address, refuses_a_relative_path) { "run/x", -EINVAL, 0 };
FIXTURE_VARIANT_ADD(address, refuses_nothing) { "", -EINVAL, 0 };
FIXTURE_VARIANT_ADD(address, refuses_an_empty_name) { "@", -EINVAL, 0 };
FIXTURE_SETUP(address) {}
FIXTURE_TEARDOWN(address) {}

TEST_F(address, is_what_the_name_says)
{
	struct sockaddr_un sa;
	socklen_t len = 0;

	ASSERT_EQ(variant->r, usock_address(variant->name, &sa, &len));
	if (variant->r)
		return;
	EXPECT_EQ(AF_UNIX, sa.sun_family);
	EXPECT_EQ(offsetof(struct sockaddr_un, sun_path) + variant->bytes, len);
	EXPECT_EQ(variant->name[0] == '@' ? 0 : '/', sa.sun_path[0]);
	EXPECT_EQ(0, memcmp(sa.sun_path + 1, variant->name + 1, variant->bytes - 1));
}

FIXTURE(listener) { char dir[256], path[512]; int dirfd, sock; };
FIXTURE_VARIANT(listener) { int levels; };
FIXTURE_VARIANT_ADD(listener, at_a_short_path) { 0 };
FIXTURE_VARIANT_ADD(listener, deeper_than_an_address_is_long) { 5 };
FIXTURE_SETUP(listener)
{
	char tmp[] = "/tmp/usock.XXXXXX";
	struct sockaddr_un sa;
	socklen_t len;

	ASSERT_NE(NULL, mkdtemp(tmp));
	snprintf(self->dir, sizeof(self->dir), "%s", tmp);
	snprintf(self->path, sizeof(self->path), "%s", tmp);
	for (int i = 0; i < variant->levels; i++) {
		size_t n = strlen(self->path);

		snprintf(self->path + n, sizeof(self->path) - n, "/a-directory-with-a-long-name");
		ASSERT_EQ(0, mkdir(self->path, 0700));
	}
	self->dirfd = open(self->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->dirfd);
	strncat(self->path, "/socket", sizeof(self->path) - strlen(self->path) - 1);
	usock_address_at(self->dirfd, "socket", &sa, &len);
	self->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, self->sock);
	ASSERT_EQ(0, bind(self->sock, (const struct sockaddr *)&sa, len));
}
FIXTURE_TEARDOWN(listener)
{
	close(self->sock);
	unlinkat(self->dirfd, "socket", 0);
	close(self->dirfd);
	/* from the innermost directory outwards */
	for (;;) {
		*strrchr(self->path, '/') = 0;
		rmdir(self->path);
		if (!strcmp(self->path, self->dir))
			break;
	}
}

TEST_F(listener, is_connected_to)
{
	int a, b;
	char c = 0;

	EXPECT_EQ(0, access(self->path, F_OK));
	EXPECT_EQ(-ECONNREFUSED, usock_connect(self->path, SOCK_STREAM, 0));
	ASSERT_EQ(0, listen(self->sock, 4));
	a = usock_connect(self->path, SOCK_STREAM, 0);
	ASSERT_LE(0, a);
	EXPECT_EQ(FD_CLOEXEC, fcntl(a, F_GETFD));
	EXPECT_EQ(-EPROTOTYPE, usock_connect(self->path, SOCK_DGRAM, 0));
	b = accept4(self->sock, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_LE(0, b);
	EXPECT_EQ(1, write(a, "x", 1));
	EXPECT_EQ(1, read(b, &c, 1));
	EXPECT_EQ('x', c);
	close(a);
	close(b);
	ASSERT_EQ(0, unlinkat(self->dirfd, "socket", 0));
	EXPECT_EQ(-ENOENT, usock_connect(self->path, SOCK_STREAM, 0));
}

TEST_F(listener, that_never_accepts_is_not_waited_for)
{
	int fds[3];

	ASSERT_EQ(0, listen(self->sock, 0));
	fds[0] = usock_connect(self->path, SOCK_STREAM, 1);
	EXPECT_LE(0, fds[0]);
	/* the queue is full now, at the latest with the second */
	fds[1] = usock_connect(self->path, SOCK_STREAM, 1);
	fds[2] = fds[1] < 0 ? fds[1] : usock_connect(self->path, SOCK_STREAM, 1);
	EXPECT_EQ(-EAGAIN, fds[2]);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

/* An address of nothing but zeros is a name as well: anybody may listen there. */
TEST(an_empty_path_is_no_name)
{
	const struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ASSERT_LE(0, sock);
	ASSERT_EQ(0, bind(sock, (const struct sockaddr *)&sa, sizeof(sa)));
	ASSERT_EQ(0, listen(sock, 4));
	EXPECT_EQ(-ENOENT, usock_connect("", SOCK_STREAM, 0));
	close(sock);
}

TEST_HARNESS_MAIN
