/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_T_HLL_H
#define LRD_MEMORY_T_HLL_H

#include "memory/engine.h"

lrd_handler lrd_t_pfadd, lrd_t_pfcount, lrd_t_pfmerge;

#endif
