/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One question to a process document, asked before the engine reads it. */
#include "process_peek.h"
#include <string.h>

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* @p is at the opening quote; returns behind the closing one. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

bool process_peek_terminal(const char *json, size_t len)
{
	static const char key[] = "\"terminal\"", yes[] = "true";
	const char *p = json, *end = json + len, *from, *value;
	bool terminal = false;
	int depth = 0;

	while (p < end) {
		if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			depth--;
		} else if (*p == '"') {
			from = p;
			p = skip_string(p, end);
			value = skip_blank(p, end);
			/* A colon follows: a key. Of several the last counts, as when parsed. */
			if (depth == 1 && value < end && *value == ':' &&
			    (size_t)(p - from) == sizeof(key) - 1 &&
			    !memcmp(from, key, sizeof(key) - 1)) {
				value = skip_blank(value + 1, end);
				terminal = (size_t)(end - value) >= sizeof(yes) - 1 &&
					   !memcmp(value, yes, sizeof(yes) - 1);
			}
			continue;
		}
		p++;
	}
	return terminal;
}
