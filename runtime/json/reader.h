/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_READER_H
#define CLEAT_READER_H
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "err.h"
#include "field.h"
#include "log.h"

/* Private to runtime/json: what the parser's callbacks share with the code that stores values. */

/* Tables nest far less deep than documents may: what no table knows is skipped by a counter, without frames. */
#define READ_FRAMES 16
#define READ_FIELDS 128		/* rows of one table */
#define READ_POINTER 512	/* bytes of a JSON pointer that are kept */
#define READ_WARNINGS 20	/* lines logged about one document */

enum frame_kind { FRAME_OBJECT, FRAME_ARRAY, FRAME_MAP };

struct frame {
	enum frame_kind kind;
	const struct object *o;		/* OBJECT: its table */
	const struct field *f;		/* OBJECT: row of the current key; else row of the array or map itself */
	char *base;			/* OBJECT: the struct; else the struct objv, strv ... */
	size_t cap, index;		/* ARRAY, MAP: elements allocated; 1 + the current one */
	const char *key;		/* MAP: current key */
	uint64_t seen[READ_FIELDS / 64];	/* OBJECT: keys met */
};

struct reader {
	struct frame frame[READ_FRAMES];
	unsigned int frames;
	unsigned int depth;		/* of the document, known or skipped */
	unsigned int values;
	unsigned int skip_depth;	/* 0: not inside a skipped object or array */
	bool skip_next;			/* the value of the key just met is skipped */
	bool refuse;			/* what is skipped must be empty: a FT_REFUSED field */
	unsigned int warnings;
	const struct object *root;
	void *out;
	void *handle;			/* the library's parser */
	const char *doc;
	size_t end;			/* offset behind the token being handled */
	struct arena *a;
	const char *what, *base;
	const struct log *log;
	struct err *e;
	int r;				/* result of the first failure */
	jmp_buf nomem;			/* where the library's failing allocation goes */
	struct arena lib;		/* memory of the library */
};

/* Pieces of values.c; those that can fail return 0 or set rd->r through read_fail(). */
const char *read_pointer(const struct reader *rd, char *buf, size_t size);
int read_fail(struct reader *rd, enum err_kind kind, int r, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int read_nomem(struct reader *rd);
void read_warn(struct reader *rd, const char *text, const char *key, size_t len);
char *read_text(struct reader *rd, const char *s, size_t len, bool bytes);
int read_string(struct reader *rd, const struct field *f, enum field_type type, void *dst,
		const char *s, size_t len);
int read_number(struct reader *rd, const struct field *f, enum field_type type, void *dst,
		const char *s, size_t len);
const char *read_expected(enum field_type type);
void *vec_push(struct reader *rd, struct frame *fr, size_t size);
void vec_pop(struct frame *fr);
size_t vec_len(const void *vec);
int vec_dedup(struct reader *rd, void *vec, size_t size);
size_t field_size(const struct field *f);
#endif
