/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion scripts for bash and zsh. Words come from the option tables; ids
 * of containers are asked of `cleat list -q` with the --root that is being typed.
 */
#include "docs.h"
#include <string.h>

static const char head[] = "# Completion of cleat. Generated from its option tables.\n"
			   "# SPDX-License-Identifier: LGPL-2.1-or-later\n";

/* "a|b" as "a b" */
static void words(struct buf *b, const char *value)
{
	for (; *value; value++)
		buf_addc(b, *value == '|' ? ' ' : *value);
}

/* ---- bash ---- */

static void bash_words(struct buf *b, const struct opt *rows)
{
	for (const struct opt *o = rows; o && o->type != OPT_END; o++)
		if (o->help)
			buf_addf(b, "--%s ", o->name);
	buf_adds(b, "--help");
}

/* A case branch per option that takes a value: "what it is: words". */
static void bash_values(struct buf *b, const char *scope, const struct opt *rows)
{
	static const char *const kinds[] = {
		[DOCS_FILE] = "file", [DOCS_DIR] = "dir", [DOCS_WORDS] = "words", [DOCS_TEXT] = "text",
	};

	for (const struct opt *o = rows; o && o->type != OPT_END; o++) {
		enum docs_kind k = docs_kind(o);

		if (k == DOCS_NONE)
			continue;
		buf_addf(b, "\t%s:--%s", scope, o->name);
		if (o->letter)
			buf_addf(b, "|%s:-%c", scope, o->letter);
		buf_addf(b, ") _cleat_value='%s", kinds[k]);
		if (k == DOCS_WORDS) {
			buf_addc(b, ' ');
			words(b, o->value);
		}
		buf_adds(b, "' ;;\n");
	}
}

void docs_bash(struct buf *b)
{
	const struct cli_command *c;

	buf_adds(b, head);
	buf_adds(b, "\n# What the option $2 of command $1 (\"\" before there is one) takes: nothing, or in _cleat_value\n"
		    "# file, dir, text, or words and the words.\n"
		    "_cleat_takes()\n{\n\t_cleat_value=\n\tcase \"$1:$2\" in\n");
	bash_values(b, "", cli_global_options);
	for (c = cli_commands; c->name; c++)
		if (c->run)
			bash_values(b, c->name, c->options);
	buf_adds(b, "\tesac\n\t[ -n \"$_cleat_value\" ]\n}\n\n# Options of command $1.\n_cleat_options()\n{\n\tcase \"$1\" in\n\t'') echo '");
	bash_words(b, cli_global_options);
	buf_adds(b, "' ;;\n");
	for (c = cli_commands; c->name; c++) {
		if (!c->run)
			continue;
		buf_addf(b, "\t%s) echo '", c->name);
		bash_words(b, c->options);
		buf_adds(b, "' ;;\n");
	}
	buf_adds(b, "\tesac\n}\n\n# Arguments of command $1, of which $2 are there.\n_cleat_arguments()\n{\n\tcase \"$1:$2\" in\n\t:0) echo '");
	for (c = cli_commands; c->name; c++)
		if (c->run)
			buf_addf(b, "%s ", c->name);
	buf_adds(b, "' ;;\n\tkill:1) compgen -A signal | sed -n 's/^SIG//p' ;;\n\thelp:0) _cleat_arguments '' 0 ;;\n");
	for (c = cli_commands; c->name; c++)
		if (c->run && docs_takes_id(c) && !docs_new_id(c))
			buf_addf(b, "\t%s:0) ${_cleat_program:-cleat} ${_cleat_root:+--root \"$_cleat_root\"} list -q 2>/dev/null ;;\n",
				 c->name);
	buf_adds(b, "\tesac\n}\n\n"
		 "_cleat()\n{\n"
		 "\tlocal cur=${COMP_WORDS[COMP_CWORD]} command= arguments=0 w i _cleat_value _cleat_root= _cleat_program=${COMP_WORDS[0]}\n"
		 "\tCOMPREPLY=()\n"
		 "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		 "\t\tw=${COMP_WORDS[i]}\n"
		 "\t\tif [[ $w == = ]]; then\n"
		 "\t\t\ti=$((i + 1))\n"
		 "\t\telif [[ $w == -* ]]; then\n"
		 "\t\t\tif _cleat_takes \"$command\" \"$w\" && [[ ${COMP_WORDS[i + 1]} != = ]]; then\n"
		 "\t\t\t\ti=$((i + 1))\n"
		 "\t\t\t\t[[ -z $command && $w == --root ]] && _cleat_root=${COMP_WORDS[i]}\n"
		 "\t\t\telif [[ -z $command && $w == --root ]]; then\n"
		 "\t\t\t\t_cleat_root=${COMP_WORDS[i + 2]}\n"
		 "\t\t\tfi\n"
		 "\t\telif [[ -z $command ]]; then\n"
		 "\t\t\tcommand=$w\n"
		 "\t\telse\n"
		 "\t\t\targuments=$((arguments + 1))\n"
		 "\t\tfi\n"
		 "\tdone\n"
		 "\tw=${COMP_WORDS[COMP_CWORD - 1]}\n"
		 "\tif [[ $cur == = ]]; then\n"
		 "\t\tcur=\n"
		 "\telif [[ $w == = ]]; then\n"
		 "\t\tw=${COMP_WORDS[COMP_CWORD - 2]}\n"
		 "\tfi\n"
		 "\tif [[ $w == -* ]] && _cleat_takes \"$command\" \"$w\"; then\n"
		 "\t\tcase $_cleat_value in\n"
		 "\t\tfile) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); compopt -o filenames 2>/dev/null ;;\n"
		 "\t\tdir) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); compopt -o filenames 2>/dev/null ;;\n"
		 "\t\twords\\ *) mapfile -t COMPREPLY < <(compgen -W \"${_cleat_value#words }\" -- \"$cur\") ;;\n"
		 "\t\tesac\n"
		 "\telif [[ $cur == -* && ! ( $command == exec && $arguments -gt 0 ) ]]; then\n"
		 "\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_cleat_options \"$command\")\" -- \"$cur\")\n"
		 "\telse\n"
		 "\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_cleat_arguments \"$command\" \"$arguments\")\" -- \"$cur\")\n"
		 "\tfi\n"
		 "\treturn 0\n"
		 "}\n"
		 "complete -F _cleat cleat\n");
}

/* ---- zsh ---- */

/* The inside of an _arguments specification, which has its own special characters, in single quotes. */
static void zsh_text(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '[' || *s == ']' || *s == ':' || *s == '\\')
			buf_addf(b, "\\%c", *s);
		else if (*s == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *s);
	}
}

static void zsh_value(struct buf *b, const struct opt *o)
{
	enum docs_kind k = docs_kind(o);

	if (o->type == OPT_MAYBE) {
		buf_adds(b, "::form:(");
		words(b, o->value);
		buf_addc(b, ')');
	}
	if (k == DOCS_NONE)
		return;
	buf_addc(b, ':');
	zsh_text(b, o->value ? o->value : "value");
	buf_addc(b, ':');
	if (k == DOCS_FILE)
		buf_adds(b, "_files");
	else if (k == DOCS_DIR)
		buf_adds(b, "_files -/");
	else if (k == DOCS_WORDS) {
		buf_addc(b, '(');
		words(b, o->value);
		buf_addc(b, ')');
	}
}

static void zsh_options(struct buf *b, const struct opt *rows, const char *indent)
{
	for (const struct opt *o = rows; o && o->type != OPT_END; o++) {
		const char *many = opt_repeats(o) ? "*" : "";

		if (!o->help)
			continue;
		for (int letter = 0; letter <= (o->letter ? 1 : 0); letter++) {
			buf_addf(b, "%s'%s", indent, many);
			if (letter)
				buf_addf(b, "-%c", o->letter);
			else
				buf_addf(b, "--%s%s", o->name, o->type == OPT_MAYBE ? "=-" : "");
			buf_addc(b, '[');
			zsh_text(b, o->help);
			buf_addc(b, ']');
			zsh_value(b, o);
			buf_adds(b, "' \\\n");
		}
	}
}

static void zsh_command(struct buf *b, const struct cli_command *c)
{
	buf_addf(b, "\t%s)\n\t\t_arguments -A '-*' \\\n", c->name);
	zsh_options(b, c->options, "\t\t\t");
	buf_adds(b, "\t\t\t'--help[print help]'");
	if (docs_takes_id(c) && !docs_new_id(c))
		buf_adds(b, " \\\n\t\t\t'1:container:_cleat_ids'");
	if (!strcmp(c->name, "kill"))
		buf_adds(b, " \\\n\t\t\t'2:signal:_signals -s'");
	else if (!strcmp(c->name, "help"))
		buf_adds(b, " \\\n\t\t\t'1:command:_cleat_commands'");
	else if (!strcmp(c->name, "exec"))
		buf_adds(b, " \\\n\t\t\t'*:: :_normal'");
	buf_adds(b, "\n\t\t;;\n");
}

void docs_zsh(struct buf *b)
{
	const struct cli_command *c;

	buf_adds(b, "#compdef cleat\n");
	buf_adds(b, head);
	buf_adds(b, "\n_cleat_ids()\n{\n\tlocal -a ids\n"
		    "\tids=(${(f)\"$(${service:-cleat} ${root:+--root} $root list -q 2>/dev/null)\"})\n"
		    "\tcompadd -a ids\n}\n\n"
		    "_cleat_commands()\n{\n\tlocal -a commands\n\tcommands=(\n");
	for (c = cli_commands; c->name; c++) {
		if (!c->run)
			continue;
		buf_addf(b, "\t\t'%s:", c->name);
		zsh_text(b, c->brief);
		buf_adds(b, "'\n");
	}
	buf_adds(b, "\t)\n\t_describe command commands\n}\n\n"
		    "_cleat()\n{\n\tlocal curcontext=$curcontext state line root\n\ttypeset -A opt_args\n\n"
		    "\t_arguments -C -A '-*' \\\n");
	zsh_options(b, cli_global_options, "\t\t");
	buf_adds(b, "\t\t'(- *)'{-h,--help}'[print help]' \\\n"
		    "\t\t'1:command:_cleat_commands' \\\n\t\t'*::argument:->arguments' && return\n"
		    "\t[[ $state == arguments ]] || return\n\troot=${(Q)opt_args[--root]}\n"
		    "\tcurcontext=${curcontext%:*:*}:cleat-$line[1]:\n\tcase $line[1] in\n");
	for (c = cli_commands; c->name; c++)
		if (c->run)
			zsh_command(b, c);
	buf_adds(b, "\tesac\n}\n\n_cleat \"$@\"\n");
}
