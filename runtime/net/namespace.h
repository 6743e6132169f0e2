/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_NET_NAMESPACE_H
#define CLEAT_NET_NAMESPACE_H
#include "err.h"
/** net_namespace() - Make a network namespace and be in it. It costs about as much as all other namespaces together. */
int net_namespace(struct err *e);
#endif
