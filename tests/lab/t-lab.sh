#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers on a pure cgroup v2 host: a Debian kernel under qemu (see run.sh).
# timeout: 1700
exec "${0%/*}/run.sh"
