/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.json: every field, every rule with a document that breaks it, sizes. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>
#include "spec_fixture.h"
#include "bounds.h"
#include "cleat.h"
#include "json.h"

static int parse(FIXTURE_DATA(spec) *self, const char *json)
{
	memset(&self->e, 0, sizeof(self->e));
	logged[0] = 0;
	self->s = NULL;
	return spec_parse(json, strlen(json), &self->a, &self->s, &test_log, &self->e);
}

/* ---- a document with everything ---- */

static const char full[] =
"{\"ociVersion\":\"1.3.0-rc.1+b\",\"hostname\":\"h\",\"domainname\":\"d\",\"annotations\":{\"a\":\"1\",\"b\":\"\"},"
"\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
"\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},\"cwd\":\"/w\",\"args\":[\"sh\",\"\\u00e9\"],"
"\"env\":[\"A=1\",\"B=\",\"A=\xff\"],\"user\":{\"uid\":1,\"gid\":2,\"umask\":63,\"additionalGids\":[3,4],\"username\":\"x\"},"
"\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[],\"inheritable\":[\"CAP_X\"],\"permitted\":[\"kill\"],"
"\"ambient\":[\"CAP_CHOWN\"]},\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":18446744073709551615},"
"{\"type\":\"RLIMIT_AS\",\"soft\":5,\"hard\":5}],\"noNewPrivileges\":true,\"oomScoreAdj\":-1000,"
"\"apparmorProfile\":\"p\",\"selinuxLabel\":\"l\",\"scheduler\":null,\"commandLine\":\"x\"},"
"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\"]},"
"{\"destination\":\"data\",\"type\":\"\",\"source\":\"/srv\",\"options\":[\"rbind\",\"ro\"],\"uidMappings\":[]},"
"{\"destination\":\"/proc/cpuinfo\",\"type\":\"bind\",\"source\":\"/x\",\"options\":[\"bind\"]}],"
"\"hooks\":{\"prestart\":[{\"path\":\"/h\"}],\"createRuntime\":[{\"path\":\"/h\",\"args\":[\"h\",\"1\"],\"env\":[],\"timeout\":5}],"
"\"createContainer\":[],\"startContainer\":[],\"poststart\":[],\"poststop\":[{\"path\":\"/s\",\"env\":[\"K=V\"]}]},"
"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\",\"path\":\"\"},{\"type\":\"uts\"},{\"type\":\"user\"},"
"{\"type\":\"network\",\"path\":\"/run/netns/a\"},{\"type\":\"ipc\"},{\"type\":\"cgroup\"},{\"type\":\"time\"}],"
"\"uidMappings\":[{\"containerID\":10,\"hostID\":5000,\"size\":5},{\"containerID\":0,\"hostID\":1000,\"size\":10}],"
"\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}],"
"\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":438,\"uid\":1,\"gid\":2},"
"{\"path\":\"/dev/p\",\"type\":\"p\"}],\"cgroupsPath\":\"/a/b..c\",\"sysctl\":{\"net.core.somaxconn\":\"1\",\"kernel/sem\":\"1\\t2\"},"
"\"resources\":{\"memory\":{\"limit\":-1},\"pids\":{\"limit\":7}},"
"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]},"
"\"rootfsPropagation\":\"rslave\",\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],\"mountLabel\":\"\","
"\"intelRdt\":{},\"timeOffsets\":null},\"windows\":{\"x\":1},\"vm\":{\"y\":[1]},\"x-own\":{\"z\":{}}}";

TEST_F(spec, process_lands)
{
	const struct spec_process *p;
	const struct spec_rlimit *l;

	ASSERT_EQ(0, parse(self, full)) TH_LOG("%s: %s", self->e.where, self->e.msg);
	p = self->s->process;
	EXPECT_TRUE(p->terminal && p->no_new_privileges && p->user.has_umask && p->has_oom_score_adj);
	EXPECT_EQ(24, p->console_size->height);
	EXPECT_EQ(80, p->console_size->width);
	EXPECT_EQ(1, p->user.uid);
	EXPECT_EQ(2, p->user.gid);
	EXPECT_EQ(63, p->user.umask);
	ASSERT_EQ(2, p->user.additional_gids.n);
	EXPECT_EQ(4, p->user.additional_gids.v[1]);
	EXPECT_STREQ("\xc3\xa9", p->args.v[1]);
	ASSERT_EQ(3, p->env.n);
	EXPECT_STREQ("A=\xff", p->env.v[2]);
	EXPECT_STREQ("/w", p->cwd);
	EXPECT_EQ(1, p->capabilities->bounding.n);
	EXPECT_EQ(0, p->capabilities->effective.n);
	EXPECT_STREQ("CAP_X", p->capabilities->inheritable.v[0]);
	EXPECT_STREQ("kill", p->capabilities->permitted.v[0]);
	EXPECT_STREQ("CAP_CHOWN", p->capabilities->ambient.v[0]);
	l = p->rlimits.v;
	ASSERT_EQ(2, p->rlimits.n);
	EXPECT_EQ(RLIMIT_NOFILE, l[0].type);
	EXPECT_EQ(UINT64_MAX, l[0].hard);
	EXPECT_EQ(1, l[0].soft);
	EXPECT_EQ(-1000, p->oom_score_adj);
	EXPECT_STREQ("p", p->apparmor_profile);
	EXPECT_STREQ("l", p->selinux_label);
}

TEST_F(spec, linux_lands)
{
	const struct spec_linux *l;
	const struct spec_device *d;
	const struct spec_idmap *m;

	ASSERT_EQ(0, parse(self, full));
	l = self->s->linux_;
	EXPECT_EQ(8, l->namespaces.n);
	EXPECT_EQ(NULL, spec_namespace(self->s, CLONE_NEWNS)->path);
	EXPECT_STREQ("/run/netns/a", spec_namespace(self->s, CLONE_NEWNET)->path);
	m = l->uid_mappings.v;
	EXPECT_EQ(10, m[0].container_id);
	EXPECT_EQ(5000, m[0].host_id);
	EXPECT_EQ(5, m[0].size);
	EXPECT_EQ(1, l->gid_mappings.n);
	d = l->devices.v;
	ASSERT_EQ(2, l->devices.n);
	EXPECT_EQ('c', d[0].type);
	EXPECT_EQ(10, d[0].major);
	EXPECT_EQ(229, d[0].minor);
	EXPECT_EQ(438, d[0].file_mode);
	EXPECT_TRUE(d[0].has_file_mode && d[0].has_uid && d[0].has_gid);
	EXPECT_EQ('p', d[1].type);
	EXPECT_FALSE(d[1].has_file_mode || d[1].has_uid || d[1].has_gid);
	EXPECT_STREQ("/a/b..c", l->cgroups_path);
	EXPECT_EQ(-1, l->resources->memory->limit);
	EXPECT_TRUE(l->seccomp->has_default_action);
	EXPECT_EQ(2, l->sysctl.n);
	EXPECT_STREQ("1\t2", l->sysctl.v[1].val);
	EXPECT_STREQ("rslave", l->rootfs_propagation);
	EXPECT_STREQ("/proc/kcore", l->masked_paths.v[0]);
	EXPECT_STREQ("/proc/sys", l->readonly_paths.v[0]);
	EXPECT_EQ(NULL, l->mount_label);
}

TEST_F(spec, the_rest_lands)
{
	const struct spec_mount *m;
	const struct spec_hook *h;

	ASSERT_EQ(0, parse(self, full));
	EXPECT_STREQ("1.3.0-rc.1+b", self->s->oci_version);
	EXPECT_STREQ("h", self->s->hostname);
	EXPECT_STREQ("d", self->s->domainname);
	EXPECT_TRUE(self->s->root->readonly);
	m = self->s->mounts.v;
	ASSERT_EQ(3, self->s->mounts.n);
	EXPECT_EQ(NULL, m[1].type);
	EXPECT_STREQ("data", m[1].destination);
	EXPECT_NE(NULL, strstr(logged, "\"data\" is relative, which is deprecated"));
	h = self->s->hooks->create_runtime.v;
	EXPECT_EQ(5, h->timeout);
	EXPECT_TRUE(h->has_timeout && h->has_env && !h->env.n);
	h = self->s->hooks->prestart.v;
	EXPECT_FALSE(h->has_timeout || h->has_env);
	EXPECT_EQ(1, self->s->hooks->poststop.n);
	EXPECT_STREQ("", self->s->annotations.v[1].val);
}

TEST_F(spec, the_least_document)
{
	ASSERT_EQ(0, parse(self, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"}}"));
	EXPECT_EQ(NULL, self->s->process);
	EXPECT_EQ(NULL, self->s->hooks);
	ASSERT_NE(NULL, self->s->linux_);
	EXPECT_EQ(NULL, spec_namespace(self->s, CLONE_NEWPID));
	EXPECT_EQ(NULL, self->s->linux_->resources);
}

TEST_F(spec, written_and_read_back_it_is_the_same)
{
	auto_buf one = BUF_INIT, two = BUF_INIT;

	ASSERT_EQ(0, parse(self, full));
	ASSERT_EQ(0, json_write(&spec_object, self->s, true, &one));
	ASSERT_EQ(0, parse(self, one.data)) TH_LOG("%s: %s", self->e.where, self->e.msg);
	ASSERT_EQ(0, json_write(&spec_object, self->s, true, &two));
	/* bytes that are no UTF-8 come back as U+FFFD; nothing else changes */
	EXPECT_STREQ(one.data, two.data);
}

/* ---- what is refused ---- */

#define BASE	"\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"}"
#define D(rest)	"{" BASE "," rest "}"
#define P(rest) D("\"process\":{" rest "}")
#define OK_P	"\"cwd\":\"/\",\"args\":[\"a\"]"
#define L(rest) D("\"linux\":{" rest "}")
#define NS(t)	"\"namespaces\":[{\"type\":\"" t "\"}]"
#define M(rest) D("\"linux\":{" NS("mount") "},\"mounts\":[" rest "]")
#define MAP(c, h, s) "{\"containerID\":" #c ",\"hostID\":" #h ",\"size\":" #s "}"
#define USER(u, g) L(NS("user") ",\"uidMappings\":[" u "],\"gidMappings\":[" g "]")
#define SYSCTL(ns, k, v) L(NS(ns) ",\"sysctl\":{\"" k "\":\"" v "\"}")
#define HOOK(rest) D("\"hooks\":{\"poststop\":[{" rest "}]}")

static const struct { const char *json, *where, *text; } bad[] = {
	/* version and root */
	{ "{\"root\":{\"path\":\"r\"}}", "/ociVersion", "required field missing" },
	{ "{\"ociVersion\":\"\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "is not a version: \"\"" },
	{ "{\"ociVersion\":\"1.0\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "is not a version: \"1.0\"" },
	{ "{\"ociVersion\":\"1.0.0.\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "is not a version" },
	{ "{\"ociVersion\":\"1.0.0-\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "is not a version" },
	{ "{\"ociVersion\":\"1.02.0\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "is not a version" },
	{ "{\"ociVersion\":\"v1.0.0\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "is not a version" },
	{ "{\"ociVersion\":\"2.0.0\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "version \"2.0.0\" is not supported" },
	{ "{\"ociVersion\":\"0.9.0\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "\"0.9.0\" is not supported" },
	{ "{\"ociVersion\":\"11.0.0\",\"root\":{\"path\":\"r\"}}", "/ociVersion", "\"11.0.0\" is not supported" },
	{ "{\"ociVersion\":\"1.0.0\"}", "/root", "required field missing" },
	{ "{\"ociVersion\":\"1.0.0\",\"root\":{}}", "/root/path", "required field missing" },
	{ "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"\"}}", "/root/path", "must not be empty" },
	{ "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/\"}}", "/root/path", "must not be the host's root: \"/\"" },
	{ "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/a/../.\"}}", "/root/path", "the host's root: \"/a/../.\"" },
	{ "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"./\"}}", "/root/path", "must not be the bundle itself: \"./\"" },
	/* process */
	{ P("\"args\":[\"a\"]"), "/process/cwd", "required field missing" },
	{ P("\"args\":[\"a\"],\"cwd\":\"\""), "/process/cwd", "must be an absolute path" },
	{ P("\"args\":[\"a\"],\"cwd\":\"rel\""), "/process/cwd", "must be an absolute path, is \"rel\"" },
	{ P("\"cwd\":\"/\""), "/process/args", "must have at least one element" },
	{ P("\"cwd\":\"/\",\"args\":[]"), "/process/args", "must have at least one element" },
	{ P("\"cwd\":\"/\",\"args\":[\"\"]"), "/process/args/0", "executable file not found in $PATH" },
	{ P("\"cwd\":\"/\",\"args\":[\"a\\u0000b\"]"), "/process/args/0", "a NUL character is not allowed" },
	{ P(OK_P ",\"env\":[\"A=1\",\"B\"]"), "/process/env/1", "must be KEY=value, is \"B\"" },
	{ P(OK_P ",\"env\":[\"=x\"]"), "/process/env/0", "the name is empty: \"=x\"" },
	{ P(OK_P ",\"env\":[\"\xff=x\"]"), "/process/env/0", "the name is not valid UTF-8" },
	{ P(OK_P ",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]"), "/process/rlimits/0/type",
	  "unknown value \"RLIMIT_X\", known: RLIMIT_AS" },
	{ P(OK_P ",\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":2,\"hard\":1}]"), "/process/rlimits/0/soft",
	  "RLIMIT_AS: the soft limit 2 is above the hard limit 1" },
	{ P(OK_P ",\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_AS\",\"soft\":1,"
	  "\"hard\":1}]"), "/process/rlimits/1/type", "\"RLIMIT_AS\" is given twice" },
	{ P(OK_P ",\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":1}]"), "/process/rlimits/0/hard", "required" },
	{ P(OK_P ",\"oomScoreAdj\":1001"), "/process/oomScoreAdj", "1001 is out of range, allowed: -1000 to 1000" },
	{ P(OK_P ",\"oomScoreAdj\":-1001"), "/process/oomScoreAdj", "-1001 is out of range" },
	{ P(OK_P ",\"user\":{\"uid\":4294967295}"), "/process/user/uid", "4294967295 is out of range" },
	{ P(OK_P ",\"user\":{\"gid\":-1}"), "/process/user/gid", "-1 is out of range" },
	{ P(OK_P ",\"user\":{\"umask\":4096}"), "/process/user/umask", "4096 is out of range" },
	{ P(OK_P ",\"user\":{\"additionalGids\":[4294967295]}"), "/process/user/additionalGids/0",
	  "4294967295 is not a group id" },
	{ P(OK_P ",\"consoleSize\":{\"height\":65536}"), "/process/consoleSize/height", "65536 is out of range" },
	{ P(OK_P ",\"scheduler\":{\"nice\":1}"), "/process/scheduler/policy", "required field missing" },
	{ P(OK_P ",\"scheduler\":{\"policy\":\"SCHED_ISO\"}"), "/process/scheduler/policy", "SCHED_ISO" },
	{ P(OK_P ",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":-21}"), "/process/scheduler/nice", "-21 is not from -20 to 19" },
	{ P(OK_P ",\"scheduler\":{\"policy\":\"SCHED_FIFO\"}"), "/process/scheduler/priority", "0 is not from 1 to 99" },
	{ P(OK_P ",\"scheduler\":{\"policy\":\"SCHED_IDLE\",\"priority\":2}"), "/process/scheduler/priority", "not with SCHED_IDLE" },
	{ P(OK_P ",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"deadline\":2}"), "/process/scheduler/deadline", "2: allowed only with SCHED_DEADLINE" },
	{ P(OK_P ",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":-1}"), "/process/ioPriority/priority", "-1" },
	{ P(OK_P ",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_NONE\"}"), "/process/ioPriority/class", "IOPRIO_CLASS_NONE" },
	{ P(OK_P ",\"execCPUAffinity\":{\"initial\":\"0-\"}"), "/process/execCPUAffinity/initial", "\"0-\" is not a list" },
	{ P(OK_P ",\"execCPUAffinity\":{\"final\":\"8192\"}"), "/process/execCPUAffinity/final", "no CPU above 8191" },
	/* names */
	{ D("\"hostname\":\"x\""), "/hostname", "needs a uts namespace: \"x\"" },
	{ D("\"domainname\":\"x\""), "/domainname", "needs a uts namespace: \"x\"" },
	{ D("\"hostname\":\"0123456789012345678901234567890123456789012345678901234567890123x\""), "/hostname",
	  "is 65 bytes long, at most 64" },
	{ D("\"annotations\":{\"\":\"v\"}"), "/annotations", "a key is empty (its value: \"v\")" },
	{ D("\"annotations\":{\"k\":1}"), "/annotations/k", "expected a string, found the number 1" },
	/* mounts */
	{ D("\"mounts\":[{\"destination\":\"/x\",\"type\":\"tmpfs\"}]"), "/mounts", "needs a mount namespace: \"/x\"" },
	{ M("{}"), "/mounts/0/destination", "required field missing" },
	{ M("{\"destination\":\"\"}"), "/mounts/0/destination", "must not be empty" },
	{ M("{\"destination\":\"/\",\"type\":\"tmpfs\"}"), "/mounts/0/destination", "must be below the root: \"/\"" },
	{ M("{\"destination\":\"..\",\"type\":\"tmpfs\"}"), "/mounts/0/destination", "must be below the root: \"..\"" },
	{ M("{\"destination\":\"//./\",\"type\":\"tmpfs\"}"), "/mounts/0/destination", "must be below the root" },
	{ M("{\"destination\":\"/a/../..\",\"type\":\"tmpfs\"}"), "/mounts/0/destination", "must be below the root" },
	{ M("{\"destination\":\"/a\"}"), "/mounts/0/type", "required unless options has" },
	{ M("{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/\"}"), "/mounts/0/options", "neither \"bind\" nor" },
	{ M("{\"destination\":\"/a\",\"options\":[\"rbind\"]}"), "/mounts/0/source", "required for a bind mount" },
	{ M("{\"destination\":\"/a\",\"type\":\"tmpfs\"},{\"destination\":\"/proc\",\"type\":\"tmpfs\"}"),
	  "/mounts/1/destination", "\"/proc\" cannot be a mount of type \"tmpfs\"" },
	{ M("{\"destination\":\"/proc/self\",\"type\":\"proc\"}"), "/mounts/0/destination",
	  "cannot be mounted because it is inside /proc" },
	{ M("{\"destination\":\"x/../proc//sys/kernel\",\"options\":[\"bind\"],\"source\":\"/\"}"),
	  "/mounts/0/destination", "because it is inside /proc" },
	{ M("{\"destination\":\"/a\",\"type\":\"t\",\"uidMappings\":[" MAP(0, 1, 1) "]}"), "/mounts/0/gidMappings",
	  "needs both lists" },
	{ M("{\"destination\":\"/a\",\"type\":\"t\",\"gidMappings\":[" MAP(0, 1, 1) "]}"), "/mounts/0/uidMappings",
	  "needs both lists" },
	{ M("{\"destination\":\"/a\",\"type\":\"t\",\"uidMappings\":[" MAP(0, 1, 1) "],\"gidMappings\":[" MAP(0, 1, 1) "]}"),
	  "/mounts/0/uidMappings", "only a new bind mount" },
	{ M("{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\"],\"uidMappings\":[" MAP(0, 1, 1)
	    "],\"gidMappings\":[" MAP(0, 1, 0) "]}"), "/mounts/0/gidMappings/0", "size is 0" },
	{ M("{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\",\"ridmap\"]}"), "/mounts/0/options",
	  "\"ridmap\" needs uidMappings and gidMappings" },
	/* hooks */
	{ HOOK(""), "/hooks/poststop/0/path", "required field missing" },
	{ HOOK("\"path\":\"rel\""), "/hooks/poststop/0/path", "must be an absolute path, is \"rel\"" },
	{ HOOK("\"path\":\"/a\",\"timeout\":0"), "/hooks/poststop/0/timeout", "0 is out of range, allowed: 1 to" },
	{ HOOK("\"path\":\"/a\",\"timeout\":-5"), "/hooks/poststop/0/timeout", "-5 is out of range" },
	/* namespaces */
	{ L(NS("pidx")), "/linux/namespaces/0/type", "unknown value \"pidx\", known: cgroup, ipc, mount" },
	{ L("\"namespaces\":[{}]"), "/linux/namespaces/0/type", "required field missing" },
	{ L("\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]"), "/linux/namespaces/1/type", "\"pid\" is given twice" },
	{ L("\"namespaces\":[{\"type\":\"pid\",\"path\":\"proc/1\"}]"), "/linux/namespaces/0/path",
	  "must be an absolute path, is \"proc/1\"" },
	/* id maps */
	{ L(NS("user")), "/linux/uidMappings", "required: the user namespace is new" },
	{ L(NS("user") ",\"uidMappings\":[" MAP(0, 0, 1) "]"), "/linux/gidMappings", "required" },
	{ L("\"uidMappings\":[" MAP(0, 0, 1) "]"), "/linux/uidMappings", "needs a user namespace" },
	{ L("\"gidMappings\":[" MAP(0, 0, 1) "]"), "/linux/gidMappings", "needs a user namespace" },
	{ USER(MAP(0, 5, 0), MAP(0, 0, 1)), "/linux/uidMappings/0", "size is 0 (containerID 0, hostID 5)" },
	{ USER(MAP(0, 0, 1), MAP(0, 0, 10) "," MAP(9, 100, 5)), "/linux/gidMappings/1",
	  "container ids 9+5 overlap entry 0, 0+10" },
	{ USER(MAP(0, 10, 10) "," MAP(10, 5, 6), MAP(0, 0, 1)), "/linux/uidMappings/1",
	  "host ids 5+6 overlap entry 0, 10+10" },
	{ USER(MAP(4294967295, 0, 1), MAP(0, 0, 1)), "/linux/uidMappings/0", "container ids 4294967295+1 pass" },
	{ USER(MAP(0, 4294967290, 6), MAP(0, 0, 1)), "/linux/uidMappings/0", "host ids 4294967290+6 pass" },
	{ D("\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"ro\",\"uid=3\"]}],\"linux\":{" NS("user")
	  ",\"uidMappings\":[" MAP(0, 0, 3) "],\"gidMappings\":[" MAP(0, 0, 9) "]}"),
	  "/mounts/0/options/1", "3 is not mapped by /linux/uidMappings" },
	{ D("\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"gid=9\"]}],\"linux\":{" NS("user")
	  ",\"uidMappings\":[" MAP(0, 0, 9) "],\"gidMappings\":[" MAP(0, 0, 9) "]}"),
	  "/mounts/0/options/0", "9 is not mapped by /linux/gidMappings" },
	{ USER("{\"containerID\":0,\"size\":1}", ""), "/linux/uidMappings/0/hostID", "required field missing" },
	{ D("\"process\":{" OK_P ",\"user\":{\"uid\":7}},\"linux\":{" NS("user") ",\"uidMappings\":[" MAP(0, 0, 7)
	  "],\"gidMappings\":[" MAP(0, 0, 1) "]}"), "/process/user/uid", "7 is not mapped by /linux/uidMappings" },
	{ D("\"process\":{" OK_P ",\"user\":{\"additionalGids\":[0,1]}},\"linux\":{" NS("user") ",\"uidMappings\":["
	  MAP(0, 0, 7) "],\"gidMappings\":[" MAP(0, 0, 1) "]}"), "/process/user/additionalGids/1", "1 is not mapped" },
	/* devices */
	{ L("\"devices\":[{\"path\":\"/d\",\"type\":\"x\"}]"), "/linux/devices/0/type", "unknown value \"x\", known: b, c, p, u" },
	{ L("\"devices\":[{\"path\":\"d\",\"type\":\"c\"}]"), "/linux/devices/0/path", "must be an absolute path, is \"d\"" },
	{ L("\"devices\":[{\"path\":\"/dev/\",\"type\":\"c\"}]"), "/linux/devices/0/path", "does not name a file: \"/dev/\"" },
	{ L("\"devices\":[{\"path\":\"/dev/..\",\"type\":\"c\"}]"), "/linux/devices/0/path", "does not name a file" },
	{ L("\"devices\":[{\"path\":\"/d\",\"type\":\"c\",\"major\":-1}]"), "/linux/devices/0/major", "-1 is out of range" },
	{ L("\"devices\":[{\"path\":\"/d\",\"type\":\"c\",\"minor\":1048576}]"), "/linux/devices/0/minor", "out of range" },
	/* cgroups, paths, propagation */
	{ L("\"cgroupsPath\":\"..\""), "/linux/cgroupsPath", "must not have \"..\": \"..\"" },
	{ L("\"cgroupsPath\":\"/../x\""), "/linux/cgroupsPath", "must not have \"..\": \"/../x\"" },
	{ L("\"cgroupsPath\":\"a/..\""), "/linux/cgroupsPath", "must not have \"..\"" },
	{ L("\"cgroupsPath\":\"x.slice:..:y\""), "/linux/cgroupsPath", "must not have \"..\"" },
	{ L("\"cgroupsPath\":\"a\\nb\""), "/linux/cgroupsPath", "must not have control characters" },
	{ L("\"maskedPaths\":[\"/a\"]"), "/linux/maskedPaths", "needs a mount namespace: \"/a\"" },
	{ L("\"readonlyPaths\":[\"/a\"]"), "/linux/readonlyPaths", "needs a mount namespace: \"/a\"" },
	{ L(NS("mount") ",\"maskedPaths\":[\"/a\",\"b\"]"), "/linux/maskedPaths/1", "must be an absolute path, is \"b\"" },
	{ L(NS("mount") ",\"readonlyPaths\":[\"b\"]"), "/linux/readonlyPaths/0", "must be an absolute path" },
	{ L(NS("mount") ",\"rootfsPropagation\":\"both\""), "/linux/rootfsPropagation", "unknown value \"both\"" },
	{ L("\"rootfsPropagation\":\"shared\""), "/linux/rootfsPropagation", "needs a mount namespace" },
	/* sysctl */
	{ SYSCTL("ipc", "kernel.core_pattern", "|x"), "/linux/sysctl", "\"kernel.core_pattern\" is not allowed" },
	{ SYSCTL("ipc", "kernel/core_pattern", "x"), "/linux/sysctl", "\"kernel/core_pattern\" is not allowed" },
	{ SYSCTL("ipc", "kernel.shmmaxx", "x"), "/linux/sysctl", "\"kernel.shmmaxx\" is not allowed" },
	{ SYSCTL("uts", "kernel.hostname", "x"), "/linux/sysctl", "is not allowed, hostname sets it" },
	{ SYSCTL("ipc", "vm.swappiness", "1"), "/linux/sysctl", "is not allowed" },
	{ SYSCTL("network", "net/ipv4/../../kernel/x", "1"), "/linux/sysctl", "not a key: \"net/ipv4/../../kernel/x\"" },
	{ SYSCTL("network", "net.ipv4.//.//.kernel.x", "1"), "/linux/sysctl", "not a key" },
	{ SYSCTL("network", "net..ipv4", "1"), "/linux/sysctl", "not a key" },
	{ SYSCTL("network", "net.", "1"), "/linux/sysctl", "not a key" },
	{ SYSCTL("network", "", "1"), "/linux/sysctl", "not a key" },
	{ SYSCTL("network", "/net/x", "1"), "/linux/sysctl", "not a key" },
	{ SYSCTL("network", "net", "1"), "/linux/sysctl", "\"net\" is not allowed" },
	{ SYSCTL("network", "net.a\\nb", "1"), "/linux/sysctl", "not a key" },
	{ SYSCTL("network", "net.a", "1\\n+kernel.core_pattern=x"), "/linux/sysctl", "the value of \"net.a\" has a control" },
	{ SYSCTL("network", "net.a", "1\\u0000"), "/linux/sysctl/net.a", "a NUL character is not allowed" },
	{ SYSCTL("pid", "net.a", "1"), "/linux/sysctl", "\"net.a\" needs a network namespace" },
	{ SYSCTL("pid", "kernel.sem", "1"), "/linux/sysctl", "\"kernel.sem\" needs a ipc namespace" },
	{ SYSCTL("pid", "fs.mqueue.msg_max", "1"), "/linux/sysctl", "needs a ipc namespace" },
	{ SYSCTL("pid", "kernel.domainname", "1"), "/linux/sysctl", "needs a uts namespace" },
	{ SYSCTL("pid", "user.max_user_namespaces", "1"), "/linux/sysctl", "needs a user namespace" },
	{ L("\"namespaces\":[{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}],\"sysctl\":{\"net.a\":\"1\"}"),
	  "/linux/sysctl", "would change the host: \"/proc/self/ns/net\" is its network namespace" },
	{ L("\"namespaces\":[{\"type\":\"ipc\",\"path\":\"/proc/self/ns/ipc\"}],\"sysctl\":{\"kernel.sem\":\"1\"}"),
	  "/linux/sysctl", "would change the host" },
	{ L("\"intelRdt\":{\"closID\":\"a/b\"}"), "/linux/intelRdt/closID", "not the name of a class: \"a/b\"" },
	{ L("\"intelRdt\":{\"memBwSchema\":\"L3:0=f\"}"), "/linux/intelRdt/memBwSchema", "begins with \"MB:\"" },
	{ L("\"intelRdt\":{\"schemata\":[\"L3:0=f\\nMB:0=10\"]}"), "/linux/intelRdt/schemata/0", "more than one line" },
	{ L("\"netDevices\":{\"eth0\":{\"name\":\"c0\"}}"), "/linux/netDevices", "needs a network namespace" },
	{ L(NS("network") ",\"netDevices\":{\"eth0\":{\"name\":\"c%d%d\"}}"), "/linux/netDevices/eth0/name",
	  "not a device's name: \"c%d%d\"" },
	{ L("\"timeOffsets\":{\"boottime\":{\"secs\":1}}"), "/linux/timeOffsets", "needs a time namespace" },
	{ L(NS("time") ",\"timeOffsets\":{\"tai\":{\"secs\":1}}"), "/linux/timeOffsets/tai", "only monotonic and boottime" },
	{ L("\"namespaces\":[{\"type\":\"time\",\"path\":\"/x\"}],\"timeOffsets\":{\"boottime\":{}}"), "/linux/timeOffsets", "not the one at \"/x\"" },
	{ L("\"personality\":{\"domain\":\"LINUX64\"}"), "/linux/personality/domain", "LINUX64" },
	{ L("\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"}"), "/linux/memoryPolicy/nodes", "\"0\": MPOL_LOCAL takes no nodes" },
	{ L("\"memoryPolicy\":{\"mode\":\"MPOL_WEIGHTED_INTERLEAVE\"}"), "/linux/memoryPolicy/nodes", "MPOL_WEIGHTED_INTERLEAVE needs nodes" },
	{ L("\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"1 2\"}"), "/linux/memoryPolicy/nodes", "\"1 2\" is not a list" },
	/* rules of other tables are reached */
	{ L("\"resources\":{\"memory\":{\"limit\":\"x\"}}"), "/linux/resources/memory/limit", "expected a number" },
	{ L("\"seccomp\":{\"defaultAction\":\"X\"}"), "/linux/seccomp/defaultAction", "unknown value \"X\"" },
	{ L("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}"), "/linux/seccomp/defaultAction", "SCMP_ACT_NOTIFY" },
};

TEST_F(spec, bad_values_name_pointer_and_value)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, parse(self, bad[i].json)) TH_LOG("%s", bad[i].json);
		EXPECT_STREQ(bad[i].where, self->e.where) TH_LOG("%s", bad[i].json);
		EXPECT_NE(NULL, strstr(self->e.msg, bad[i].text)) TH_LOG("%s -> %s", bad[i].json, self->e.msg);
		EXPECT_NE(ERR_NONE, self->e.kind);
	}
}

/* The near neighbours of what is refused. */
static const char *const good[] = {
	"{\"ociVersion\":\"1.0.2-dev\",\"root\":{\"path\":\"..\"}}",
	P(OK_P ",\"env\":[\"A==\",\"B=\"],\"user\":{\"uid\":4294967294}"),
	P(OK_P ",\"oomScoreAdj\":1000,\"scheduler\":null,\"consoleSize\":{\"height\":0,\"width\":0}"),
	M("{\"destination\":\"/proc\",\"type\":\"proc\"}"),
	M("{\"destination\":\"/proc\",\"source\":\"/proc\",\"options\":[\"rbind\"]}"),
	M("{\"destination\":\"/process\",\"type\":\"tmpfs\"}"),
	M("{\"destination\":\"/proc/sys/kernel/ns_last_pid\",\"source\":\"/x\",\"options\":[\"bind\"]}"),
	M("{\"destination\":\"/a\",\"options\":[\"remount\",\"ro\"]}"),
	D("\"hostname\":\"\",\"domainname\":\"\""),
	D("\"linux\":{" NS("uts") "},\"hostname\":\"0123456789012345678901234567890123456789012345678901234567890123\""),
	USER(MAP(0, 10, 10) "," MAP(10, 0, 10), MAP(5, 0, 1) "," MAP(0, 1, 5)),
	USER(MAP(0, 4294967290, 5), MAP(0, 0, 4294967295)),
	L("\"namespaces\":[{\"type\":\"user\",\"path\":\"/proc/1/ns/user\"}]"),
	L("\"namespaces\":[{\"type\":\"user\",\"path\":\"/x\"}],\"uidMappings\":[" MAP(0, 0, 1) "]"),
	L("\"cgroupsPath\":\"/a/...b/c..\""),
	L("\"cgroupsPath\":\"\",\"rootfsPropagation\":\"\",\"mountLabel\":\"\""),
	SYSCTL("network", "net.ipv4.conf.eth0/1.mtu", ""),
	SYSCTL("network", "net/ipv4/conf/eth0.1/mtu", "a b\\tc"),
	SYSCTL("ipc", "fs.mqueue.msg_max", "1"),
	SYSCTL("ipc", "kernel/shm_rmid_forced", "1"),
	SYSCTL("uts", "kernel.domainname", "1"),
	L("\"intelRdt\":{},\"memoryPolicy\":null,\"netDevices\":{},\"personality\":null,\"timeOffsets\":{}"),
	HOOK("\"path\":\"/a\",\"timeout\":1,\"args\":[]"),
};

TEST_F(spec, neighbours_of_bad_values_pass)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		EXPECT_EQ(0, parse(self, good[i])) TH_LOG("%s -> %s: %s", good[i], self->e.where, self->e.msg);
	}
}

TEST_F(spec, process_document_has_the_same_rules)
{
	static const struct { const char *json, *where, *text; } rows[] = {
		{ "{}", "/process/cwd", "required field missing" },
		{ "{\"cwd\":\"/\"}", "/process/args", "at least one element" },
		{ "{" OK_P ",\"env\":[\"x\"]}", "/process/env/0", "KEY=value" },
		{ "{" OK_P ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":3,\"hard\":2}]}", "/process/rlimits/0/soft", "3" },
		{ "[]", "/process", "expected an object, found an array" },
		{ "{" OK_P "", "process document", "not valid JSON at byte 23" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&self->e, 0, sizeof(self->e));
		EXPECT_EQ(-EINVAL, spec_process_parse(rows[i].json, strlen(rows[i].json), &self->a, &self->p,
						      NULL, &self->e));
		EXPECT_STREQ(rows[i].where, self->e.where);
		EXPECT_NE(NULL, strstr(self->e.msg, rows[i].text)) TH_LOG("%s", self->e.msg);
	}
	ASSERT_EQ(0, spec_process_parse("{" OK_P "}", strlen("{" OK_P "}"), &self->a, &self->p, NULL, &self->e));
	EXPECT_STREQ("a", self->p->args.v[0]);
}

TEST(sysctl_paths)
{
	static const struct { const char *key, *path; } rows[] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eth0/1.mtu", "net/ipv4/conf/eth0.1/mtu" },
		{ "net/ipv4/conf/eth0.1/mtu", "net/ipv4/conf/eth0.1/mtu" },
		{ "x", "x" },
		{ "a.//b", NULL }, { "a.//.b", NULL }, { "a/../b", NULL }, { "a/./b", NULL }, { ".a", NULL },
		{ "a.", NULL }, { "", NULL }, { "/a", NULL }, { "a//b", NULL }, { "a.b\x7f", NULL },
	};
	char out[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = spec_sysctl_path(rows[i].key, out, sizeof(out));

		/* "a.//b" is the name "..b", which is a plain name */
		if (!strcmp(rows[i].key, "a.//b")) {
			EXPECT_EQ(0, r);
			EXPECT_STREQ("a/..b", out);
			continue;
		}
		EXPECT_EQ(rows[i].path ? 0 : -EINVAL, r) TH_LOG("%s", rows[i].key);
		if (!r)
			EXPECT_STREQ(rows[i].path, out);
	}
	EXPECT_EQ(-ENAMETOOLONG, spec_sysctl_path("0123456789", out, 10));
	EXPECT_EQ(0, spec_sysctl_path("012345678", out, 10));
}

/* ---- keys of the specification ---- */

TEST(every_key_of_the_specification_has_a_row)
{
	static const struct { const struct object *o; const char *via, *keys; } rows[] = {
		{ &spec_object, NULL, "ociVersion process root hostname domainname mounts hooks annotations linux "
		  "windows solaris vm zos freebsd" },
		{ &spec_object, "process", "terminal consoleSize user args commandLine env cwd capabilities rlimits "
		  "noNewPrivileges oomScoreAdj apparmorProfile selinuxLabel scheduler ioPriority execCPUAffinity" },
		{ &spec_process_object, "user", "uid gid umask additionalGids username" },
		{ &spec_object, "mounts", "destination type source options uidMappings gidMappings" },
		{ &spec_object, "root", "path readonly" },
		{ &spec_object, "hooks", "prestart createRuntime createContainer startContainer poststart poststop" },
		{ &spec_hooks_object, "poststop", "path args env timeout" },
		{ &spec_object, "linux", "namespaces uidMappings gidMappings timeOffsets devices netDevices cgroupsPath "
		  "resources intelRdt memoryPolicy sysctl seccomp rootfsPropagation maskedPaths readonlyPaths mountLabel "
		  "personality" },
		{ &cg_limits_object, NULL, "devices memory cpu pids blockIO hugepageLimits network rdma unified" },
		{ &filter_spec_object, NULL, "defaultAction defaultErrnoRet architectures flags listenerPath "
		  "listenerMetadata syscalls" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct object *o = rows[i].o;
		char keys[512], *save = NULL;

		if (rows[i].via)
			o = field_find(o, rows[i].via, strlen(rows[i].via))->sub;
		snprintf(keys, sizeof(keys), "%s", rows[i].keys);
		for (char *k = strtok_r(keys, " ", &save); k; k = strtok_r(NULL, " ", &save)) {
			EXPECT_NE(NULL, field_find(o, k, strlen(k))) TH_LOG("%s has no %s", o->name, k);
		}
	}
}

static void check_rows(struct __test_metadata *_metadata, const struct object *o, int depth)
{
	ASSERT_LT(depth, 12);
	EXPECT_LE(o->n, 128);
	for (unsigned int i = 0; i < o->n; i++) {
		const struct field *f = &o->f[i];
		bool obj = f->type == FT_OBJ || f->type == FT_OBJP || f->type == FT_OBJV || f->type == FT_OBJMAP;

		if (!strncmp(o->name, "struct spec", 11)) {
			EXPECT_TRUE(f->doc && f->doc[0] && f->spec) TH_LOG("%s.%s", o->name, f->key);
		}
		EXPECT_LT(f->off, o->size);
		EXPECT_LT(f->present, o->size);
		for (unsigned int k = 0; k < i; k++) {
			EXPECT_NE(0, strcmp(o->f[k].key, f->key)) TH_LOG("%s.%s twice", o->name, f->key);
		}
		if (obj)
			check_rows(_metadata, f->sub, depth + 1);
		if (f->type == FT_ENUM || f->type == FT_ENUMV)
			EXPECT_NE(NULL, f->sub);
	}
}

TEST(tables_are_sound)
{
	check_rows(_metadata, &spec_object, 0);
}

/* ---- sizes ---- */

static double micros(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) * 1e6 + (double)(b->tv_nsec - a->tv_nsec) / 1e3;
}

TEST_F(spec, ten_thousand_mounts_and_a_long_environment)
{
	auto_buf b = BUF_INIT;
	struct timespec t0, t1;

	buf_adds(&b, "{" BASE ",\"linux\":{" NS("mount") "},\"process\":{" OK_P ",\"env\":[\"A=1\"");
	for (int i = 0; i < 100000; i++)
		buf_addf(&b, ",\"K%d=v\"", i);
	buf_adds(&b, "]},\"mounts\":[{\"destination\":\"/m\",\"type\":\"tmpfs\"}");
	for (int i = 0; i < 10000; i++)
		buf_addf(&b, ",{\"destination\":\"/m/%d\",\"type\":\"tmpfs\",\"options\":[\"ro\"]}", i);
	buf_adds(&b, "]}");
	clock_gettime(CLOCK_MONOTONIC, &t0);
	ASSERT_EQ(0, parse(self, b.data)) TH_LOG("%s", self->e.msg);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	EXPECT_EQ(10001, self->s->mounts.n);
	EXPECT_EQ(100001, self->s->process->env.n);
	EXPECT_LT(micros(&t0, &t1), 1e6);
}

TEST_F(spec, id_maps_end_at_340)
{
	for (unsigned int n = LIMIT_ID_MAPS; n <= LIMIT_ID_MAPS + 1; n++) {
		auto_buf b = BUF_INIT;

		buf_adds(&b, "{" BASE ",\"linux\":{" NS("user") ",\"gidMappings\":[" MAP(0, 0, 1) "],\"uidMappings\":[");
		for (unsigned int i = 0; i < n; i++)
			buf_addf(&b, "%s{\"containerID\":%u,\"hostID\":%u,\"size\":2}", i ? "," : "", i * 2, i * 3);
		buf_adds(&b, "]}}");
		EXPECT_EQ(n > LIMIT_ID_MAPS ? -EINVAL : 0, parse(self, b.data));
		if (n > LIMIT_ID_MAPS)
			EXPECT_NE(NULL, strstr(self->e.msg, "has 341 entries, the kernel takes 340"));
	}
}

TEST_F(spec, usual_document_takes_microseconds)
{
	char *json = cleat_spec_default(false);
	struct timespec t0, t1;
	double best = 1e9;

	for (int i = 0; i < 200; i++) {
		struct arena a = ARENA_INIT;

		clock_gettime(CLOCK_MONOTONIC, &t0);
		ASSERT_EQ(0, spec_parse(json, strlen(json), &a, &self->s, NULL, &self->e));
		clock_gettime(CLOCK_MONOTONIC, &t1);
		if (micros(&t0, &t1) < best)
			best = micros(&t0, &t1);
		arena_fini(&a);
	}
	TH_LOG("default document: %.1f us at best", best);
#ifndef __SANITIZE_ADDRESS__
	EXPECT_LT(best, 100);
#endif
	free(json);
}

TEST_F(spec, every_changed_byte_is_read_or_refused)
{
	static const char with[] = "\"\\{}[],:-9n/.=\xff";
	char doc[sizeof(full)];
	int read = 0, refused = 0;

	for (size_t i = 0; i < sizeof(full) - 1; i++) {
		for (size_t k = 0; k < sizeof(with) - 1; k++) {
			int r;

			memcpy(doc, full, sizeof(full));
			doc[i] = with[k];
			r = parse(self, doc);
			EXPECT_EQ(r != 0, self->e.msg[0] != 0);
			EXPECT_EQ(r != 0, self->e.kind != ERR_NONE);
			read += !r;
			refused += r != 0;
			arena_fini(&self->a);
		}
	}
	EXPECT_GT(read, 1000);
	EXPECT_GT(refused, 10000);
}

TEST_HARNESS_MAIN
