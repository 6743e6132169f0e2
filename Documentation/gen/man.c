/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manual pages in mdoc: what the tables know, and the prose around it. */
#include "docs.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "args.h"
#include "cleat.h"

/* Of this version, not of this build: the pages are the same on every machine. */
#define DATE "November 22, 2026"

static void title(struct buf *b, const char *page)
{
	buf_adds(b, ".\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n"
		    ".\\\" Generated from the program's option tables.\n.Dd " DATE "\n.Dt ");
	for (; *page; page++)
		buf_addc(b, *page >= 'a' && *page <= 'z' ? (char)(*page - 'a' + 'A') : *page);
	buf_adds(b, " 8\n.Os cleat " CLEAT_VERSION "\n");
}

/* Text for people: each line of it a line of input, with what the formatter would take for its own escaped. */
static void text(struct buf *b, const char *s)
{
	bool start = true;

	for (; *s; s++) {
		if (start && (*s == '.' || *s == '\''))
			buf_adds(b, "\\&");
		if (*s == '\\')
			buf_adds(b, "\\e");
		else
			buf_addc(b, *s);
		start = *s == '\n';
	}
	buf_addc(b, '\n');
}

/* A sentence begins with a capital and ends with a full stop; the tables' help does neither. */
static void sentence(struct buf *b, const char *s)
{
	size_t at = b->len;

	text(b, s);
	if (!buf_ok(b))
		return;
	if (b->data[at] >= 'a' && b->data[at] <= 'z')
		b->data[at] = (char)(b->data[at] - 'a' + 'A');
	b->len--;
	buf_adds(b, ".\n");
}

static void options(struct buf *b, const struct opt *rows)
{
	buf_adds(b, ".Bl -tag -width Ds\n");
	for (const struct opt *o = rows; o && o->type != OPT_END; o++) {
		if (!o->help)
			continue;
		buf_adds(b, ".It ");
		if (o->letter)
			buf_addf(b, "Fl %c , ", o->letter);
		buf_addf(b, "Fl Fl %s", o->name);
		if (o->type == OPT_MAYBE)
			buf_addf(b, " Ns Op = Ns Ar %s", o->value);
		else if (o->type != OPT_FLAG)
			buf_addf(b, " Ar %s", o->value ? o->value : "value");
		buf_addc(b, '\n');
		sentence(b, o->help);
		if (opt_repeats(o))
			buf_adds(b, "May be given several times.\n");
	}
	buf_adds(b, ".El\n");
}

/* The words of a usage line: those in capitals are arguments, "..." follows what it repeats. */
static void usage(struct buf *b, const char *s)
{
	const char *end;

	for (; *s; s = end) {
		bool optional, many;
		size_t len;

		s += strspn(s, " ");
		end = s + strcspn(s, " ");
		optional = *s == '[';
		s += optional;
		len = (size_t)(end - s) - (optional && end > s && end[-1] == ']');
		many = len > 3 && !memcmp(s + len - 3, "...", 3);
		len -= many ? 3 : 0;
		if (!len)
			break;
		if (*s == '-')
			buf_addf(b, ".Fl Fl %.*s\n", (int)len - 2, s + 2);
		else
			buf_addf(b, ".%sAr %.*s%s\n", optional ? "Op " : "", (int)len, s, many ? " ..." : "");
	}
}

static void synopsis(struct buf *b, const struct cli_command *c)
{
	const char *s = c->usage, *bar;

	do {
		char one[128];

		bar = strstr(s, "  |  ");
		snprintf(one, sizeof(one), "%.*s", bar ? (int)(bar - s) : (int)strlen(s), s);
		buf_addf(b, ".Nm cleat\n.Op Ar global option ...\n.Cm %s\n", c->name);
		if (c->options)
			buf_adds(b, ".Op Ar option ...\n");
		usage(b, one);
		s = bar ? bar + 5 : "";
	} while (bar);
}

void docs_man_command(const struct cli_command *c, struct buf *b)
{
	char page[64];

	snprintf(page, sizeof(page), "cleat-%s", c->name);
	title(b, page);
	buf_addf(b, ".Sh NAME\n.Nm %s\n.Nd ", page);
	text(b, c->brief);
	buf_adds(b, ".Sh SYNOPSIS\n");
	synopsis(b, c);
	buf_adds(b, ".Sh DESCRIPTION\n");
	sentence(b, c->brief);
	if (c->more) {
		buf_adds(b, ".Pp\n");
		text(b, c->more);
	}
	if (c->options) {
		buf_adds(b, ".Pp\nThe options are:\n");
		options(b, c->options);
	}
	buf_adds(b, ".Pp\nOptions may be written with one dash or two, and their value in the same word after\n"
		    ".Sq =\nor in the next one.\n.Sh EXIT STATUS\n");
	if (c->fail_status == 255)
		buf_adds(b, "That of the process, or 128 and the number of the signal that ended it;\n"
			    "255 when it could not be run; 1 when the command line is wrong.\n");
	else if (!strcmp(c->name, "run"))
		buf_adds(b, "That of the program, or 128 and the number of the signal that ended it;\n"
			    "1 when it could not be run.\n");
	else
		buf_adds(b, ".Ex -std cleat\n");
	buf_adds(b, ".Sh SEE ALSO\n.Xr cleat 8\n");
}

/* Pages are named in the order of the alphabet: the first command after @last, or NULL. */
static const struct cli_command *next_by_name(const char *last)
{
	const struct cli_command *next = NULL;

	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run && strcmp(c->name, last) > 0 && (!next || strcmp(c->name, next->name) < 0))
			next = c;
	return next;
}

static void see_also(struct buf *b)
{
	const struct cli_command *c;

	buf_adds(b, ".Sh SEE ALSO\n");
	for (c = next_by_name(""); c; c = next_by_name(c->name))
		buf_addf(b, ".Xr cleat-%s 8 ,\n", c->name);
	buf_adds(b, ".Xr containerd-shim-cleat-v2 8\n.Sh STANDARDS\n"
		    "Runtime Specification of the Open Container Initiative, version " CLEAT_SPEC_VERSION ".\n");
}

void docs_man(struct buf *b)
{
	title(b, "cleat");
	buf_adds(b, ".Sh NAME\n.Nm cleat\n.Nd run containers of the Open Container Initiative\n"
		    ".Sh SYNOPSIS\n.Nm\n.Op Ar global option ...\n.Ar command\n.Op Ar option ...\n.Op Ar argument ...\n"
		    ".Sh DESCRIPTION\n"
		    "A container is described by a bundle: a directory with a file\n.Pa config.json\n"
		    "and, in most cases, the container's root file system.\n.Nm\n"
		    "makes the container, starts its program, tells its state and removes it.\n"
		    "Engines such as podman and Docker call it; so can people:\n"
		    ".Cm spec\nwrites a\n.Pa config.json\nto begin with and\n.Cm run\nruns it.\n"
		    ".Pp\nThe global options are:\n");
	options(b, cli_global_options);
	buf_adds(b, ".Pp\nThe commands are:\n.Bl -tag -width Ds\n");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!c->run)
			continue;
		buf_addf(b, ".It Cm %s\n", c->name);
		sentence(b, c->brief);
		buf_addf(b, "See\n.Xr cleat-%s 8 .\n", c->name);
	}
	buf_adds(b, ".El\n"
		    ".Sh ENVIRONMENT\n.Bl -tag -width XDG_RUNTIME_DIR\n"
		    ".It Ev XDG_RUNTIME_DIR\n"
		    "Where an ordinary user's containers are kept, in the directory\n.Pa cleat .\n"
		    ".It Ev LISTEN_FDS , LISTEN_PID\n"
		    "File descriptors of socket activation, which are passed on to the container.\n.El\n"
		    ".Sh FILES\n.Bl -tag -width Ds\n"
		    ".It Pa /run/cleat\nState of root's containers, one directory each.\n"
		    ".It Pa config.json\nThe description of a container, in its bundle.\n.El\n"
		    ".Sh EXIT STATUS\n"
		    "0 on success and 1 on failure.\n"
		    "The commands\n.Cm run\nand\n.Cm exec\nexit with the status of the program, or with 128 and the\n"
		    "number of the signal that ended it;\n.Cm exec\nthat failed exits with 255.\n"
		    "The reason of a failure is one line on the standard error output, and in the log.\n"
		    ".Sh EXAMPLES\nRun a shell in a container of its own:\n"
		    ".Bd -literal -offset indent\n"
		    "mkdir -p bundle/rootfs/bin && cd bundle\n"
		    "cp /bin/busybox rootfs/bin && ln -s busybox rootfs/bin/sh\n"
		    "cleat spec\n"
		    "cleat run demo\n"
		    ".Ed\n");
	see_also(b);
}

void docs_man_shim(struct buf *b)
{
	title(b, "containerd-shim-cleat-v2");
	buf_adds(b, ".Sh NAME\n.Nm containerd-shim-cleat-v2\n.Nd containerd's way to run containers without another runtime\n"
		    ".Sh SYNOPSIS\n.Nm\n.Op Ar flag ...\n.Op Cm start | Cm delete\n"
		    ".Sh DESCRIPTION\n"
		    "containerd runs this program by itself when a container is to have the runtime\n"
		    ".Ql io.containerd.cleat.v2 ;\nnobody else needs to.\n"
		    ".Cm start\nstarts a server for a container, or finds that of its pod, and prints its address;\n"
		    ".Cm delete\nremoves what a server that died has left; without either word it is the server.\n"
		    ".Pp\nThe flags are those that containerd gives:\n.Bl -tag -width Ds\n");
	for (const struct shim_flag *f = shim_flags; f->name; f++) {
		buf_addf(b, ".It Fl %s", f->name);
		if (f->value)
			buf_addf(b, " Ar %s", f->value);
		buf_addc(b, '\n');
		sentence(b, f->help);
	}
	buf_adds(b, ".El\n"
		    ".Sh FILES\n.Bl -tag -width Ds\n"
		    ".It Pa /run/containerd/cleat/NAMESPACE\nState of the containers of a containerd namespace; see\n"
		    ".Fl Fl root\nof\n.Xr cleat 8 .\n.El\n"
		    ".Sh EXIT STATUS\n.Ex -std\n"
		    ".Sh EXAMPLES\n"
		    ".Dl ctr run --rm --runtime io.containerd.cleat.v2 IMAGE ID COMMAND\n"
		    ".Pp\nFor Kubernetes, in\n.Pa /etc/containerd/config.toml :\n"
		    ".Bd -literal -offset indent\n"
		    "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.cleat]\n"
		    "  runtime_type = \"io.containerd.cleat.v2\"\n"
		    ".Ed\n"
		    ".Sh SEE ALSO\n.Xr cleat 8 ,\n.Xr containerd 8\n");
}
