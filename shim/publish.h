/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLEAT_SHIM_PUBLISH_H
#define CLEAT_SHIM_PUBLISH_H
#include <stdbool.h>
#include <stddef.h>
#include "log.h"
#include "loop.h"
#include "ttrpc.h"

/*
 * Events to containerd: one strict queue, one connection that is made when
 * the first event is there. The head is sent again until containerd has taken
 * it, with growing pauses up to a second; nothing is dropped or reordered
 * while the server lives.
 */
struct event {
	struct event *next;
	size_t len;
	unsigned char payload[];	/* a packed ForwardRequest */
};

struct publisher {
	struct loop *loop;
	const struct log *log;
	const char *address, *ns;	/* borrowed; address NULL: nobody to tell */
	struct ttrpc_client client;
	bool connected;
	struct event *head, **tail;
	struct ttrpc_call call;		/* of the head */
	bool calling;
	struct loop_timer timer;	/* retry, or deadline of the call */
	unsigned int pause_ms;
	/** @drained: called when the queue became empty; may be NULL. */
	void (*drained)(struct publisher *p);
};

/** publish_init() - @address: TTRPC_ADDRESS, a path with or without unix://. */
void publish_init(struct publisher *p, struct loop *l, const struct log *log, const char *address,
		  const char *ns);
/**
 * publish_event() - Queue an event. @topic: "/tasks/exit"; @event: a generated message.
 * Return: 0, or when it was not queued (and said in the log) -EMSGSIZE or -ENOMEM.
 */
int publish_event(struct publisher *p, const char *topic, const void *event);
/** publish_packed() - Queue a packed ForwardRequest (copied). Return: 0 or -ENOMEM. */
int publish_packed(struct publisher *p, const void *payload, size_t len);
/** publish_idle() - Is everything delivered? */
static inline bool publish_idle(const struct publisher *p) { return !p->head; }
/** publish_fini() - Close; what is queued is lost. */
void publish_fini(struct publisher *p);
#endif
