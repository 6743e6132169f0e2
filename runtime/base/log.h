/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_LOG_H
#define CLEAT_LOG_H
#include <stdbool.h>
#include <stdint.h>

/*
 * A log is an argument, never a global. NULL is a log that drops everything.
 * Library code logs warnings that a user must see (an unknown capability that
 * is skipped) and debug lines; errors go up in struct err and are logged once
 * by the front end.
 */
enum log_level { LOG_DEBUG_LEVEL, LOG_INFO_LEVEL, LOG_WARN_LEVEL, LOG_ERROR_LEVEL };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_SYSLOG, LOG_FORMAT_JOURNAL };

struct log {
	enum log_level min;
	/** @emit: takes one finished message without newline; must not change errno. */
	void (*emit)(const struct log *l, enum log_level level, const char *text);
};

/**
 * struct log_sink - A log that writes lines to fds; text as runc's logrus, or one JSON object a line; or
 * datagrams to the socket of a syslog daemon or of the journal.
 */
struct log_sink {
	struct log log;
	int fd;			/* borrowed; -1: none */
	enum log_format format;
	const char *ident;	/* who is talking, for syslog and journal; borrowed */
};

/** log_sink_init() - Sink writing to @fd (borrowed) in @format, dropping below @min. */
void log_sink_init(struct log_sink *s, int fd, enum log_format format, enum log_level min);
/* Daemons that take log datagrams. */
#define LOG_SYSLOG_SOCKET "/dev/log"
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"
void log_msg(const struct log *l, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define log_debug(l, ...) log_msg((l), LOG_DEBUG_LEVEL, __VA_ARGS__)
#define log_info(l, ...) log_msg((l), LOG_INFO_LEVEL, __VA_ARGS__)
#define log_warn(l, ...) log_msg((l), LOG_WARN_LEVEL, __VA_ARGS__)
#define log_error(l, ...) log_msg((l), LOG_ERROR_LEVEL, __VA_ARGS__)
/** log_rfc3339() - Time of now as "2026-01-02T03:04:05Z" (@nanos: with nine digits of fraction). */
char *log_rfc3339(char *buf, unsigned int size, bool nanos);
#endif
