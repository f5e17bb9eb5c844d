#!/bin/sh
# Installs the Debian packages named as arguments that are missing; without the right to, prints the one line to run.
set -eu
missing=
for package in "$@"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 || { echo "not a Debian system; please provide the equivalents of:$missing" >&2; exit 1; }
if [ "$(id -u)" = 0 ]; then as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root=sudo
else
  echo "These packages are missing, and installing them needs root. Please run:" >&2
  echo "  sudo apt-get install -y --no-install-recommends$missing" >&2
  exit 1
fi
echo "installing:$missing"
# shellcheck disable=SC2086 # the list is meant to be split
install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
# A stale package list is the usual reason for a first failure.
install 2>/dev/null || { $as_root apt-get update -qq && install; }
