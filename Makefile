# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cleat: one non-recursive Makefile. `make help` lists the targets.
#   O=DIR       build folder (default: build)
#   CC=clang    compiler
#   LIBC=musl   static, with the C library that starts fastest; what `make deps` prepares, and then the default
#   LIBC=glibc  with the compiler's own
#   STATIC=1    static binaries
#   SHARED=1    libraries of the host as shared objects, all of them
#   SAN=address,undefined
#   WERROR=1    warnings are errors (as in CI)
#   V=1         show the commands

O      ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC     ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
# A program of glibc spends 0.45 ms in 68 CPUID instructions, which trap in virtual machines, before main():
# musl is taken where its libraries have been made, unless something else is asked for.
MUSL_PLACE := $(abspath $(O))/musl
ifeq ($(origin LIBC)$(SAN)$(SHARED)$(STATIC)$(filter-out gcc,$(CC)),undefined)
LIBC := $(if $(wildcard $(MUSL_PLACE)/libs.mk),musl,glibc)
endif
HELPER_CC := $(CC)
ifeq ($(LIBC),musl)
MUSL := $(MUSL_PLACE)
HELPER_CC := gcc
CC := musl-gcc -idirafter $(MUSL)/include
STATIC ?= 1
endif
AR     ?= ar
PROTOC_C ?= protoc-c
PKG_CONFIG ?= pkg-config

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# ---- flags ---------------------------------------------------------------
WARN := -Wall -Wextra -Wformat=2 -Wshadow -Wvla -Wundef -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wpointer-arith -Wcast-qual -Wswitch-enum \
	-Wimplicit-fallthrough -Wframe-larger-than=8192 -Wno-unused-parameter \
	-Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
	-Werror=format -Werror=return-type
CC_IS_CLANG := $(shell $(CC) --version 2>/dev/null | grep -c clang)
ifeq ($(CC_IS_CLANG),0)
WARN += -Wlogical-op -Wduplicated-cond -Wno-format-truncation
endif
ifeq ($(WERROR),1)
WARN += -Werror
endif
OPT  ?= -O2 -g
HARDEN := -fstack-protector-strong -fstack-clash-protection
ifeq ($(shell uname -m),x86_64)
HARDEN += -fcf-protection
endif
ifeq ($(SAN),)
# No exception goes through C: tables for unwinding are for debuggers, who have .debug_frame, and not to be loaded.
HARDEN += -fno-asynchronous-unwind-tables -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else
WARN += -Wno-frame-larger-than
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif
STD  := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
BASE_CFLAGS := $(STD) $(OPT) $(HARDEN) $(SANFLAGS) -ffunction-sections -fdata-sections \
	-ffile-prefix-map=$(CURDIR)=. -fno-common
BASE_LDFLAGS := -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed $(SANFLAGS)
ifeq ($(STATIC),1)
BASE_CFLAGS += -fno-pie
BASE_LDFLAGS += -static -no-pie
else
BASE_CFLAGS += -fPIE
BASE_LDFLAGS += -pie
endif

# ---- archives: each sees only the headers it may use (Documentation/architecture.rst) ----
CLEAT_DIRS := runtime runtime/json runtime/spec runtime/rootfs runtime/proc runtime/net \
	runtime/steps runtime/ops runtime/probe runtime/include
SHIM_DIRS := shim

INC_base    := -Iruntime/base
INC_cgroup  := $(INC_base) -Icgroup
INC_filter  := $(INC_base) -Iseccomp
INC_nsenter := $(INC_base) -Insenter
INC_cleat   := $(INC_base) -Icgroup -Iseccomp -Insenter $(CLEAT_DIRS:%=-I%)
INC_helper  := $(INC_cleat)
INC_rpc     := $(INC_base) -Ishim/rpc -I$(O)/gen
INC_client  := $(INC_rpc) -Ishim/client
INC_shim    := $(INC_base) -Icgroup -Iruntime/include -Ishim -Ishim/rpc -I$(O)/gen
INC_cli     := $(INC_base) -Icgroup -Iruntime/include -Iruntime/cli

SRC_base    := $(wildcard runtime/base/*.c)
SRC_cgroup  := $(wildcard cgroup/*.c)
SRC_systemd := $(wildcard cgroup/systemd/*.c)
SRC_netdev  := $(wildcard runtime/net/helper/*.c) runtime/net/devices.c runtime/net/netlink.c
SRC_filter  := $(wildcard seccomp/*.c)
SRC_nsenter := $(wildcard nsenter/*.c)
SRC_cleat    = $(filter-out $(NET_OUT),$(foreach d,$(CLEAT_DIRS),$(wildcard $(d)/*.c)))
SRC_rpc     := $(wildcard shim/rpc/*.c)
SRC_client  := $(wildcard shim/client/*.c)
SRC_shim    := $(wildcard shim/*.c)
SRC_cli     := $(wildcard runtime/cli/*.c)
ARCHIVES := base cgroup filter nsenter cleat rpc client

# A changed filter compiler must not find programs of the old one in a host's cache.
FILTER_STAMP := $(shell cat $(sort $(wildcard seccomp/*.[ch])) | cksum | tr ' ' -)
$(O)/seccomp/cache.o: CFLAGS_FILE := -DFILTER_STAMP='"$(FILTER_STAMP)"'
$(O)/seccomp/cache.o: $(wildcard seccomp/*.[ch])

# ---- libraries -------------------------------------------------------------
# Archives where the host has them, and shared objects for the rest: each shared object costs every
# start of a program 0.1 ms and a server 20 KiB. SHARED=1 links all of them shared.
lib = $(or $(if $(SHARED),,$(filter /%,$(shell $(CC) -print-file-name=lib$(or $(2),$(1)).a))),-l$(1))
ifeq ($(LIBC),musl)
ifneq ($(STATIC),1)
$(error LIBC=musl is for static binaries: make STATIC=1 LIBC=musl)
endif
lib = $(MUSL)/lib/lib$(or $(2),$(1)).a
# Made by make before it reads the rest once more.
ifneq ($(filter-out clean deps,$(or $(MAKECMDGOALS),all)),)
include $(MUSL)/libs.mk
endif
$(MUSL)/libs.mk: runtime/build/musl-libs.sh
	$(Q)runtime/build/musl-libs.sh $(MUSL)
endif
LIBS_cleat := $(call lib,yajl,yajl_s) $(call lib,cap) -lmnl $(call lib,seccomp) $(call lib,md)
LIBS_rpc    := $(call lib,protobuf-c)
# Debian has no libmnl.a: a static build without one brings the loopback device up by ioctl, and a helper moves devices.
NET_OUT := runtime/net/loopback_ioctl.c runtime/net/devices_helper.c
ifeq ($(STATIC),1)
LIBMNL_A ?= $(filter /%,$(shell $(CC) -print-file-name=libmnl.a))
LIBS_cleat := $(call lib,yajl,yajl_s) $(call lib,cap) $(LIBMNL_A) $(call lib,seccomp) $(call lib,md)
ifeq ($(LIBMNL_A),)
NET_OUT := runtime/net/loopback.c runtime/net/devices.c runtime/net/netlink.c
endif
endif

LIBS_cleat_a := $(O)/libcleat.a $(O)/libcgroup.a $(O)/libfilter.a $(O)/libnsenter.a $(O)/libbase.a

objs = $(patsubst %.c,$(O)/%.o,$(1))

# Programs for what needs a shared library; always of the compiler's own libc. Without libsystemd-dev the systemd
# cgroup driver is refused; cleat-netdev is there where cleat itself has no libmnl.
HASH := \#
has = $(shell echo '$(HASH)include <$(1)>' | $(HELPER_CC) -E -x c - >/dev/null 2>&1 && echo y)
HELPERS := $(if $(call has,systemd/sd-bus.h),$(O)/cleat-systemd)
ifneq ($(filter runtime/net/devices.c,$(NET_OUT)),)
HELPERS += $(if $(call has,libmnl/libmnl.h),$(O)/cleat-netdev)
endif
$(O)/runtime/base/helper.o: CFLAGS_FILE := -DLIBEXECDIR='"$(PREFIX)/libexec/cleat"'

.PHONY: all
all: $(O)/cleat $(O)/containerd-shim-cleat-v2 docs
all: $(HELPERS)

define archive_rules
OBJ_$(1) := $$(call objs,$$(SRC_$(1)))
$$(OBJ_$(1)): INC := $$(INC_$(1))
$$(O)/lib$(1).a: $$(OBJ_$(1)) $$(EXTRA_$(1))
	$$(say) AR $$@
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef

# ---- protobuf messages, generated from our own .proto files -----------------
PROTO := $(wildcard shim/proto/*.proto)
GEN_C := $(PROTO:shim/proto/%.proto=$(O)/gen/%.pb-c.c)
GEN_H := $(GEN_C:.c=.h)
GEN_O := $(GEN_C:.c=.o)
EXTRA_rpc := $(GEN_O)
$(O)/gen/%.pb-c.c $(O)/gen/%.pb-c.h: shim/proto/%.proto
	@mkdir -p $(O)/gen
	$(say) PROTOC $<
	$(Q)$(PROTOC_C) --c_out=$(O)/gen -Ishim/proto $<
$(GEN_O): %.o: %.c $(O)/flags | $(GEN_H)
	$(say) CC $@
	$(Q)$(CC) $(BASE_CFLAGS) -w -I$(O)/gen -c $< -o $@

$(foreach a,$(ARCHIVES),$(eval $(call archive_rules,$(a))))
OBJ_shim := $(call objs,$(SRC_shim))
OBJ_cli  := $(call objs,$(SRC_cli))
$(OBJ_shim): INC := $(INC_shim)
$(OBJ_cli): INC := $(INC_cli)
$(OBJ_rpc) $(OBJ_client) $(OBJ_shim): | $(GEN_H)

# Objects of other flags, or for another libc, do not go together; one holds the place of the helpers.
FLAGS_NOW := $(CC) $(BASE_CFLAGS) $(CFLAGS)
define stamp_rule
ifneq ($$(shell cat $(O)/$(1) 2>/dev/null),$$($(2)))
$$(shell mkdir -p $(O) && echo '$$($(2))' >$(O)/$(1))
endif
$(O)/$(1): ;
endef
ifneq ($(filter-out clean deps musl-libs,$(or $(MAKECMDGOALS),all)),)
$(eval $(call stamp_rule,flags,FLAGS_NOW))
$(eval $(call stamp_rule,prefix,PREFIX))
endif
$(O)/runtime/base/helper.o: $(O)/prefix

$(O)/%.o: %.c $(O)/flags | deps-present
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(BASE_CFLAGS) $(WARN) $(INC) $(CFLAGS_FILE) $(CFLAGS) -MMD -MP -c $< -o $@

$(O)/cleat: $(OBJ_cli) $(LIBS_cleat_a)
	$(say) LD $@
	$(Q)$(CC) $(BASE_CFLAGS) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_cleat)

$(O)/containerd-shim-cleat-v2: $(OBJ_shim) $(O)/librpc.a $(LIBS_cleat_a)
	$(say) LD $@
	$(Q)$(CC) $(BASE_CFLAGS) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_rpc) $(LIBS_cleat)

# ---- completion and manual pages, from the programs' own option tables ---------
# The commands are read from the table with the rest: MAN is known when the generator is built.
SRC_docs := $(wildcard Documentation/gen/*.c)
OBJ_docs := $(call objs,$(SRC_docs))
$(OBJ_docs): INC := $(INC_cli) -Ishim -IDocumentation/gen
$(O)/docs/generate: $(OBJ_docs) $(filter-out $(O)/runtime/cli/main.o,$(OBJ_cli)) $(O)/shim/args.o $(LIBS_cleat_a)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(BASE_CFLAGS) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_cleat)

.PHONY: docs
docs: $(O)/docs/done
$(O)/docs/done: $(O)/docs/generate
	$(say) DOCS $(@D)
	$(Q)rm -rf $(@D)/man8 && mkdir -p $(@D)/man8
	$(Q)$< bash >$(@D)/cleat.bash && $< zsh >$(@D)/_cleat
	$(Q)set -e; for page in cleat containerd-shim-cleat-v2 $$($< commands | sed 's/^/cleat-/'); do \
		$< man $$page >$(@D)/man8/$$page.8; done
	$(Q)touch $@

# ---- helper programs: never static, with objects of their own ------------------
HELPER_CFLAGS = $(filter-out -fno-pie,$(BASE_CFLAGS)) -fPIE
$(O)/helpers/%.o: %.c $(O)/flags | deps-present
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(HELPER_CC) $(HELPER_CFLAGS) $(WARN) $(INC_helper) $(CFLAGS) -MMD -MP -c $< -o $@
$(O)/cleat-systemd: $(SRC_systemd:%.c=$(O)/helpers/%.o)
$(O)/cleat-systemd: LIBS := -lsystemd
$(O)/cleat-netdev: $(SRC_netdev:%.c=$(O)/helpers/%.o)
$(O)/cleat-netdev: LIBS := -lmnl
$(O)/cleat-systemd $(O)/cleat-netdev: $(SRC_base:%.c=$(O)/helpers/%.o)
	$(say) LD $@
	$(Q)$(HELPER_CC) $(HELPER_CFLAGS) $(filter-out -static -no-pie,$(BASE_LDFLAGS)) -pie $(LDFLAGS) -o $@ $^ $(LIBS)

# ---- dependencies ------------------------------------------------------------
BUILD_PACKAGES := gcc libc6-dev make pkg-config libseccomp-dev libcap-dev libyajl-dev libmnl-dev \
	libprotobuf-c-dev protobuf-c-compiler libmd-dev libsystemd-dev musl-tools dpkg-dev gperf

.PHONY: deps-present deps
deps-present:
	@missing=; for h in seccomp.h sys/capability.h yajl/yajl_parse.h $(if $(filter runtime/net/loopback.c,$(NET_OUT)),,libmnl/libmnl.h) \
		protobuf-c/protobuf-c.h sha256.h; do \
		echo "#include <$$h>" | $(CC) -E -x c - >/dev/null 2>&1 || missing="$$missing $$h"; done; \
	command -v $(PROTOC_C) >/dev/null 2>&1 || missing="$$missing $(PROTOC_C)"; \
	if [ -n "$$missing" ]; then \
		echo "cleat: missing for the build:$$missing; on Debian: apt-get install $(BUILD_PACKAGES)" >&2; \
		exit 1; fi

deps:
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(BUILD_PACKAGES)
	$(Q)$(MAKE) --no-print-directory musl-libs

# The libraries for musl, from Debian's sources; where these cannot be had the build goes on with glibc.
# Made by root with sudo, they are for the user's own make.
.PHONY: musl-libs
musl-libs:
	$(Q)[ -e $(MUSL_PLACE)/libs.mk ] || runtime/build/musl-libs.sh $(MUSL_PLACE) || \
		echo "cleat: no libraries for musl: built with $(HELPER_CC)'s own libc" >&2
	$(Q)[ -z "$$SUDO_UID" ] || [ ! -d $(MUSL_PLACE) ] || { chown "$$SUDO_UID:$$SUDO_GID" $(O) && \
		chown -R "$$SUDO_UID:$$SUDO_GID" $(MUSL_PLACE); }

# ---- install, clean ------------------------------------------------------------
.PHONY: install clean
install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(O)/cleat $(O)/containerd-shim-cleat-v2 $(DESTDIR)$(PREFIX)/bin/
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0644 $(O)/docs/man8/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 0644 $(O)/docs/cleat.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cleat
	install -d $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 0644 $(O)/docs/_cleat $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cleat
ifneq ($(strip $(HELPERS)),)
	install -d $(DESTDIR)$(PREFIX)/libexec/cleat
	install -m 0755 $(HELPERS) $(DESTDIR)$(PREFIX)/libexec/cleat/
endif

clean:
	rm -rf $(O)

-include tests/tests.mk
-include $(shell find $(O)/ -name '*.d' 2>/dev/null)
