/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_DOCS_H
#define CLEAT_DOCS_H
#include "buf.h"
#include "cli.h"

/* Documents that are made from the program's own tables, so that they cannot disagree with it. */

/** docs_bash(), docs_zsh() - Completion script of `cleat`. */
void docs_bash(struct buf *b);
void docs_zsh(struct buf *b);
/** docs_man() - cleat.8; docs_man_command() - cleat-COMMAND.8; docs_man_shim() - containerd-shim-cleat-v2.8. */
void docs_man(struct buf *b);
void docs_man_command(const struct cli_command *cmd, struct buf *b);
void docs_man_shim(struct buf *b);

/** enum docs_kind - What an option's value is, told from how the help calls it. */
enum docs_kind { DOCS_NONE, DOCS_FILE, DOCS_DIR, DOCS_WORDS, DOCS_TEXT };
enum docs_kind docs_kind(const struct opt *o);
/** docs_takes_id() - Is a container's id among the arguments of @cmd? */
bool docs_takes_id(const struct cli_command *cmd);
/** docs_new_id() - Does it make the container, so that no id that exists is right? */
bool docs_new_id(const struct cli_command *cmd);
#endif
