#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# What t-shim-ctr.sh does, under a containerd of the 2.x series.
export CONTAINERD=2
exec "${0%/*}/t-shim-ctr.sh"
