#!/usr/bin/env bash
# A Chromium for the browser tests: the one that is there, or Debian's where we may install it.
# Never fails: without a browser those tests are skipped, and this says so and why.
set -uo pipefail

skip() {
    echo "browser tests will be skipped: no Chromium on PATH, and $1"
    exit 0
}

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
command -v apt-get >/dev/null || skip "there is no apt-get to install one with"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || skip "we are neither root nor allowed to use sudo without a password"
    as_root=(sudo -n)
fi

# `env` because sudo drops variables; the time-outs because a machine without network would wait.
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120)

"${apt[@]}" update >/dev/null 2>&1 || skip "apt-get update failed"
"${apt[@]}" install -y --no-install-recommends chromium >/dev/null 2>&1 ||
    skip "apt-get could not install the package chromium"
command -v chromium >/dev/null || skip "the package chromium brought none"
