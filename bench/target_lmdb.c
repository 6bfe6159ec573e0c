/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB without syncing, on a memory file system where there is one: reads in one transaction
 * for a whole measurement, writes in transactions of 1000, which flatters it. */

enum { WRITES = 1000 };

struct lmdb {
  MDB_env *env;
  MDB_dbi dbi;
  char path[64];
};

static void lmdb_close(void *context)
{
  struct lmdb *lmdb = context;
  char name[80];

  mdb_env_close(lmdb->env);
  snprintf(name, sizeof name, "%s/data.mdb", lmdb->path);
  unlink(name);
  snprintf(name, sizeof name, "%s/lock.mdb", lmdb->path);
  unlink(name);
  rmdir(lmdb->path);
  free(lmdb);
}

static int prepare(struct lmdb *lmdb)
{
  unsigned flags = MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP;
  MDB_txn *txn;
  int e = mdb_env_set_mapsize(lmdb->env, (size_t)8 << 30);

  if (e == 0)
    e = mdb_env_open(lmdb->env, lmdb->path, flags, 0600);
  if (e == 0 && (e = mdb_txn_begin(lmdb->env, NULL, 0, &txn)) == 0) {
    e = mdb_dbi_open(txn, NULL, 0, &lmdb->dbi);
    if (e == 0)
      e = mdb_txn_commit(txn);
    else
      mdb_txn_abort(txn);
  }
  return e;
}

static void *lmdb_open(char *why, size_t why_size)
{
  struct lmdb *lmdb = calloc(1, sizeof *lmdb);
  struct stat st;
  int e;

  snprintf(why, why_size, "no directory for it");
  if (lmdb == NULL)
    return NULL;
  snprintf(lmdb->path, sizeof lmdb->path, "%s/larder-bench.XXXXXX",
           stat("/dev/shm", &st) == 0 ? "/dev/shm" : "/tmp");
  if (mkdtemp(lmdb->path) == NULL || mdb_env_create(&lmdb->env) != 0) {
    rmdir(lmdb->path);
    free(lmdb);
    return NULL;
  }
  e = prepare(lmdb);
  if (e != 0) {
    snprintf(why, why_size, "%s", mdb_strerror(e));
    lmdb_close(lmdb);
    return NULL;
  }
  return lmdb;
}

static int lmdb_get(struct lmdb *lmdb, const struct load *load, size_t from, size_t to)
{
  char copy[VALUE_LENGTH];
  MDB_txn *txn;
  size_t i;
  int failed = 0;

  if (mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn) != 0)
    return -1;
  for (i = from; i < to && !failed; i++) {
    MDB_val key = { KEY_LENGTH, (void *)(uintptr_t)load->step[i].key }, value;

    failed = mdb_get(txn, lmdb->dbi, &key, &value) != 0 || value.mv_size != VALUE_LENGTH;
    if (!failed)
      memcpy(copy, value.mv_data, VALUE_LENGTH);
    __asm__ volatile("" : : "r"(copy) : "memory"); /* the copy is really made */
  }
  mdb_txn_abort(txn);
  return failed ? -1 : 0;
}

static int lmdb_set(struct lmdb *lmdb, const struct load *load, size_t from, size_t to)
{
  MDB_txn *txn;
  size_t i = from, end;
  int failed = 0;

  while (i < to && !failed) {
    if (mdb_txn_begin(lmdb->env, NULL, 0, &txn) != 0)
      return -1;
    for (end = i + WRITES; i < end && i < to && !failed; i++) {
      MDB_val key = { KEY_LENGTH, (void *)(uintptr_t)load->step[i].key };
      MDB_val value = { VALUE_LENGTH, (void *)(uintptr_t)load->value };

      failed = mdb_put(txn, lmdb->dbi, &key, &value, 0) != 0;
    }
    if (failed)
      mdb_txn_abort(txn);
    else
      failed = mdb_txn_commit(txn) != 0;
  }
  return failed ? -1 : 0;
}

static int lmdb_run(void *context, enum op op, const struct load *load, size_t from, size_t to)
{
  return op == OP_GET ? lmdb_get(context, load, from, to) : lmdb_set(context, load, from, to);
}

const struct target target_lmdb = {
  .name = "lmdb",
  .can = OP_BIT(OP_GET) | OP_BIT(OP_SET) | OP_BIT(OP_NEW),
  .open = lmdb_open,
  .close = lmdb_close,
  .run = lmdb_run,
};
