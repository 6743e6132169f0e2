/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be done to a process in which state, as one table per kind of
 * process: every pair is answered (contract shim 4.2). The words are those
 * that clients of other shims know; plain state errors carry
 * FailedPrecondition.
 */
#include <stddef.h>
#include "rules.h"

#define YES	{ RPC_OK, NULL }
#define NO(t)	{ RPC_FAILED_PRECONDITION, (t) }
#define GONE(t)	{ RPC_NOT_FOUND, (t) }
#define NEVER	{ RPC_UNIMPLEMENTED, "checkpoint is not supported" }

#define FINISHED "process already finished: not found"

static const struct verdict init_rules[PROC_STATE_MAX][OP_MAX] = {
	/* Seen by nobody but a second Create of the same id. */
	[PROC_CREATING] = {
		[OP_START]	= GONE(TEXT_NO_CONTAINER),
		[OP_EXEC]	= GONE(TEXT_NO_CONTAINER),
		[OP_KILL]	= GONE(TEXT_NO_CONTAINER),
		[OP_KILL_ALL]	= GONE(TEXT_NO_CONTAINER),
		[OP_PAUSE]	= GONE(TEXT_NO_CONTAINER),
		[OP_RESUME]	= GONE(TEXT_NO_CONTAINER),
		[OP_UPDATE]	= GONE(TEXT_NO_CONTAINER),
		[OP_RESIZE]	= GONE(TEXT_NO_CONTAINER),
		[OP_DELETE]	= GONE(TEXT_NO_CONTAINER),
		[OP_CHECKPOINT]	= GONE(TEXT_NO_CONTAINER),
		[OP_READ]	= GONE(TEXT_NO_CONTAINER),
	},
	[PROC_CREATED] = {
		[OP_START]	= YES,
		[OP_EXEC]	= YES,
		[OP_KILL]	= YES,
		[OP_KILL_ALL]	= YES,
		[OP_PAUSE]	= NO("cannot pause task in created state"),
		[OP_RESUME]	= NO("cannot resume task in created state"),
		[OP_UPDATE]	= YES,
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= YES,
		[OP_CHECKPOINT]	= NO("cannot checkpoint a task in created state"),
		[OP_READ]	= YES,
	},
	[PROC_STARTING] = {
		[OP_START]	= NO("cannot start a process that is being started"),
		[OP_EXEC]	= YES,
		[OP_KILL]	= YES,
		[OP_KILL_ALL]	= YES,
		[OP_PAUSE]	= NO("cannot pause task in created state"),
		[OP_RESUME]	= NO("cannot resume task in created state"),
		[OP_UPDATE]	= YES,
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= NO("cannot delete a running process"),
		[OP_CHECKPOINT]	= NO("cannot checkpoint a task in created state"),
		[OP_READ]	= YES,
	},
	[PROC_RUNNING] = {
		[OP_START]	= NO("cannot start a running process"),
		[OP_EXEC]	= YES,
		[OP_KILL]	= YES,
		[OP_KILL_ALL]	= YES,
		[OP_PAUSE]	= YES,
		[OP_RESUME]	= NO("cannot resume a running process"),
		[OP_UPDATE]	= YES,
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= NO("cannot delete a running process"),
		[OP_CHECKPOINT]	= NEVER,
		[OP_READ]	= YES,
	},
	[PROC_PAUSING] = {
		[OP_START]	= NO("cannot start a paused process"),
		[OP_EXEC]	= NO("cannot exec in a paused state"),
		[OP_KILL]	= YES,
		[OP_KILL_ALL]	= YES,
		[OP_PAUSE]	= NO("cannot pause a paused container"),
		[OP_RESUME]	= NO("cannot resume a container that is being paused"),
		[OP_UPDATE]	= YES,
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= NO("cannot delete a paused process"),
		[OP_CHECKPOINT]	= NEVER,
		[OP_READ]	= YES,
	},
	[PROC_PAUSED] = {
		[OP_START]	= NO("cannot start a paused process"),
		[OP_EXEC]	= NO("cannot exec in a paused state"),
		[OP_KILL]	= YES,
		[OP_KILL_ALL]	= YES,
		[OP_PAUSE]	= NO("cannot pause a paused container"),
		[OP_RESUME]	= YES,
		[OP_UPDATE]	= YES,
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= NO("cannot delete a paused process"),
		[OP_CHECKPOINT]	= NEVER,
		[OP_READ]	= YES,
	},
	[PROC_STOPPED] = {
		[OP_START]	= NO("cannot start a stopped process"),
		[OP_EXEC]	= NO("cannot exec in a stopped state"),
		[OP_KILL]	= GONE(FINISHED),
		[OP_KILL_ALL]	= YES,	/* what is left in the cgroup; NotFound if nothing is */
		[OP_PAUSE]	= NO("cannot pause a stopped container"),
		[OP_RESUME]	= NO("cannot resume a stopped container"),
		[OP_UPDATE]	= NO("cannot update a stopped container"),
		[OP_RESIZE]	= NO("cannot resize a stopped container"),
		[OP_DELETE]	= YES,
		[OP_CHECKPOINT]	= NO("cannot checkpoint a stopped container"),
		[OP_READ]	= YES,
	},
	[PROC_DELETING] = {
		[OP_START]	= NO("cannot start a deleted process"),
		[OP_EXEC]	= NO("cannot exec in a deleted state"),
		[OP_KILL]	= GONE("cannot kill a deleted process: not found"),
		[OP_KILL_ALL]	= GONE("cannot kill a deleted process: not found"),
		[OP_PAUSE]	= NO("cannot pause a deleted process"),
		[OP_RESUME]	= NO("cannot resume a deleted process"),
		[OP_UPDATE]	= NO("cannot update a deleted process"),
		[OP_RESIZE]	= NO("cannot resize a deleted process"),
		[OP_DELETE]	= GONE("cannot delete a deleted process: not found"),
		[OP_CHECKPOINT]	= NO("cannot checkpoint a deleted process"),
		[OP_READ]	= YES,
	},
};

/* An exec is never creating, pausing or paused; operations on containers are never asked of it. */
#define WRONG	NO("not an operation of an exec process")
#define EXEC_NEVER {							\
	[OP_START] = WRONG, [OP_EXEC] = WRONG, [OP_KILL] = WRONG,	\
	[OP_KILL_ALL] = WRONG, [OP_PAUSE] = WRONG, [OP_RESUME] = WRONG,	\
	[OP_UPDATE] = WRONG, [OP_RESIZE] = WRONG, [OP_DELETE] = WRONG,	\
	[OP_CHECKPOINT] = WRONG, [OP_READ] = WRONG,			\
}
#define OF_CONTAINER							\
	[OP_EXEC] = WRONG, [OP_PAUSE] = WRONG, [OP_RESUME] = WRONG,	\
	[OP_UPDATE] = WRONG, [OP_CHECKPOINT] = WRONG

static const struct verdict exec_rules[PROC_STATE_MAX][OP_MAX] = {
	[PROC_CREATING] = EXEC_NEVER,
	[PROC_CREATED] = {
		OF_CONTAINER,
		[OP_START]	= YES,
		[OP_KILL]	= NO("process not created"),
		[OP_KILL_ALL]	= NO("process not created"),
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= YES,
		[OP_READ]	= YES,
	},
	[PROC_STARTING] = {
		OF_CONTAINER,
		[OP_START]	= NO("cannot start a process that is being started"),
		[OP_KILL]	= NO("process not created"),
		[OP_KILL_ALL]	= NO("process not created"),
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= NO("cannot delete a running process"),
		[OP_READ]	= YES,
	},
	[PROC_RUNNING] = {
		OF_CONTAINER,
		[OP_START]	= NO("cannot start a running process"),
		[OP_KILL]	= YES,
		[OP_KILL_ALL]	= YES,
		[OP_RESIZE]	= YES,
		[OP_DELETE]	= NO("cannot delete a running process"),
		[OP_READ]	= YES,
	},
	[PROC_PAUSING] = EXEC_NEVER,
	[PROC_PAUSED] = EXEC_NEVER,
	[PROC_STOPPED] = {
		OF_CONTAINER,
		[OP_START]	= NO("cannot start a stopped process"),
		[OP_KILL]	= GONE(FINISHED),
		[OP_KILL_ALL]	= GONE(FINISHED),
		[OP_RESIZE]	= NO("cannot resize a stopped container"),
		[OP_DELETE]	= YES,
		[OP_READ]	= YES,
	},
	[PROC_DELETING] = {
		OF_CONTAINER,
		[OP_START]	= NO("cannot start a deleted process"),
		[OP_KILL]	= GONE("cannot kill a deleted process: not found"),
		[OP_KILL_ALL]	= GONE("cannot kill a deleted process: not found"),
		[OP_RESIZE]	= NO("cannot resize a deleted process"),
		[OP_DELETE]	= GONE("cannot delete a deleted process: not found"),
		[OP_READ]	= YES,
	},
};

const struct verdict *rule_init(enum proc_state state, enum proc_op op)
{
	return &init_rules[state][op];
}

const struct verdict *rule_exec(enum proc_state state, enum proc_op op)
{
	return &exec_rules[state][op];
}

int rule_status(enum proc_state state)
{
	static const unsigned char status[PROC_STATE_MAX] = {
		[PROC_CREATING] = 0,	/* UNKNOWN */
		[PROC_CREATED]  = 1,
		[PROC_STARTING] = 1,
		[PROC_RUNNING]  = 2,
		[PROC_STOPPED]  = 3,
		[PROC_DELETING] = 3,
		[PROC_PAUSED]   = 4,
		[PROC_PAUSING]  = 5,
	};

	return status[state];
}
