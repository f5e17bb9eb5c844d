#!/bin/sh
# Installs what the Slurm tests need, without letting Debian start the daemons: install.sh PACKAGE...
set -eu
missing=
for package in "$@"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing=yes
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "the tests on a real Slurm need root; without it they are skipped" >&2; exit 0; }
policy=/usr/sbin/policy-rc.d kept=
restore() { if [ -n "$kept" ]; then mv "$kept" $policy; else rm -f $policy; fi; }
[ ! -e $policy ] || { kept=$policy.vocabench; mv $policy "$kept"; }
trap restore EXIT
trap 'exit 1' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' >$policy
chmod 755 $policy
"$(dirname "$0")/../tools/install-packages.sh" "$@" ||
  echo "the packages cannot be installed; tests on a real Slurm are skipped" >&2
