/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The small part of TOML that an administrator's options table becomes when
 * containerd hands it on: top-level keys with booleans, integers or strings.
 * Values of other kinds are told apart as far as it takes to find their ends.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "num.h"
#include "task_options.h"

enum value_type { V_BOOL, V_U32, V_STR, V_IGNORED };

struct key {
	const char *name;
	enum value_type type;
	size_t off;
};

#define KEY(name, type, member) { name, type, offsetof(struct shim_options, member) }

/* Go's field names; BinaryName and CRIU's paths have no meaning without a runc to execute. */
static const struct key keys[] = {
	KEY("NoPivotRoot", V_BOOL, no_pivot_root),
	KEY("NoNewKeyring", V_BOOL, no_new_keyring),
	KEY("ShimCgroup", V_STR, shim_cgroup),
	KEY("IoUid", V_U32, io_uid),
	KEY("IoGid", V_U32, io_gid),
	KEY("SystemdCgroup", V_BOOL, systemd_cgroup),
	KEY("Root", V_STR, root),
	{ "BinaryName", V_IGNORED, 0 },
	{ "CriuPath", V_IGNORED, 0 },
	{ "CriuImagePath", V_IGNORED, 0 },
	{ "CriuWorkPath", V_IGNORED, 0 },
	{ "TypeUrl", V_IGNORED, 0 },
	{ "ConfigPath", V_IGNORED, 0 },
};

static const struct key *key_find(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i].name) == len && !memcmp(keys[i].name, s, len))
			return &keys[i];
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **s, size_t *len)
{
	while (*len && is_blank(**s)) {
		++*s;
		--*len;
	}
	while (*len && is_blank((*s)[*len - 1]))
		--*len;
}

/* What may follow a value: blanks, then nothing or a comment. */
static bool only_comment(const char *s, size_t len)
{
	trim(&s, &len);
	return !len || *s == '#';
}

static char *basic_string(const char *s, size_t len, size_t *used, struct arena *a)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char *out = arena_alloc(a, len + 1), *w = out;
	size_t i;

	if (!out)
		return NULL;
	for (i = 1; i < len && s[i] != '"'; i++) {
		const char *p;

		if (s[i] != '\\') {
			*w++ = s[i];
			continue;
		}
		p = ++i < len ? memchr(from, s[i], sizeof(from) - 1) : NULL;
		if (!p)
			return NULL;	/* \u: no option of ours needs it */
		*w++ = to[p - from];
	}
	*used = i + 1;
	return i < len ? out : NULL;
}

static int string_value(const char *s, size_t len, const char **out, struct arena *a)
{
	const char *end;
	size_t used;

	if (*s == '\'') {
		end = memchr(s + 1, '\'', len - 1);
		if (!end || !only_comment(end + 1, len - (size_t)(end + 1 - s)))
			return -EINVAL;
		*out = arena_strndup(a, s + 1, (size_t)(end - s - 1));
		return *out ? 0 : -ENOMEM;
	}
	if (*s != '"')
		return -EINVAL;
	*out = basic_string(s, len, &used, a);
	return *out && only_comment(s + used, len - used) ? 0 : -EINVAL;
}

static int bool_value(const char *s, size_t len, bool *out)
{
	if (len >= 4 && !memcmp(s, "true", 4) && only_comment(s + 4, len - 4))
		*out = true;
	else if (len >= 5 && !memcmp(s, "false", 5) && only_comment(s + 5, len - 5))
		*out = false;
	else
		return -EINVAL;
	return 0;
}

static int u32_value(const char *s, size_t len, uint32_t *out)
{
	char digits[16];
	size_t n = 0;

	while (n < len && s[n] >= '0' && s[n] <= '9')
		n++;
	if (!n || n >= sizeof(digits) || !only_comment(s + n, len - n))
		return -EINVAL;
	memcpy(digits, s, n);
	digits[n] = 0;
	return num_u32(digits, out);
}

static int set_value(const struct key *k, const char *s, size_t len, struct shim_options *o,
		     struct arena *a)
{
	void *member = (char *)o + k->off;

	switch (k->type) {
	case V_BOOL:
		return bool_value(s, len, member);
	case V_U32:
		return u32_value(s, len, member);
	case V_STR:
		return string_value(s, len, member, a);
	case V_IGNORED:
	default:
		return 0;
	}
}

static int parse_line(const char *s, size_t len, struct shim_options *o, struct arena *a,
		      const struct log *log, struct err *e)
{
	const char *eq = memchr(s, '=', len), *val;
	size_t klen, vlen;
	const struct key *k;
	int r;

	if (!eq)
		return err_set(e, ERR_SPEC, -EINVAL, "runtime options", "no '=' in \"%.*s\"",
			       (int)(len < 80 ? len : 80), s);
	klen = (size_t)(eq - s);
	val = eq + 1;
	vlen = len - klen - 1;
	trim(&s, &klen);
	trim(&val, &vlen);
	if (klen >= 2 && (*s == '"' || *s == '\'') && s[klen - 1] == *s) {
		s++;
		klen -= 2;
	}
	k = key_find(s, klen);
	if (!k) {
		log_warn(log, "unknown runtime option %.*s ignored",
			 (int)(klen < 80 ? klen : 80), s);
		return 0;
	}
	r = vlen ? set_value(k, val, vlen, o, a) : -EINVAL;
	if (r < 0)
		return err_set(e, ERR_SPEC, r, k->name, "runtime option cannot be \"%.*s\"",
			       (int)(vlen < 80 ? vlen : 80), val);
	return 0;
}

/* Behind the string that begins at @s. One of a single line ends with it at the latest. */
static size_t string_len(const char *s, size_t len)
{
	bool long_one = len >= 3 && s[1] == s[0] && s[2] == s[0];
	size_t i = long_one ? 3 : 1;

	for (; i < len; i++) {
		if (s[i] == '\\' && s[0] == '"') {
			i++;
		} else if (long_one) {
			if (len - i >= 3 && s[i] == s[0] && s[i + 1] == s[0] && s[i + 2] == s[0])
				return i + 3;
		} else if (s[i] == s[0]) {
			return i + 1;
		} else if (s[i] == '\n') {
			return i;
		}
	}
	return len;
}

/* Length of `key = value` without its newline: arrays, inline tables and some strings go over several lines. */
static size_t statement_len(const char *s, size_t len)
{
	size_t i = 0, depth = 0;

	while (i < len) {
		const char *nl;

		switch (s[i]) {
		case '"':
		case '\'':
			i += string_len(s + i, len - i);
			continue;
		case '#':
			nl = memchr(s + i, '\n', len - i);
			i = nl ? (size_t)(nl - s) : len;
			continue;
		case '[':
		case '{':
			depth++;
			break;
		case ']':
		case '}':
			depth -= depth > 0;
			break;
		case '\n':
			if (!depth)
				return i;
			break;
		default:
			break;
		}
		i++;
	}
	return len;
}

int options_toml(const char *text, size_t len, struct shim_options *o, struct arena *a,
		 const struct log *log, struct err *e)
{
	bool in_table = false;
	int r;

	while (len) {
		size_t n = statement_len(text, len);
		const char *line = text;

		text += n < len ? n + 1 : n;
		len -= n < len ? n + 1 : n;
		trim(&line, &n);
		if (!n || *line == '#')
			continue;
		if (*line == '[') {
			in_table = true;
			log_warn(log, "table %.*s of the runtime options ignored",
				 (int)(n < 80 ? n : 80), line);
			continue;
		}
		if (in_table)
			continue;
		r = parse_line(line, n, o, a, log, e);
		if (r < 0)
			return r;
	}
	return 0;
}
