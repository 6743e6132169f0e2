# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests, part of the one Makefile. See Documentation/testing.rst.
#   make check-unit              unit tests only, no root needed
#   make check                   everything that CI runs (root; installs what it needs)
#   make check SUITES="podman"   only suites whose name has one of these words in it
#   make check-long              the same tests with large counts
#   make check-kernels           containers on Debian's kernels under qemu, as one table
#   make check-kernels KERNEL=bzImage [MODULES=DIR] [VARIANTS=...] [SUITES=...] [APPEND=...] [NEED=...]
#   make demo                    real containers on this machine, to look at
#   make bench                   every figure, into Documentation/benchmarks (a quarter of an hour)
#   make bench-quick             the same with small counts, into the build folder (minutes)

# ---- what the tests need beside what the build needs -----------------------
RUN_PACKAGES := busybox-static jq containerd runc crun podman buildah docker.io conmon procps \
	util-linux bsdutils iproute2 uidmap strace gnuplot-nox e2fsprogs mandoc groff-base zsh dbus-daemon dbus-bin dbus-session-bus-common
RUN_PACKAGES += erofs-utils valgrind python3-grpcio python3-protobuf python3-yaml
LAB_PACKAGES := $(shell cat tests/lab/packages 2>/dev/null)
BUILD_TEST_PACKAGES := linux-source-6.1 xz-utils shellcheck

.PHONY: test-deps demo-deps
test-deps:
	$(Q)tests/harness/deps.sh $(BUILD_PACKAGES) $(BUILD_TEST_PACKAGES) $(RUN_PACKAGES) $(LAB_PACKAGES)
demo-deps:
	$(Q)tests/harness/deps.sh $(BUILD_PACKAGES) busybox-static jq containerd runc util-linux bsdutils procps

# ---- kselftest harness: two headers of Debian's kernel source ------------------
# Taken out of the 139 MB archive once per version of it and kept outside the build folder.
HARNESS_TAR := /usr/src/linux-source-6.1.tar.xz
HARNESS_H := $(O)/harness/kselftest_harness.h
$(HARNESS_H):
	$(say) HARNESS $@
	$(Q)tests/harness/kselftest.sh $(HARNESS_TAR) $(@D)

# ---- unit tests: tests/unit/test_X.c -> $(O)/tests/unit/test_X -------------------
TEST_CFLAGS := $(STD) -O1 -g $(SANFLAGS) -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-unused-result -Wno-format-truncation \
	-Wno-stringop-overflow -Wno-alloc-size-larger-than $(if $(filter-out 0,$(CC_IS_CLANG)),-Wno-unknown-warning-option) -Werror=implicit-function-declaration \
	-Werror=incompatible-pointer-types -DCLEAT_TEST -DTEST_SRCDIR='"$(CURDIR)"' \
	-fdata-sections -ffunction-sections
TEST_INC := -I$(O)/harness -Itests/unit -Iruntime/base -Icgroup -Iseccomp -Insenter \
	$(CLEAT_DIRS:%=-I%) -Iruntime/cli -Ishim -Ishim/rpc -Ishim/client -I$(O)/gen
TEST_LDFLAGS := -Wl,--gc-sections -Wl,--as-needed $(SANFLAGS)
TEST_LIBS := $(if $(MUSL),-static $(LIBS_cleat) $(LIBS_rpc),-lyajl -lcap -lmnl -lseccomp -lmd -lprotobuf-c) -lpthread

# The front ends are programs; for their tests the objects are an archive too (main stays behind).
$(O)/tests/libshim.a: $(OBJ_shim)
$(O)/tests/libcli.a: $(OBJ_cli)
$(O)/tests/libshim.a $(O)/tests/libcli.a:
	@mkdir -p $(@D)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# A test links the archives whose headers it includes and what those stand on.
heads_base    := $(notdir $(wildcard runtime/base/*.h))
heads_cgroup  := $(notdir $(wildcard cgroup/*.h))
heads_filter  := $(notdir $(wildcard seccomp/*.h))
heads_nsenter := $(notdir $(wildcard nsenter/*.h))
heads_cleat   := $(notdir $(foreach d,$(CLEAT_DIRS),$(wildcard $(d)/*.h)))
heads_rpc     := $(notdir $(wildcard shim/rpc/*.h)) $(notdir $(GEN_H))
heads_client  := $(notdir $(wildcard shim/client/*.h))
heads_shim    := $(notdir $(wildcard shim/*.h))
heads_cli     := $(notdir $(wildcard runtime/cli/*.h))
below_cgroup  := cgroup
below_filter  := filter
below_nsenter := nsenter
below_cleat   := cleat cgroup filter nsenter
below_rpc     := rpc
below_client  := client rpc
below_shim    := shim rpc cleat cgroup filter nsenter
below_cli     := cli cleat cgroup filter nsenter
archive_cgroup := $(O)/libcgroup.a
archive_filter := $(O)/libfilter.a
archive_nsenter := $(O)/libnsenter.a
archive_cleat := $(O)/libcleat.a
archive_rpc   := $(O)/librpc.a
archive_client := $(O)/libclient.a
archive_shim  := $(O)/tests/libshim.a
archive_cli   := $(O)/tests/libcli.a

quoted = $(notdir $(shell sed -n 's/^\#include "\([^"]*\)".*/\1/p' $(1)))
includes = $(call quoted,$(1) $(wildcard $(addprefix tests/unit/,$(call quoted,$(1)))))
layers = $(foreach l,cgroup filter nsenter cleat rpc client shim cli,\
	$(if $(filter $(heads_$(l)),$(call includes,$(1))),$(below_$(l))))
archives = $(foreach l,shim cli cleat cgroup filter nsenter client rpc,\
	$(if $(filter $(l),$(call layers,$(1))),$(archive_$(l)))) $(O)/libbase.a

UNIT_C := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(UNIT_C:%.c=$(O)/%)

define unit_rule
$(O)/tests/unit/$(1): tests/unit/$(1).c $$(call archives,tests/unit/$(1).c) | $$(HARNESS_H) $$(GEN_H)
	@mkdir -p $$(@D)
	$$(say) TEST $$@
	$$(Q)$$(CC) $$(TEST_CFLAGS) $$(TEST_INC) $$(TEST_LDFLAGS) -MMD -MP -MF $$@.d -o $$@ $$< \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(TEST_LIBS)
endef
ifneq ($(filter %/cleat-netdev,$(HELPERS)),)
UNIT_OF_HELPERS := test_net
endif
$(foreach t,$(filter-out $(UNIT_OF_HELPERS),$(notdir $(UNIT_C:.c=))),$(eval $(call unit_rule,$(t))))
# What only a helper program links here is tested as it has it.
$(addprefix $(O)/tests/unit/,$(UNIT_OF_HELPERS)): $(O)/tests/unit/%: tests/unit/%.c $(O)/helpers/runtime/net/loopback.o \
		$(SRC_netdev:%.c=$(O)/helpers/%.o) $(SRC_base:%.c=$(O)/helpers/%.o) | $(HARNESS_H)
	@mkdir -p $(@D)
	$(say) TEST $@
	$(Q)$(HELPER_CC) $(TEST_CFLAGS) $(TEST_INC) $(TEST_LDFLAGS) -o $@ $< $(filter-out %/main.o,$(filter %.o,$^)) -lmnl

# ---- helpers of the integration tests: tests/integ/X.c -> $(O)/tests/integ/X ----------
# Static, for most of them run inside containers. Those that speak ttrpc link the client.
INTEG_C := $(wildcard tests/integ/*.c)
INTEG_BIN := $(INTEG_C:%.c=$(O)/%)
ifeq ($(SAN),)
INTEG_STATIC := -static
endif
define integ_rule
$(O)/tests/integ/$(1): tests/integ/$(1).c $$(if $$(strip $$(call layers,tests/integ/$(1).c)),$$(call archives,tests/integ/$(1).c)) | $$(GEN_H)
	@mkdir -p $$(@D)
	$$(say) TEST $$@
	$$(Q)$$(CC) $$(TEST_CFLAGS) $$(TEST_INC) $$(TEST_LDFLAGS) $$(INTEG_STATIC) -MMD -MP -MF $$@.d -o $$@ $$< \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
		$$(if $$(filter %.a,$$^),$$(if $$(INTEG_STATIC),$$(subst -lyajl,-lyajl_s,$$(filter-out -lmnl,$$(TEST_LIBS))),$$(TEST_LIBS)))
endef
$(foreach t,$(notdir $(INTEG_C:.c=)),$(eval $(call integ_rule,$(t))))

# ---- a systemd for hosts that have none (needs libsystemd, as our helper program does) -----
FAKE_SYSTEMD := $(if $(filter %/cleat-systemd,$(HELPERS)),$(O)/tests/systemd/fake-systemd)
$(O)/tests/systemd/fake-systemd: tests/systemd/fake-systemd.c
	@mkdir -p $(@D)
	$(say) TEST $@
	$(Q)$(HELPER_CC) $(TEST_CFLAGS) $(TEST_LDFLAGS) -o $@ $< -lsystemd

# ---- programs of the benches: tests/bench/X.c -> $(O)/tests/bench/X -------------------------
# Built as cleat is (optimized; static with STATIC=1), for they are measured or measure.
BENCH_LIB_C := tests/bench/bench.c tests/bench/peer.c tests/bench/peer_events.c
BENCH_C := $(filter-out $(BENCH_LIB_C),$(wildcard tests/bench/*.c))
BENCH_BIN := $(BENCH_C:%.c=$(O)/%)
BENCH_CFLAGS := $(BASE_CFLAGS) -Wall -Wextra -Wno-unused-parameter $(if $(filter 0,$(CC_IS_CLANG)),-Wno-format-truncation) -Itests/bench \
	$(INC_client) -pthread
$(O)/tests/bench/%.o: tests/bench/%.c | $(GEN_H)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(BENCH_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
$(O)/tests/libbench.a: $(call objs,$(BENCH_LIB_C))
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BENCH_BIN): $(O)/tests/bench/%: $(O)/tests/bench/%.o $(O)/tests/libbench.a $(O)/libclient.a $(O)/librpc.a $(O)/libbase.a
	$(say) LD $@
	$(Q)$(CC) $(BASE_CFLAGS) $(BASE_LDFLAGS) -o $@ $^ $(LIBS_rpc) -lpthread

# ---- running them -----------------------------------------------------------------------
RUN_TAP := O=$(abspath $(O)) CC="$(HELPER_CC)" tests/harness/run-tap
INTEG_SH := $(sort $(wildcard tests/integ/t-*.sh))
FAULT_SH := $(sort $(wildcard tests/fault/t-*.sh))
CHECK_SH := $(sort $(wildcard tests/check/t-*.sh))
LAB_SH   := $(sort $(wildcard tests/lab/t-*.sh))

.PHONY: tests check-unit check check-run check-long check-static demo bench bench-quick
tests: $(UNIT_BIN) $(INTEG_BIN) $(FAKE_SYSTEMD) $(O)/tests/bench/floor

check-unit: $(UNIT_BIN)
	$(Q)$(RUN_TAP) -n "$(SUITES)" $(UNIT_BIN)

check-static: $(INTEG_BIN)
	$(Q)$(RUN_TAP) -n "$(SUITES)" $(CHECK_SH)

# On all processors, unless make was told how many.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# Packages first, then a second make: what is found by the shell calls above may have come with them.
check:
	$(Q)$(MAKE) --no-print-directory test-deps
	$(Q)$(MAKE) --no-print-directory musl-libs
	$(Q)$(MAKE) --no-print-directory $(JOBS) all tests
	$(Q)$(MAKE) --no-print-directory check-run

# The fault suites run a command line that fails on demand.
.PHONY: fault-build
fault-build:
	$(Q)$(MAKE) --no-print-directory $(JOBS) O=$(O)/fault CFLAGS=-DCLEAT_FAULTS $(O)/fault/cleat

# What the distribution does not have or has too old, in folders of their own; without a network the suites skip.
.PHONY: private
private:
	$(Q)tests/harness/private.sh $(O)/private containerd-1.7 containerd-2 docker-26 fuse-overlayfs

check-run: all tests private $(if $(FAULT_SH),fault-build)
	$(Q)$(RUN_TAP) -n "$(SUITES)" $(UNIT_BIN) $(CHECK_SH) $(INTEG_SH) $(FAULT_SH) $(LAB_SH)

check-long:
	$(Q)LONG=1 $(MAKE) --no-print-directory check

# Exit status of its own (0, 1, 125) is in its last line: make's is 2 for any failure.
# A bisect calls tests/lab/kernels.sh itself, see Documentation/kernels.rst.
.PHONY: check-kernels
check-kernels:
	$(Q)$(MAKE) --no-print-directory test-deps
	$(Q)$(MAKE) --no-print-directory musl-libs
	$(Q)$(MAKE) --no-print-directory $(JOBS) all tests
	$(Q)O=$(abspath $(O)) tests/lab/kernels.sh $(if $(KERNEL),-k "$(KERNEL)" -a "$(APPEND)" -n "$(NEED)") \
		$(if $(MODULES),-M "$(MODULES)") $(if $(VARIANTS),-v "$(VARIANTS)") $(if $(SUITES),-s "$(SUITES)")

demo:
	$(Q)$(MAKE) --no-print-directory demo-deps
	$(Q)$(MAKE) --no-print-directory musl-libs
	$(Q)$(MAKE) --no-print-directory $(JOBS) all $(O)/tests/integ/warden
	$(Q)O=$(abspath $(O)) tests/harness/demo.sh

# Small counts; "bench" takes a quarter of an hour and wants a machine that does nothing else.
BENCH_OUT ?= Documentation/benchmarks
bench-quick: all $(BENCH_BIN)
	$(Q)O=$(abspath $(O)) tests/bench/run.sh quick $(abspath $(O))/bench
bench: all $(BENCH_BIN)
	$(Q)O=$(abspath $(O)) tests/bench/run.sh full $(abspath $(BENCH_OUT))
