/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_PROCESS_PEEK_H
#define CLEAT_PROCESS_PEEK_H
#include <stdbool.h>
#include <stddef.h>

/**
 * process_peek_terminal() - Does an OCI process document say "terminal": true?
 *
 * Only the outermost object's keys are looked at, and nothing is checked: the
 * engine parses the document for real and refuses what is no document. This
 * answers early enough to refuse a terminal that nobody would get.
 */
bool process_peek_terminal(const char *json, size_t len);
#endif
