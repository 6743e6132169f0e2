/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_RULES_H
#define CLEAT_SHIM_RULES_H
#include <stdbool.h>
#include <stdint.h>
#include "ttrpc.h"

/** enum proc_state - Life of one process, init or exec. */
enum proc_state {
	PROC_CREATING,	/* init: the create worker runs; nobody may see it yet */
	PROC_CREATED,	/* init: blocked at the gate; exec: recorded, no process */
	PROC_STARTING,	/* the start worker runs */
	PROC_RUNNING,
	PROC_PAUSING,	/* init only: the freezer works */
	PROC_PAUSED,	/* init only */
	PROC_STOPPED,	/* reaped, or an exec that failed to start */
	PROC_DELETING,	/* the delete worker runs, or output drains */
	PROC_STATE_MAX
};

/** enum proc_op - What a caller may ask of a process. */
enum proc_op {
	OP_START,
	OP_EXEC,	/* record an exec in this (init) process's container */
	OP_KILL,
	OP_KILL_ALL,
	OP_PAUSE,
	OP_RESUME,
	OP_UPDATE,
	OP_RESIZE,
	OP_DELETE,
	OP_CHECKPOINT,
	OP_READ,	/* State, Wait, Pids, Stats, CloseIO: in every visible state */
	OP_MAX
};

/** struct verdict - Answer of the state x operation table. */
struct verdict {
	uint8_t code;		/* enum rpc_code, RPC_OK: go on */
	const char *text;	/* NULL when code is 0 */
};

/** rule_init(), rule_exec() - May @op be done to a process in @state? */
const struct verdict *rule_init(enum proc_state state, enum proc_op op);
const struct verdict *rule_exec(enum proc_state state, enum proc_op op);

/** rule_status() - State as containerd.v1.types.Status counts it. */
int rule_status(enum proc_state state);

#define TEXT_NO_CONTAINER "container not created: not found"
#define TEXT_NO_PROCESS "process does not exist %s: not found"
#endif
