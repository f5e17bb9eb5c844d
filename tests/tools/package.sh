#!/bin/bash
# A Debian package of the installation: package.sh BUILD VERSION MAINTAINER. The same tree gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1 version=$2 maintainer=$3
deb=$build/deb root=$build/deb/root
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
architecture=$(dpkg --print-architecture)
rm -rf "$deb" && mkdir -p "$deb/debian" "$root/DEBIAN"
umask 022

# The program finds share/vocabench beside its own folder, so the binary is the one that `make` has built.
make -s install BUILD="$build" PLACE="$root/usr"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/vocabench"
gzip -9n "$root/usr/share/man/man1/vocabench.1"
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_vocabench" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
doc=$root/usr/share/doc/vocabench
{ printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n'
  printf 'Files: *\nCopyright: %s\nLicense: Expat\n' \
    "$(sed -n 's/^Copyright (c) //p' LICENSE)"
  sed '1,4d; s/^$/./; s/^/ /' LICENSE; } >"$doc/copyright"
rm "$doc/LICENSE"
{ printf 'vocabench (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n' "$version"
  printf ' -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"; } | gzip -9n >"$doc/changelog.gz"
chmod -R u+rwX,go+rX,go-w "$root"
find "$root" -type f -not -path '*/bin/*' -not -name '*.sh' -exec chmod 644 {} +

# What the binary is linked with, by Debian's own reckoning; mpirun, which even a single process needs.
printf 'Source: vocabench\n\nPackage: vocabench\nArchitecture: any\n' >"$deb/debian/control"
needs=$(cd "$deb" && dpkg-shlibdeps -O --ignore-missing-info root/usr/bin/vocabench 2>"shlibdeps.log") ||
  { cat "$deb/shlibdeps.log" >&2; exit 1; }
cat >"$root/DEBIAN/control" <<E
Package: vocabench
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f 1)
Depends: ${needs#shlibs:Depends=}, openmpi-bin
Recommends: gnuplot-nox, wordnet-base
Suggests: chromium, slurm-client
Section: science
Priority: optional
Description: benchmark of the openness of CLIP-like models over MPI
 Measures what happens to the zero-shot accuracy of CLIP-like models when the
 list of class names grows, why, and how far retrieval-enhanced prompts repair
 it. Runs on one machine or on a cluster, with the same results to the byte.
E
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
dpkg-deb --root-owner-group -Zxz --build "$root" "$build/vocabench_${version}_$architecture.deb" >/dev/null
echo "$build/vocabench_${version}_$architecture.deb"
