/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_T_GEO_H
#define LRD_MEMORY_T_GEO_H

#include "memory/engine.h"
#include "memory/geohash.h"

/* Places: sorted sets whose scores are geohashes. */

lrd_handler lrd_t_geoadd, lrd_t_geodist, lrd_t_geohash, lrd_t_geopos, lrd_t_georadius,
    lrd_t_geosearch;

/* Longitude and latitude in arguments i and i + 1; a unit in metres.  0: replied. */
int lrd_argument_place(struct lrd_exec *, int i, struct lrd_place *);
int lrd_argument_unit(struct lrd_exec *, int i, double *metres);

/* Replies a distance as Redis prints it, with four digits behind the point; a pair of degrees. */
void lrd_reply_distance(struct lrd_exec *, double);
void lrd_reply_place(struct lrd_exec *, struct lrd_place);

#endif
