/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_GEOHASH_H
#define LRD_MEMORY_GEOHASH_H

#include <stdint.h>

/*
 * Places on the earth as numbers (geohash; Niemeyer, 2008): longitude and latitude are halved
 * again and again, and the bits that say in which half a place lies are interleaved, that of the
 * longitude first.  Redis keeps the 52 bits of 26 steps as scores of a sorted set.
 *
 * Degrees and metres; the earth is a sphere of 6372797.560856 m.  Each result is computed in the
 * order of operations that gives Redis's own.
 */

#define LRD_GEO_LONGITUDE_MAX 180.0
#define LRD_GEO_LATITUDE_MAX 85.05112878

enum { LRD_GEO_STEPS = 26 };

struct lrd_place {
  double longitude, latitude;
};

/* A cell: the first step bits of each; steps 0: none. */
struct lrd_cell {
  uint64_t bits;
  unsigned steps;
};

/* The cell of a place within +-longitude_max and +-latitude_max. */
struct lrd_cell lrd_geo_cell(struct lrd_place, unsigned steps, double latitude_max);
/* As a score of a sorted set: where the cell begins, in 52 bits. */
uint64_t lrd_geo_score(struct lrd_cell);
/* The middle of the smallest cell that the score stands for. */
struct lrd_place lrd_geo_place(double score);

double lrd_geo_distance(struct lrd_place, struct lrd_place);
/* Of two parallels. */
double lrd_geo_distance_of_latitudes(double, double);

/* What is looked for: a circle, or a box that many metres wide and high. */
struct lrd_geo_shape {
  struct lrd_place middle;
  int is_box;
  double radius, width, height; /* in units */
  double unit;                  /* metres */
};

/* 1: the place is in the shape; how far from its middle. */
int lrd_geo_is_in(const struct lrd_geo_shape *, struct lrd_place, double *distance);

/* The cells that cover a shape: the middle, N, S, E, W, NE, NW, SE, SW; those that are not
 * needed have no steps. */
enum { LRD_GEO_CELLS = 9 };
void lrd_geo_cover(const struct lrd_geo_shape *, struct lrd_cell cells[LRD_GEO_CELLS]);

#endif
