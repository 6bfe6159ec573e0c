/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "util/histogram.h"
#include "util/seed.h"

/* What a histogram says, beside the same samples sorted. */

enum { SAMPLES = 100000 };

static const uint32_t asked[] = { 0, 1, 100000, 500000, 900000, 990000, 999000, 999900, 1000000 };
static struct lrd_histogram histogram;
static int64_t sample[SAMPLES];

static int by_size(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void record_all(size_t count)
{
  lrd_histogram_clear(&histogram);
  for (size_t i = 0; i < count; i++)
    lrd_histogram_record(&histogram, sample[i]);
  qsort(sample, count, sizeof *sample, by_size);
}

/* The nearest rank: the smallest sample that so many are not above. */
static int64_t nearest(size_t count, uint32_t millionths)
{
  size_t rank = (count * millionths + 999999) / 1000000;
  return sample[rank ? rank - 1 : 0];
}

static void compare(size_t count)
{
  record_all(count);
  ck_assert_uint_eq(lrd_histogram_count(&histogram), count);
  ck_assert_uint_eq(lrd_counted(&histogram.most), (uint64_t)sample[count - 1]);
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    int64_t right = nearest(count, asked[i]);
    int64_t said = (int64_t)lrd_histogram_quantile(&histogram, asked[i]);
    int64_t allowed = right >= 1000 ? right / 50 : 32;
    ck_assert_msg(llabs(said - right) <= allowed, "%u of a million of %zu: %lld, not %lld",
                  (unsigned)asked[i], count, (long long)said, (long long)right);
  }
}

/* From 1 ns to an hour, as often in each doubling. */
static void fill(struct lrd_prng *r, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int64_t low = (int64_t)1 << lrd_prng_below(r, 42);
    sample[i] = low + (int64_t)lrd_prng_below(r, (uint64_t)low);
    if (sample[i] > INT64_C(3600000000000))
      sample[i] = INT64_C(3600000000000);
  }
}

START_TEST(beside_sorted_samples)
{
  static const size_t counts[] = { 1, 2, 3, 99, 100, 101, 9999, SAMPLES };
  struct lrd_prng r;
  seed_prng(&r, "histogram");
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    fill(&r, counts[i]);
    compare(counts[i]);
  }
}
END_TEST

/* Durations as a server gives them: near each other, and some far away. */
START_TEST(a_narrow_one)
{
  struct lrd_prng r;
  seed_prng(&r, "histogram");
  for (size_t i = 0; i < SAMPLES; i++)
    sample[i] = 20000 + (int64_t)lrd_prng_below(&r, 4000);
  for (size_t i = 0; i < SAMPLES / 1000; i++)
    sample[i] = 5000000 + (int64_t)i;
  compare(SAMPLES);
}
END_TEST

/* Each edge of the exposed buckets: what is at it counts, what is 1 ns above doesn't. */
START_TEST(edges_are_exact)
{
  for (int power = LRD_HISTOGRAM_UNIT; power < LRD_HISTOGRAM_TOP; power++) {
    lrd_histogram_clear(&histogram);
    lrd_histogram_record(&histogram, (int64_t)1 << power);
    ck_assert_uint_eq(lrd_histogram_below(&histogram, power), 1);
    lrd_histogram_record(&histogram, ((int64_t)1 << power) + 1);
    ck_assert_uint_eq(lrd_histogram_below(&histogram, power), 1);
    ck_assert_uint_eq(lrd_histogram_below(&histogram, power + 1), 2);
  }
}
END_TEST

START_TEST(what_is_not_allowed_for)
{
  lrd_histogram_clear(&histogram);
  ck_assert_uint_eq(lrd_histogram_quantile(&histogram, 500000), 0);
  lrd_histogram_record(&histogram, -5);
  lrd_histogram_record(&histogram, 0);
  ck_assert_uint_eq(lrd_histogram_quantile(&histogram, 500000), 0);
  ck_assert_uint_eq(lrd_counted(&histogram.sum), 0);
  lrd_histogram_record(&histogram, INT64_MAX);
  ck_assert_uint_eq(lrd_histogram_count(&histogram), 3);
  ck_assert_uint_eq(lrd_histogram_quantile(&histogram, 1000000), (uint64_t)INT64_MAX);
}
END_TEST

START_TEST(adding)
{
  static struct lrd_histogram sum;
  struct lrd_prng r;
  seed_prng(&r, "histogram");
  fill(&r, 1000);
  record_all(1000);
  lrd_histogram_add(&sum, &histogram);
  lrd_histogram_add(&sum, &histogram);
  ck_assert_uint_eq(lrd_histogram_count(&sum), 2000);
  ck_assert_uint_eq(lrd_counted(&sum.sum), 2 * lrd_counted(&histogram.sum));
  ck_assert_uint_eq(lrd_counted(&sum.most), lrd_counted(&histogram.most));
  ck_assert_uint_eq(lrd_histogram_quantile(&sum, 990000),
                    lrd_histogram_quantile(&histogram, 990000));
}
END_TEST

/* One writes while others read: nothing is lost, and no count goes back. */
static atomic_int writing;
static int went_back;

static void *read_on(void *context)
{
  uint64_t before = 0;
  (void)context;
  while (atomic_load(&writing)) {
    uint64_t now = lrd_histogram_count(&histogram);
    if (now < before)
      return context;
    before = now;
  }
  return NULL;
}

START_TEST(read_while_written)
{
  pthread_t reader;
  void *failed;
  lrd_histogram_clear(&histogram);
  atomic_store(&writing, 1);
  ck_assert_int_eq(pthread_create(&reader, NULL, read_on, &went_back), 0);
  for (int64_t i = 0; i < 200000; i++)
    lrd_histogram_record(&histogram, i);
  atomic_store(&writing, 0);
  pthread_join(reader, &failed);
  ck_assert_ptr_null(failed);
  ck_assert_uint_eq(lrd_histogram_count(&histogram), 200000);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("histogram");
  TCase *t = tcase_create("histogram");

  tcase_add_test(t, beside_sorted_samples);
  tcase_add_test(t, a_narrow_one);
  tcase_add_test(t, edges_are_exact);
  tcase_add_test(t, what_is_not_allowed_for);
  tcase_add_test(t, adding);
  tcase_add_test(t, read_while_written);
  suite_add_tcase(s, t);
  return run_suite(s);
}
