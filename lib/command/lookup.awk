# SPDX-License-Identifier: BSD-2-Clause
#
# Makes lookup.h, the perfect hash over the names in list.h:
#
#   awk -f lookup.awk list.h > lookup.h
#
# Hash, displace (Pagh, "Hash and Displace: Efficient Evaluation of Minimal Perfect
# Hash Functions", 1999): names fall into groups by the high bits of their hash, and
# each group, the largest first, gets the first displacement that puts all of its
# names into free slots.  Deterministic.
#
# What is hashed, and compared, are the first and last eight bytes in lower case (of names up
# to eight bytes: the first and last four), so a look-up has no loop.  Numbers stay
# below 2^53, where awk's are exact.

BEGIN {
  for (i = 1; i < 128; i++)
    code[sprintf("%c", i)] = i
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

function byte(s, i) { return code[substr(s, i + 1, 1)] }

function bytes4(s, i) {
  return byte(s, i) + 256 * (byte(s, i + 1) + 256 * (byte(s, i + 2) + 256 * byte(s, i + 3)))
}

# The four halves of lookup_head and lookup_tail below.
function words(s, w,    len) {
  len = length(s)
  w[1] = w[2] = w[3] = w[4] = 0
  if (len < 4) {
    w[1] = byte(s, 0) + 256 * (byte(s, int(len / 2)) + 256 * byte(s, len - 1))
  } else if (len <= 8) {
    w[1] = bytes4(s, 0)
    w[2] = bytes4(s, len - 4)
  } else {
    w[1] = bytes4(s, 0)
    w[2] = bytes4(s, 4)
    w[3] = bytes4(s, len - 8)
    w[4] = bytes4(s, len - 4)
  }
}

function modulo(x) { return x - int(x / 4294967296) * 4294967296 }

# As lookup_hash below.
function hash(s,    w, h) {
  words(s, w)
  h = length(s)
  h = modulo(h + modulo(w[1] * 668265))
  h = modulo(h + modulo(w[2] * 374761))
  h = modulo(h + modulo(w[3] * 897581))
  h = modulo(h + modulo(w[4] * 461845))
  h = modulo(h + int(h / 32768))
  return modulo(h * 695579)
}

function group(h) { return int(h / 67108864) }

function place(i, shift) { return (int(h[i] / 4096) + shift) % size }

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
    slot[place(member[g, k], shift[g])] = member[g, k]
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

function hex(x,    i, s) {
  for (i = 0; i < 8; i++) {
    s = substr("0123456789abcdef", x % 16 + 1, 1) s
    x = int(x / 16)
  }
  return s
}

function row(i, s,    w) {
  words(s, w)
  return sprintf("  [%d] = { UINT64_C(0x%s%s), UINT64_C(0x%s%s), %d, LRD_%s },\n", i, hex(w[2]),
                 hex(w[1]), hex(w[4]), hex(w[3]), length(s), id[slot[i]])
}

END {
  for (g = 0; g < groups; g++)
    count[g] = shift[g] = 0
  for (i = 0; i < n; i++) {
    h[i] = hash(name[i])
    g = group(h[i])
    member[g, count[g]++] = i
    if (count[g] > largest)
      largest = count[g]
  }
  for (size = 128; size < n || !all(); size *= 2)
    if (size > 16384) {
      print "lookup.awk: two names have the same hash" > "/dev/stderr"
      exit 1
    }
  print "/* SPDX-License-Identifier: BSD-2-Clause */"
  print "/* Made by lookup.awk from list.h: do not edit. */\n"
  printf "enum { LOOKUP_GROUPS = %d, LOOKUP_SLOTS = %d, LOOKUP_LONGEST = %d };\n\n", groups, size,
         longest
  print "static const unsigned short lookup_shift[LOOKUP_GROUPS] = {"
  for (g = 0; g < groups; g++)
    printf "%s%d,%s", g % 16 ? " " : "  ", shift[g], g % 16 == 15 ? "\n" : ""
  print "};\n"
  print "struct lookup {"
  print "  uint64_t head, tail; /* in lower case */"
  print "  unsigned short len, command;"
  print "};\n"
  print "static const struct lookup lookup_slot[LOOKUP_SLOTS] = {"
  for (i = 0; i < size; i++)
    if (i in slot)
      printf "%s", row(i, name[slot[i]])
  print "};\n"
  print "static inline unsigned lookup_hash(uint64_t head, uint64_t tail, size_t len)\n{"
  print "  uint32_t h = (uint32_t)len;\n"
  print "  h += (uint32_t)head * 668265u + (uint32_t)(head >> 32) * 374761u;"
  print "  if (tail)"
  print "    h += (uint32_t)tail * 897581u + (uint32_t)(tail >> 32) * 461845u;"
  print "  h += h >> 15;"
  print "  h *= 695579u;"
  print "  return ((h >> 12) + lookup_shift[h >> 26]) % LOOKUP_SLOTS;"
  print "}"
}
