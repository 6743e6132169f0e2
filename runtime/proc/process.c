/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the spec's process to what the stages need. */
#include "process.h"
#include <errno.h>
#include <string.h>
#include "caps.h"

/* LSM labels would be lost silently otherwise; the README's table of limits names them. */
static int refuse_labels(const struct spec_process *s, const char *pointer, struct err *e)
{
	char where[96];
	size_t n = strlen(pointer);

	if (n > 64)
		n = 64;
	memcpy(where, pointer, n);
	if (s->apparmor_profile && s->apparmor_profile[0] && strcmp(s->apparmor_profile, "unconfined")) {
		memcpy(where + n, "/apparmorProfile", sizeof("/apparmorProfile"));
		return err_set(e, ERR_UNSUPPORTED, 0, where,
			       "AppArmor profiles (\"%s\") are not supported by this version", s->apparmor_profile);
	}
	if (s->selinux_label && s->selinux_label[0]) {
		memcpy(where + n, "/selinuxLabel", sizeof("/selinuxLabel"));
		return err_set(e, ERR_UNSUPPORTED, 0, where,
			       "SELinux labels (\"%s\") are not supported by this version", s->selinux_label);
	}
	return 0;
}

int process_from_spec(const struct spec_process *s, const struct filter *filter, struct arena *a,
		      struct process *p, const char *pointer, const struct log *log, struct err *e)
{
	const struct spec_caps none = { { 0 }, { 0 }, { 0 }, { 0 }, { 0 } };
	const struct spec_caps *c = s->capabilities ? s->capabilities : &none;
	int r;

	memset(p, 0, sizeof(*p));
	r = refuse_labels(s, pointer, e);
	if (r)
		return r;
	p->args = s->args;
	p->env = s->env;
	p->cwd = s->cwd;
	p->uid = s->user.uid;
	p->gid = s->user.gid;
	p->umask = s->user.umask;
	p->has_umask = s->user.has_umask;
	p->gids = s->user.additional_gids;
	p->rlimits = s->rlimits;
	p->oom_score_adj = s->oom_score_adj;
	p->has_oom_score_adj = s->has_oom_score_adj;
	p->no_new_privileges = s->no_new_privileges;
	p->terminal = s->terminal;
	if (s->console_size) {
		p->rows = s->console_size->height;
		p->columns = s->console_size->width;
	}
	if (filter)
		p->filter = *filter;
	r = caps_parse(&c->bounding, &p->caps[CAP_SET_BOUNDING], log);
	if (!r)
		r = caps_parse(&c->effective, &p->caps[CAP_SET_EFFECTIVE], log);
	if (!r)
		r = caps_parse(&c->inheritable, &p->caps[CAP_SET_INHERITABLE], log);
	if (!r)
		r = caps_parse(&c->permitted, &p->caps[CAP_SET_PERMITTED], log);
	if (!r)
		r = caps_parse(&c->ambient, &p->caps[CAP_SET_AMBIENT], log);
	return r ? err_set(e, ERR_LIMIT, r, pointer, "capabilities") : 0;
}

const char *process_env(const struct process *p, const char *name)
{
	size_t i, n = strlen(name);

	for (i = p->env.n; i-- > 0;)
		if (!strncmp(p->env.v[i], name, n) && p->env.v[i][n] == '=')
			return p->env.v[i] + n + 1;
	return NULL;
}
