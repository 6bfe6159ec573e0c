/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/geohash.h"

#include <math.h>

#define PI 3.14159265358979323846
#define RADIAN (PI / 180.0)
#define EARTH 6372797.560856       /* metres, radius */
#define MERCATOR 20037726.37       /* half of the equator in that projection */

/* --- bits -------------------------------------------------------------------------------- */

/* The bits of v, a zero in front of each. */
static uint64_t spread(uint32_t v)
{
  uint64_t x = v;

  x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
  x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
  x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
  x = (x | x << 2) & UINT64_C(0x3333333333333333);
  return (x | x << 1) & UINT64_C(0x5555555555555555);
}

static uint32_t gather(uint64_t x)
{
  x &= UINT64_C(0x5555555555555555);
  x = (x | x >> 1) & UINT64_C(0x3333333333333333);
  x = (x | x >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
  x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
  x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
  return (uint32_t)(x | x >> 16);
}

static uint64_t interleave(uint32_t longitude, uint32_t latitude)
{
  return spread(latitude) | spread(longitude) << 1;
}

/* --- cells ------------------------------------------------------------------------------- */

static uint32_t part_of(double value, double max, unsigned steps)
{
  double part = (value - -max) / (max - -max);

  return (uint32_t)(part * (double)(UINT64_C(1) << steps));
}

struct lrd_cell lrd_geo_cell(struct lrd_place p, unsigned steps, double latitude_max)
{
  return (struct lrd_cell){ interleave(part_of(p.longitude, LRD_GEO_LONGITUDE_MAX, steps),
                                       part_of(p.latitude, latitude_max, steps)),
                            steps };
}

uint64_t lrd_geo_score(struct lrd_cell cell)
{
  return cell.bits << (2 * (LRD_GEO_STEPS - cell.steps));
}

/* Where the n-th part begins. */
static double begin_of(uint32_t n, double more, double max, unsigned steps)
{
  return -max + ((double)n + more) / (double)(UINT64_C(1) << steps) * (max - -max);
}

struct area {
  struct lrd_place low, high;
};

static struct area area_of(struct lrd_cell cell)
{
  uint32_t longitude = gather(cell.bits >> 1), latitude = gather(cell.bits);
  struct area a;

  a.low.longitude = begin_of(longitude, 0, LRD_GEO_LONGITUDE_MAX, cell.steps);
  a.low.latitude = begin_of(latitude, 0, LRD_GEO_LATITUDE_MAX, cell.steps);
  a.high.longitude = begin_of(longitude, 1, LRD_GEO_LONGITUDE_MAX, cell.steps);
  a.high.latitude = begin_of(latitude, 1, LRD_GEO_LATITUDE_MAX, cell.steps);
  return a;
}

static double clamp(double value, double max)
{
  return value > max ? max : value < -max ? -max : value;
}

/* Scores that no place has are somebody else's; what is behind 64 bits counts as 0. */
static uint64_t bits_of(double score)
{
  if (score >= 18446744073709551616.0)
    return 0;
  if (score >= 9223372036854775808.0)
    return (uint64_t)score;
  if (score < -9223372036854775808.0)
    return UINT64_C(1) << 63;
  return (uint64_t)(int64_t)score;
}

struct lrd_place lrd_geo_place(double score)
{
  struct area a = area_of((struct lrd_cell){ bits_of(score), LRD_GEO_STEPS });

  return (struct lrd_place){ clamp((a.low.longitude + a.high.longitude) / 2,
                                   LRD_GEO_LONGITUDE_MAX),
                             clamp((a.low.latitude + a.high.latitude) / 2,
                                   LRD_GEO_LATITUDE_MAX) };
}

/* --- distances --------------------------------------------------------------------------- */

double lrd_geo_distance_of_latitudes(double a, double b)
{
  return EARTH * fabs(b * RADIAN - a * RADIAN);
}

/* Haversine. */
double lrd_geo_distance(struct lrd_place a, struct lrd_place b)
{
  double latitude_a = a.latitude * RADIAN, latitude_b = b.latitude * RADIAN;
  double u = sin((latitude_b - latitude_a) / 2);
  double v = sin((b.longitude * RADIAN - a.longitude * RADIAN) / 2);

  return 2.0 * EARTH * asin(sqrt(u * u + cos(latitude_a) * cos(latitude_b) * v * v));
}

int lrd_geo_is_in(const struct lrd_geo_shape *s, struct lrd_place p, double *distance)
{
  struct lrd_place beside = { s->middle.longitude, p.latitude };
  struct lrd_place above = { p.longitude, s->middle.latitude };

  if (s->is_box && (lrd_geo_distance(p, above) > s->height * s->unit / 2 ||
                    lrd_geo_distance(p, beside) > s->width * s->unit / 2))
    return 0;
  *distance = lrd_geo_distance(s->middle, p);
  return s->is_box || *distance <= s->radius * s->unit;
}

/* --- covering ---------------------------------------------------------------------------- */

/* The box around a shape in degrees. */
static struct area box_of(const struct lrd_geo_shape *s)
{
  double height = s->unit * (s->is_box ? s->height / 2 : s->radius);
  double width = s->unit * (s->is_box ? s->width / 2 : s->radius);
  double up = height / EARTH / RADIAN, latitude = s->middle.latitude;
  double widest = latitude < 0 ? latitude - up : latitude + up; /* nearer to its pole */
  double aside = width / EARTH / cos(widest * RADIAN) / RADIAN;

  return (struct area){ { s->middle.longitude - aside, latitude - up },
                        { s->middle.longitude + aside, latitude + up } };
}

/* As many steps as give cells that are not smaller than the radius. */
static unsigned steps_for(double radius, double latitude)
{
  int steps = 1;

  if (radius == 0)
    return LRD_GEO_STEPS;
  for (; radius < MERCATOR; radius *= 2)
    steps++;
  steps -= 2; /* so that the radius is covered even at the edge of a cell */
  if (fabs(latitude) > 66)
    steps--; /* cells grow narrow towards the poles */
  if (fabs(latitude) > 80)
    steps--;
  return steps < 1 ? 1 : steps > LRD_GEO_STEPS ? LRD_GEO_STEPS : (unsigned)steps;
}

/* Around the earth; the number of who stays where it is isn't touched: at the upper end it is
 * one too large. */
static uint32_t moved(uint32_t n, int by, unsigned steps)
{
  return by ? (n + (uint32_t)by) & (uint32_t)((UINT64_C(1) << steps) - 1) : n;
}

static struct lrd_cell beside(struct lrd_cell cell, int east, int north)
{
  return (struct lrd_cell){ interleave(moved(gather(cell.bits >> 1), east, cell.steps),
                                       moved(gather(cell.bits), north, cell.steps)),
                            cell.steps };
}

static const signed char directions[LRD_GEO_CELLS][2] = {
  { 0, 0 }, { 0, 1 }, { 0, -1 }, { 1, 0 }, { -1, 0 }, { 1, 1 }, { -1, 1 }, { 1, -1 }, { -1, -1 },
};

enum { NORTH = 1, SOUTH, EAST, WEST };

static void around(const struct lrd_geo_shape *s, unsigned steps, struct lrd_cell *cells)
{
  struct lrd_cell middle = lrd_geo_cell(s->middle, steps, LRD_GEO_LATITUDE_MAX);

  for (int i = 0; i < LRD_GEO_CELLS; i++)
    cells[i] = beside(middle, directions[i][0], directions[i][1]);
}

static int reach_too_short(const struct lrd_cell *cells, const struct area *box)
{
  return area_of(cells[NORTH]).high.latitude < box->high.latitude ||
         area_of(cells[SOUTH]).low.latitude > box->low.latitude ||
         area_of(cells[EAST]).high.longitude < box->high.longitude ||
         area_of(cells[WEST]).low.longitude > box->low.longitude;
}

/* Leaves out the cells on a side that the box does not reach. */
static void leave_out(struct lrd_cell *cells, int axis, int side)
{
  for (int i = 1; i < LRD_GEO_CELLS; i++)
    if (directions[i][axis] == side)
      cells[i] = (struct lrd_cell){ 0, 0 };
}

void lrd_geo_cover(const struct lrd_geo_shape *s, struct lrd_cell cells[LRD_GEO_CELLS])
{
  struct area box = box_of(s), middle;
  double radius = s->is_box ? sqrt(s->width / 2 * (s->width / 2) + s->height / 2 * (s->height / 2))
                            : s->radius;
  unsigned steps = steps_for(radius * s->unit, s->middle.latitude);

  around(s, steps, cells);
  if (steps > 1 && reach_too_short(cells, &box))
    around(s, --steps, cells);
  if (steps < 2)
    return;
  middle = area_of(cells[0]);
  if (middle.low.latitude < box.low.latitude)
    leave_out(cells, 1, -1);
  if (middle.high.latitude > box.high.latitude)
    leave_out(cells, 1, 1);
  if (middle.low.longitude < box.low.longitude)
    leave_out(cells, 0, -1);
  if (middle.high.longitude > box.high.longitude)
    leave_out(cells, 0, 1);
}
