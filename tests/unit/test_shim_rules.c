/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state x operation tables: every pair is answered, and the answers that clients rely on. */
#include "kselftest_harness.h"
#include "rules.h"

TEST(every_pair_is_answered)
{
	for (int s = 0; s < PROC_STATE_MAX; s++) {
		for (int op = 0; op < OP_MAX; op++) {
			const struct verdict *v[2] = { rule_init(s, op), rule_exec(s, op) };

			for (int k = 0; k < 2; k++) {
				ASSERT_EQ(v[k]->code == RPC_OK, v[k]->text == NULL) {
					TH_LOG("state %d op %d %s", s, op, k ? "exec" : "init");
				}
			}
		}
	}
}

FIXTURE(rule) { int unused; };
FIXTURE_VARIANT(rule) { bool exec; enum proc_state state; enum proc_op op; int code; const char *text; };
FIXTURE_SETUP(rule) { self->unused = 0; }
FIXTURE_TEARDOWN(rule) { }
#define RULE(name, e, s, o, c, t) \
	FIXTURE_VARIANT_ADD(rule, name) { e, PROC_##s, OP_##o, RPC_##c, t }

RULE(creating_is_unknown, false, CREATING, READ, NOT_FOUND, "container not created: not found");
RULE(start_created, false, CREATED, START, OK, NULL);
RULE(start_running, false, RUNNING, START, FAILED_PRECONDITION, "cannot start a running process");
RULE(start_stopped, false, STOPPED, START, FAILED_PRECONDITION, "cannot start a stopped process");
RULE(exec_in_created, false, CREATED, EXEC, OK, NULL);
RULE(exec_in_paused, false, PAUSED, EXEC, FAILED_PRECONDITION, "cannot exec in a paused state");
RULE(exec_in_stopped, false, STOPPED, EXEC, FAILED_PRECONDITION, "cannot exec in a stopped state");
RULE(kill_created, false, CREATED, KILL, OK, NULL);
RULE(kill_stopped, false, STOPPED, KILL, NOT_FOUND, "process already finished: not found");
RULE(kill_all_stopped, false, STOPPED, KILL_ALL, OK, NULL);
RULE(kill_paused, false, PAUSED, KILL, OK, NULL);
RULE(pause_created, false, CREATED, PAUSE, FAILED_PRECONDITION, "cannot pause task in created state");
RULE(pause_running, false, RUNNING, PAUSE, OK, NULL);
RULE(pause_stopped, false, STOPPED, PAUSE, FAILED_PRECONDITION, "cannot pause a stopped container");
RULE(resume_paused, false, PAUSED, RESUME, OK, NULL);
RULE(resume_running, false, RUNNING, RESUME, FAILED_PRECONDITION, "cannot resume a running process");
RULE(update_paused, false, PAUSED, UPDATE, OK, NULL);
RULE(update_stopped, false, STOPPED, UPDATE, FAILED_PRECONDITION, "cannot update a stopped container");
RULE(delete_created, false, CREATED, DELETE, OK, NULL);
RULE(delete_running, false, RUNNING, DELETE, FAILED_PRECONDITION, "cannot delete a running process");
RULE(delete_paused, false, PAUSED, DELETE, FAILED_PRECONDITION, "cannot delete a paused process");
RULE(delete_stopped, false, STOPPED, DELETE, OK, NULL);
RULE(delete_twice, false, DELETING, DELETE, NOT_FOUND, "cannot delete a deleted process: not found");
RULE(state_while_deleting, false, DELETING, READ, OK, NULL);
RULE(exec_kill_unstarted, true, CREATED, KILL, FAILED_PRECONDITION, "process not created");
RULE(exec_kill_stopped, true, STOPPED, KILL, NOT_FOUND, "process already finished: not found");
RULE(exec_delete_running, true, RUNNING, DELETE, FAILED_PRECONDITION, "cannot delete a running process");
RULE(exec_delete_unstarted, true, CREATED, DELETE, OK, NULL);
RULE(exec_resize_unstarted, true, CREATED, RESIZE, OK, NULL);
RULE(exec_resize_stopped, true, STOPPED, RESIZE, FAILED_PRECONDITION, "cannot resize a stopped container");
TEST_F(rule, holds)
{
	const struct verdict *v = variant->exec ? rule_exec(variant->state, variant->op) :
						  rule_init(variant->state, variant->op);

	EXPECT_EQ(v->code, variant->code);
	EXPECT_STREQ(v->text ? v->text : "", variant->text ? variant->text : "");
}

TEST(status_numbers_of_the_task_service)
{
	EXPECT_EQ(rule_status(PROC_CREATED), 1);
	EXPECT_EQ(rule_status(PROC_STARTING), 1);
	EXPECT_EQ(rule_status(PROC_RUNNING), 2);
	EXPECT_EQ(rule_status(PROC_STOPPED), 3);
	EXPECT_EQ(rule_status(PROC_DELETING), 3);
	EXPECT_EQ(rule_status(PROC_PAUSED), 4);
	EXPECT_EQ(rule_status(PROC_PAUSING), 5);
}

TEST_HARNESS_MAIN
