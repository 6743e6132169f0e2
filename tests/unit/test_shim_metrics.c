/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two metrics messages: what the engine counts, in the fields that containerd reads. */
#include <string.h>
#include "kselftest_harness.h"
#include "buf.h"
#include "cgroups_v1.pb-c.h"
#include "cgroups_v2.pb-c.h"
#include "cleat.h"
#include "message.h"
#include "op.h"
#include "task.pb-c.h"

FIXTURE(metrics)
{
	struct arena a;
	struct buf b;
	struct cg_stats s;
	struct cg_detail d;
	struct metrics m;
	struct cleat_net net[2];
	struct cg_rdma now[2], max[1];
	struct cg_io_value io[3];
};

FIXTURE_SETUP(metrics)
{
	memset(self, 0, sizeof(*self));
	self->net[0] = (struct cleat_net){
		.name = "eth0", .rx_bytes = 1, .rx_packets = 2, .rx_errors = 3, .rx_dropped = 4,
		.tx_bytes = 5, .tx_packets = 6, .tx_errors = 7, .tx_dropped = 8,
	};
	/* a container may call a device what it likes; a Go peer would refuse the whole message */
	self->net[1] = (struct cleat_net){ .name = "e\xff" };
	self->now[0] = (struct cg_rdma){ .device = "bad\xc0", .handles = 1 };
	self->now[1] = (struct cg_rdma){ .device = "mlx4_0", .handles = 2, .objects = 3 };
	self->max[0] = (struct cg_rdma){ .device = "mlx4_0", .handles = UINT32_MAX, .objects = 9 };
	self->io[0] = (struct cg_io_value){ 999, 7, 11, "Read" };
	self->io[1] = (struct cg_io_value){ 999, 7, 12, "Total" };
	self->io[2] = (struct cg_io_value){ 999, 8, 13, "" };
	self->d.rdma_current = (struct objv){ self->now, 2 };
	self->d.rdma_max = (struct objv){ self->max, 1 };
	self->s.pids.current = 21;
	self->m = (struct metrics){ &self->s, &self->d, { self->net, 2 } };
}
FIXTURE_TEARDOWN(metrics)
{
	arena_fini(&self->a);
	buf_fini(&self->b);
}

/* Pack, and unpack what is inside. */
static const void *there_and_back(FIXTURE_DATA(metrics) *self, const ProtobufCMessageDescriptor *d)
{
	const Cleat__Task__StatsResponse *res;

	if (metrics_pack(&self->m, &self->b))
		return NULL;
	res = msg_unpack(&self->a, &cleat__task__stats_response__descriptor, self->b.data, self->b.len, NULL);
	if (!res || strcmp(msg_str(&res->stats->type_url), d->name))
		return NULL;
	return msg_unpack(&self->a, d, res->stats->value.data, res->stats->value.len, NULL);
}

TEST_F(metrics, v1)
{
	const Io__Containerd__Cgroups__V1__Metrics *m;

	self->d.io[CG_IO_BYTES] = (struct objv){ self->io, 3 };
	self->d.io[CG_IO_SECTORS] = (struct objv){ self->io, 1 };
	self->d.tasks = (struct cg_tasks){ true, 1, 2, 3, 4, 5 };
	m = there_and_back(self, &io__containerd__cgroups__v1__metrics__descriptor);
	ASSERT_NE(NULL, m);
	EXPECT_EQ(21, m->pids->current);
	ASSERT_EQ(1, m->n_network);
	EXPECT_STREQ("eth0", msg_str(&m->network[0]->name));
	EXPECT_EQ(4, m->network[0]->rx_dropped);
	EXPECT_EQ(8, m->network[0]->tx_dropped);
	ASSERT_EQ(1, m->rdma->n_current);
	EXPECT_STREQ("mlx4_0", msg_str(&m->rdma->current[0]->device));
	EXPECT_EQ(3, m->rdma->current[0]->hca_objects);
	ASSERT_EQ(1, m->rdma->n_limit);
	EXPECT_EQ(UINT32_MAX, m->rdma->limit[0]->hca_handles);
	EXPECT_EQ(1, m->cgroup_stats->nr_sleeping);
	EXPECT_EQ(5, m->cgroup_stats->nr_io_wait);
	ASSERT_EQ(3, m->blkio->n_io_service_bytes_recursive);
	EXPECT_STREQ("Total", msg_str(&m->blkio->io_service_bytes_recursive[1]->op));
	EXPECT_EQ(8, m->blkio->io_service_bytes_recursive[2]->minor);
	EXPECT_EQ(13, m->blkio->io_service_bytes_recursive[2]->value);
	EXPECT_EQ(1, m->blkio->n_sectors_recursive);
	EXPECT_EQ(0, m->blkio->n_io_merged_recursive);
}

TEST_F(metrics, v2)
{
	const Io__Containerd__Cgroups__V2__Metrics *m;

	self->s.v2 = true;
	self->s.io.n = 1;
	self->s.io.dev[0] = (struct cg_stat_io){ 8, 1, 2, 3, 4, 5 };
	m = there_and_back(self, &io__containerd__cgroups__v2__metrics__descriptor);
	ASSERT_NE(NULL, m);
	EXPECT_EQ(21, m->pids->current);
	ASSERT_EQ(1, m->n_network);
	EXPECT_EQ(1, m->network[0]->rx_bytes);
	EXPECT_EQ(7, m->network[0]->tx_errors);
	ASSERT_EQ(1, m->rdma->n_current);
	EXPECT_EQ(2, m->rdma->current[0]->hca_handles);
	EXPECT_EQ(9, m->rdma->limit[0]->hca_objects);
	ASSERT_EQ(1, m->io->n_usage);
	EXPECT_EQ(5, m->io->usage[0]->wios);
}

TEST_F(metrics, what_is_not_there_is_left_out)
{
	const Io__Containerd__Cgroups__V1__Metrics *m;

	self->m.net = self->d.rdma_current = self->d.rdma_max = (struct objv){ 0 };
	m = there_and_back(self, &io__containerd__cgroups__v1__metrics__descriptor);
	ASSERT_NE(NULL, m);
	EXPECT_EQ(NULL, m->rdma);
	EXPECT_EQ(NULL, m->cgroup_stats);
	EXPECT_EQ(0, m->n_network);
}

TEST_HARNESS_MAIN
