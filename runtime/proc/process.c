/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the spec's process to what the stages need. */
#include "process.h"
#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include "caps.h"
#include "label.h"
#include "text.h"

static int take_labels(const struct spec_process *s, struct process *p, const char *pointer, struct err *e)
{
	char where[96];
	int r;

	text_join(where, sizeof(where), pointer, "/apparmorProfile");
	r = label_check_apparmor(s->apparmor_profile, where, e);
	text_join(where, sizeof(where), pointer, "/selinuxLabel");
	if (!r)
		r = label_check_selinux(s->selinux_label, where, e);
	p->apparmor = s->apparmor_profile && s->apparmor_profile[0] ? s->apparmor_profile : NULL;
	p->selinux = s->selinux_label && s->selinux_label[0] ? s->selinux_label : NULL;
	return r;
}

/* Capabilities that this host does not have to give are warned of and left out (config.md, capabilities). */
static void drop_ungrantable(struct process *p, const struct log *log)
{
	uint64_t wanted = 0, missing = 0;
	int i;

	for (i = 0; i < CAP_SETS; i++)
		wanted |= p->caps[i];
	for (i = 0; i < 64; i++)
		if ((wanted >> i & 1) && prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 1) {
			char *name = cap_to_name(i);

			missing |= 1ULL << i;
			log_warn(log, "capability %s is not in our bounding set and cannot be granted", name ? name : "?");
			cap_free(name);
		}
	for (i = 0; i < CAP_SETS && missing; i++)
		p->caps[i] &= ~missing;
}

static void parse_caps(const struct spec_caps *c, struct process *p, const struct log *log)
{
	const struct strv *const sets[CAP_SETS] = {
		[CAP_SET_BOUNDING] = &c->bounding, [CAP_SET_EFFECTIVE] = &c->effective,
		[CAP_SET_INHERITABLE] = &c->inheritable, [CAP_SET_PERMITTED] = &c->permitted,
		[CAP_SET_AMBIENT] = &c->ambient,
	};
	int i;

	for (i = 0; i < CAP_SETS; i++)
		p->caps[i] = caps_parse(sets[i], log);
	drop_ungrantable(p, log);
}

int process_from_spec(const struct spec_process *s, const struct filter *filter, struct arena *a,
		      struct process *p, const char *pointer, const struct log *log, struct err *e)
{
	const struct spec_caps none = { { 0 }, { 0 }, { 0 }, { 0 }, { 0 } };
	const struct spec_caps *c = s->capabilities ? s->capabilities : &none;
	int r;

	memset(p, 0, sizeof(*p));
	r = take_labels(s, p, pointer, e);
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
	tune_from_process(s, &p->tune);
	parse_caps(c, p, log);
	return 0;
}

int process_env_append(struct process *p, const char *const *v, size_t n, struct arena *a)
{
	const char **all;

	if (!n)
		return 0;
	all = arena_alloc(a, (p->env.n + n) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	if (p->env.n)
		memcpy(all, p->env.v, p->env.n * sizeof(*all));
	memcpy(all + p->env.n, v, n * sizeof(*all));
	p->env = (struct strv){ all, p->env.n + n };
	return 0;
}

const char *process_env(const struct process *p, const char *name)
{
	size_t i, n = strlen(name);

	for (i = p->env.n; i-- > 0;)
		if (!strncmp(p->env.v[i], name, n) && p->env.v[i][n] == '=')
			return p->env.v[i] + n + 1;
	return NULL;
}
