#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# What t-docker.sh does, with Docker 26, which can run shims.
export DOCKER=26
exec "${0%/*}/t-docker.sh"
