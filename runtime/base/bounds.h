/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_BOUNDS_H
#define CLEAT_BOUNDS_H
/*
 * Every bound on input size lives here, so that a reader can see at a glance
 * how much memory a hostile document or peer can make us use.
 */
#define LIMIT_JSON_BYTES	(16u << 20)	/* config.json, process, resources */
#define LIMIT_JSON_DEPTH	128u
#define LIMIT_JSON_VALUES	1000000u
#define LIMIT_ARENA_BYTES	(64u << 20)	/* one parsed document */
#define LIMIT_ID_BYTES		255u		/* container and exec ids */
#define LIMIT_PASSWD_BYTES	(1u << 20)
#define LIMIT_PASSWD_LINE	4096u
#define LIMIT_HOOK_OUTPUT	4096u
#define LIMIT_PROC_FILE		(4u << 20)	/* mountinfo, cgroup lists */
#define LIMIT_STATE_BYTES	(1u << 20)
#define LIMIT_LINKS		40u		/* symlinks followed, as the kernel's MAXSYMLINKS */
#define LIMIT_FILTER_CONDITIONS	256u		/* seccomp argument tests: libseccomp's time grows with the cube */
#define LIMIT_FILTER_RULES	64u		/* rules of one syscall that are more than one "equal" */
#define LIMIT_FILTER_CACHE	64u		/* compiled filters kept per state root */
#define LIMIT_ID_MAPS		340u		/* kernel's UID_GID_MAP_MAX_EXTENTS */
#define LIMIT_PRESERVE_FDS	1024u
#define LIMIT_RPC_FRAME		(4u << 20)	/* data of one ttrpc frame, both ways */
#define LIMIT_RPC_MESSAGE	(16u << 20)	/* one request unpacked */
#define LIMIT_RPC_OUT		(16u << 20)	/* unread replies of one connection; beyond it is dropped */
#define LIMIT_RPC_OUT_PAUSE	(1u << 20)	/* unread replies at which no more requests are read */
#define LIMIT_RPC_OPEN		65536u		/* unanswered requests of one connection */
#endif
