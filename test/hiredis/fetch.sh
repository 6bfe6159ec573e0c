#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# fetch.sh DIRECTORY [SUITE]: hiredis 1.x, as a newer Debian has it, into a directory of its own;
# nothing is installed.  The mirror is the one that this machine's apt has for Debian;
# the lists are kept beside, so the machine's own stay what they are.  Prints the directory with
# its hiredis.pc.  Exits 77 if this is no Debian, or the mirror can't be reached.
set -eu
export LC_ALL=C
directory=$1 suite=${2:-trixie}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
skip() { echo "fetch.sh: $*" >&2; exit 77; }

command -v apt-get >/dev/null && command -v dpkg >/dev/null || skip "no apt here"
mirror=$(apt-get indextargets --format '$(REPO_URI)' \
  'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
[ -n "$mirror" ] || skip "apt knows no Debian mirror"
keys=/usr/share/keyrings/debian-archive-keyring.gpg signed=
[ ! -f "$keys" ] || signed="[signed-by=$keys] "

apt=$directory/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$directory/root"
echo "deb $signed$mirror $suite main" >"$apt/sources.list"
quiet() {
  "$@" -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/nonexistent \
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" \
    -o APT::Sandbox::User="$(id -un)" >"$apt/log" 2>&1 || { cat "$apt/log" >&2; return 1; }
}
quiet apt-get update || skip "the mirror can't be reached"
quiet apt-cache depends libhiredis-dev
library=$(sed -n 's/^ *Depends: \(libhiredis[0-9.]*\)$/\1/p' "$apt/log" | head -n 1)
(cd "$apt" && quiet apt-get download libhiredis-dev "$library")
for package in "$apt"/libhiredis*.deb; do
  dpkg -x "$package" "$directory/root"
done

lib=$(dirname "$(find "$directory/root" -name libhiredis.so | head -n 1)")
mkdir -p "$directory/pkgconfig"
sed -e "s|^libdir=.*|libdir=$lib|" -e "s|^includedir=.*|includedir=$directory/root/usr/include|" \
  -e 's|^pkgincludedir=.*|pkgincludedir=${includedir}/hiredis|' \
  -e 's|^Libs:.*|Libs: -L${libdir} -lhiredis|' \
  "$lib/pkgconfig/hiredis.pc" >"$directory/pkgconfig/hiredis.pc"
echo "$directory/pkgconfig"
