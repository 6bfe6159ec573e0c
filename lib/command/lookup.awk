# SPDX-License-Identifier: BSD-2-Clause
#
# Makes lookup.h, the perfect hash over the names in list.h:
#
#   awk -f lookup.awk list.h > lookup.h
#
# Hash, displace (Pagh, "Hash and Displace: Efficient Evaluation of Minimal Perfect
# Hash Functions", 1999): names fall into groups by the low bits of their hash, and
# each group, the largest first, gets the first displacement that puts all of its
# names into free slots.  Deterministic.

BEGIN {
  letters = "abcdefghijklmnopqrstuvwxyz    _" # their lowest five bits
  groups = 64
  n = 0
}

/^LRD_X\(/ {
  split($0, part, /[(," ]+/)
  if (part[3] ~ /\./) # internal
    next
  id[n] = part[2]
  name[n] = part[3]
  if (length(part[3]) > longest)
    longest = length(part[3])
  n++
}

# As lookup_hash below.
function hash(s,    i, h) {
  h = length(s)
  for (i = 1; i <= length(s); i++)
    h = (h * 33 + index(letters, substr(s, i, 1))) % 4294967296
  return h
}

function place(i, shift) { return (int(h[i] / groups) + shift) % size }

# Whether the names of group g have free slots when they are shifted that far.
function fits(g, shift,    k, p, mine) {
  for (k = 0; k < count[g]; k++) {
    p = place(member[g, k], shift)
    if (p in slot || p in mine)
      return 0
    mine[p] = 1
  }
  return 1
}

function displace(g,    k) {
  for (shift[g] = 0; shift[g] < size && !fits(g, shift[g]); shift[g]++)
    ;
  if (shift[g] == size)
    return 0
  for (k = 0; k < count[g]; k++)
    slot[place(member[g, k], shift[g])] = id[member[g, k]]
  return 1
}

function all(    many, g) {
  split("", slot)
  for (many = largest; many > 0; many--)
    for (g = 0; g < groups; g++)
      if (count[g] == many && !displace(g))
        return 0
  return 1
}

END {
  for (g = 0; g < groups; g++)
    count[g] = shift[g] = 0
  for (i = 0; i < n; i++) {
    h[i] = hash(name[i])
    g = h[i] % groups
    member[g, count[g]++] = i
    if (count[g] > largest)
      largest = count[g]
  }
  for (size = 128; size < n || !all(); size *= 2)
    if (size > 65536) {
      print "lookup.awk: two names have the same hash" > "/dev/stderr"
      exit 1
    }
  print "/* SPDX-License-Identifier: BSD-2-Clause */"
  print "/* Made by lookup.awk from list.h: do not edit. */\n"
  printf "enum { LOOKUP_GROUPS = %d, LOOKUP_SLOTS = %d };\n\n", groups, size
  printf "static const unsigned short lookup_shift[LOOKUP_GROUPS] = {"
  for (g = 0; g < groups; g++)
    printf "%s%d,", g % 16 ? " " : "\n  ", shift[g]
  print "\n};\n"
  print "static const unsigned short lookup_slot[LOOKUP_SLOTS] = {"
  for (i = 0; i < size; i++)
    if (i in slot)
      printf "  [%d] = LRD_%s,\n", i, slot[i]
  print "};\n"
  print "/* The only command that can have that name, in either case, or 0. */"
  print "static inline unsigned lookup(const unsigned char *s, size_t len)\n{"
  print "  unsigned hash = (unsigned)len;\n"
  printf "  if (len > %d)\n    return 0;\n", longest
  print "  for (size_t i = 0; i < len; i++)"
  print "    hash = hash * 33 + (s[i] & 31u);"
  print "  hash = hash / LOOKUP_GROUPS + lookup_shift[hash % LOOKUP_GROUPS];"
  print "  return lookup_slot[hash % LOOKUP_SLOTS];"
  print "}"
}
