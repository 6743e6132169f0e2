/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SPEC_FIXTURE_H
#define SPEC_FIXTURE_H
/* A parsed document, for the tests of config.json. */
#include <stdio.h>
#include <string.h>
#include "kselftest_harness.h"
#include "log.h"
#include "spec.h"

FIXTURE(spec)
{
	struct arena a;
	struct spec *s;
	struct spec_process *p;
	struct err e;
};
FIXTURE_SETUP(spec)
{
	memset(self, 0, sizeof(*self));
}
FIXTURE_TEARDOWN(spec)
{
	arena_fini(&self->a);
}

/* Warnings of the last document. */
static char logged[4096];

static void keep_line(const struct log *l, enum log_level level, const char *text)
{
	size_t n = strlen(logged);

	if (level >= LOG_WARN_LEVEL)
		snprintf(logged + n, sizeof(logged) - n, "%s\n", text);
}
static const struct log test_log = { LOG_DEBUG_LEVEL, keep_line };
#endif
