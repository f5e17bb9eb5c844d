#!/bin/bash
# `make deb`: a package that dpkg installs and removes, whose program runs and finds its configs, with the same bytes each time.
. "$(dirname "$0")/../lib.sh"
if ! command -v dpkg-shlibdeps >/dev/null || ! command -v dpkg-deb >/dev/null; then
  skip "the Debian package" "dpkg-dev is not installed"; finish
fi
make_here deb >"$scratch/log" 2>&1 &&
  package=$here/$(tail -n 1 "$scratch/log") && [ -s "$package" ]
verdict $? "make deb" "$(tail -n 5 "$scratch/log")"
[ $failures = 0 ] || finish
cd "$scratch" || exit 1
cp "$package" first.deb; must make_here deb
same "the same tree gives the same bytes" first.deb "$package"

# ---- what it says and holds -----------------------------------------------------------------------------------------
field() { dpkg-deb -f first.deb "$1"; }
equal "name and architecture" "$(field Package) $(field Architecture)" "vocabench $(dpkg --print-architecture)"
version=$("$vocabench" version | sed -n '1s/^vocabench \([^ ]*\).*/\1/p')
equal "the version is the program's" "$(field Version)" "$version" "$(field Version), program $version"
# Every library that the binary names is in a package of the dependencies.
missing='' depends=$(field Depends)
dpkg-deb -x first.deb tree
for library in $(objdump -p tree/usr/bin/vocabench | sed -n 's/^ *NEEDED *//p'); do
  path=$(ldconfig -p | awk -v want="$library" '$1 == want { print $NF; exit }')
  owner=$(dpkg -S "$path" "/usr$path" "$(readlink -f "$path")" 2>/dev/null | head -n 1 | sed 's/:.*//')
  grep -qE "(^|, )$owner( |,|$)" <<<"$depends" || missing+="$library of $owner; "
done
[ -z "$missing" ] && grep -q openmpi-bin <<<"$depends"
verdict $? "it depends on what it is linked with" "$missing" "$depends"
for file in bin/vocabench share/man/man1/vocabench.1.gz share/bash-completion/completions/vocabench \
  share/zsh/vendor-completions/_vocabench share/vocabench/configs/vocabularies/living17.yaml \
  share/vocabench/slurm/job.sbatch share/doc/vocabench/copyright \
  share/doc/vocabench/changelog.gz share/doc/vocabench/docs/protocol.md; do
  check "it holds $file" test -s "tree/usr/$file"
done
dpkg-deb -c first.deb | awk '$2 != "root/root" || $1 ~ /^.....w|^........w/ || $1 ~ /^-r..r-----/' >wrong
empty "owners and modes" wrong
(cd tree && md5sum --quiet -c <(dpkg-deb -I ../first.deb md5sums)) >log 2>&1
verdict $? "the sums are the files'" "$(cat log)"
check "the configs are the tree's" diff -r "$here/configs" tree/usr/share/vocabench/configs
if command -v lintian >/dev/null; then
  # The maintainer's address is whoever builds it's (DEB_MAINTAINER); templates are for sbatch, not to be started.
  lintian --allow-root \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,script-not-executable first.deb >log 2>&1
  grep '^[EW]:' log >wrong; empty "lintian finds nothing" wrong
else skip "lintian" "not installed"; fi

# ---- installed and removed ------------------------------------------------------------------------------------------
# dpkg itself, into a folder, with what it knows of this machine's packages: dependencies are checked, the machine stays as it is.
if [ "$(id -u)" = 0 ] && [ -r /var/lib/dpkg/status ]; then
  mkdir -p admin/updates admin/info admin/triggers inst && awk 'BEGIN { RS = ""; ORS = "\n\n" } !/^Package: vocabench\n/' \
    /var/lib/dpkg/status >admin/status && touch admin/available admin/diversions admin/statoverride
  into() { dpkg --admindir="$scratch/admin" --instdir="$scratch/inst" --log="$scratch/dpkg.log" --no-triggers "$@" >log 2>&1; }
  into -i first.deb && [ -x inst/usr/bin/vocabench ]
  verdict $? "dpkg installs it" "$(cat log)"
  out=$(env -C inst usr/bin/vocabench version 2>&1)
  [[ $out == "vocabench $version"*"configs: $scratch/inst/usr/bin/../share/vocabench/configs"* ]]
  verdict $? "the installed program runs" "$out"
  mkdir away
  refuses "it finds its experiments by name, from anywhere" 4 \
    "dataset 'cifar100': images: data/cifar-100-binary/test.bin: no such file" \
    env -C away "$scratch/inst/usr/bin/vocabench" run configs/experiments/cifar100.yaml
  out=$(MANPATH=$scratch/inst/usr/share/man man -w vocabench 2>/dev/null)
  if command -v man >/dev/null; then equal "man finds its page" "$out" "$scratch/inst/usr/share/man/man1/vocabench.1.gz"
  else skip "man finds its page" "man-db is not installed"; fi
  into -r vocabench && [ -z "$(find inst -type f)" ]
  verdict $? "dpkg removes all of it" "$(cat log; find inst -type f)"
else skip "installing the package" "needs root"; fi
finish
