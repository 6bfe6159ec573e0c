# SPDX-License-Identifier: BSD-2-Clause
#
# Makes lookup.h, the perfect hash over the names in list.h:
#
#   awk -f lookup.awk list.h > lookup.h
#
# Searches multipliers under which no two names share a slot.  Deterministic.

BEGIN {
  letters = "abcdefghijklmnopqrstuvwxyz"
  n = 0
}

/^LRD_X\(/ {
  split($0, part, /[(," ]+/)
  if (part[3] ~ /\./) # internal
    next
  id[n] = part[2]
  len[n] = length(part[3])
  c0[n] = code(part[3], 0)
  c1[n] = code(part[3], 1)
  middle[n] = code(part[3], int(len[n] / 2))
  last[n] = code(part[3], len[n] - 1)
  n++
}

function code(name, i) { return index(letters, substr(name, i + 1, 1)) }

function random(below) {
  seed = (seed * 16807) % 2147483647
  return int(seed / 64) % below
}

function try(size,    i, h) {
  split("", slot)
  for (i = 0; i < n; i++) {
    h = (c0[i] * a + c1[i] * b + middle[i] * c + last[i] * d + len[i] * e) % size
    if (h in slot)
      return 0
    slot[h] = id[i]
  }
  return 1
}

END {
  seed = 1
  for (size = 128; size < 3 * n; size *= 2)
    ;
  for (tries = 1; ; tries++) {
    if (tries % 50000 == 0)
      size *= 2
    a = random(size); b = random(size); c = random(size); d = random(size); e = random(size)
    if (try(size))
      break
  }
  print "/* SPDX-License-Identifier: BSD-2-Clause */"
  print "/* Made by lookup.awk from list.h: do not edit. */\n"
  printf "enum { LOOKUP_MASK = %d };\n\n", size - 1
  print "/* s: at least one byte. */"
  print "static inline unsigned lookup_hash(const unsigned char *s, size_t len)\n{"
  printf "  return ((s[0] & 31u) * %du + (s[len > 1] & 31u) * %du + (s[len / 2] & 31u) * %du +\n", a, b, c
  printf "          (s[len - 1] & 31u) * %du + (unsigned)len * %du) & LOOKUP_MASK;\n}\n\n", d, e
  print "static const unsigned char lookup_slot[LOOKUP_MASK + 1] = {"
  for (i = 0; i < size; i++)
    if (i in slot)
      printf "  [%d] = LRD_%s,\n", i, slot[i]
  print "};"
}
