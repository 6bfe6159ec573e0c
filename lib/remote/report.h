/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_REPORT_H
#define LRD_REMOTE_REPORT_H

#include "remote/wire.h"

/* What an ended ticket means, vector by vector. */

/* Of the i-th reply; unsent: what a vector is that did not leave us. */
larder_verdict lrd_ticket_verdict(const struct lrd_ticket *, size_t i, larder_outcome unsent);

/* Writes all replies to a sink, an end() each. */
void lrd_ticket_report(const struct lrd_ticket *, larder_outcome unsent, larder_sink *);

/* Ends all replies of a call alike. */
void lrd_call_refuse(const larder_call *, larder_sink *, larder_outcome, larder_cause,
                     const char *text);

#endif
