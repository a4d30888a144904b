#!/usr/bin/env bash
# Makes a bare Debian 13 in a folder and runs `make run` and `make test` there, on a clean clone of what is committed. Needs root,
# debootstrap and git. Everything is gone afterwards.
#
#   tests/bare_machine.sh               both commands
#   tests/bare_machine.sh run           make run alone: prints the seconds until /health answers, and fails after 60
#   tests/bare_machine.sh test [ARGS]   make test alone, with ARGS for pytest
#
# DEBIAN_MIRROR: where Debian comes from. Default: as this machine's apt is set up, else debootstrap's own default.
# BARE_BASE: a folder that keeps the machine as it is when new, so that the next run starts from a copy of it.
# What pip, npm, uv and TLS are set to on this machine (mirrors, proxies, certificates) holds in the bare one too.
set -euo pipefail

SERVES_WITHIN=60 # seconds
INSTALLED=make,python3-venv,git
SETTINGS='^(pip_|npm_|node_extra_|uv_|ssl_|requests_ca|curl_ca|git_ssl|(https?|ftp|all|no)_proxy$|ci$|pytest_addopts$)'

source_folder=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-both}
[ $# -eq 0 ] || shift

# In name spaces of our own, so that mounts and processes end with this script, however it ends.
if [ -z "${BARE_MACHINE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "tests/bare_machine.sh needs root: it makes a machine in a folder and changes its root to it." >&2; exit 1; }
    command -v debootstrap >/dev/null || { echo "tests/bare_machine.sh needs debootstrap: apt-get install debootstrap" >&2; exit 1; }
    folder=$(mktemp -d)
    trap 'rm -rf --one-file-system "$folder"' EXIT
    BARE_MACHINE=$folder/machine unshare --mount --pid --fork --kill-child "$0" "$what" "$@"
    exit
fi
machine=$BARE_MACHINE

make_machine() {
    local mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1)}
    if [ -n "${BARE_BASE:-}" ] && [ -d "$BARE_BASE" ]; then
        cp -a "$BARE_BASE" "$machine"
        return
    fi
    echo "Making a bare Debian 13 (a few minutes)..."
    if ! debootstrap --variant=minbase --include=$INSTALLED trixie "$machine" ${mirror:+"$mirror"} >"$machine.log" 2>&1; then
        tail -n 20 "$machine.log" >&2
        return 1
    fi
    [ -z "${BARE_BASE:-}" ] || cp -a "$machine" "$BARE_BASE"
}

# The network's settings, and those of the programs that install.
connect() {
    local name file
    cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
    [ -s "$machine/etc/hosts" ] || printf '127.0.0.1 localhost\n::1 localhost\n' >"$machine/etc/hosts"
    for file in /etc/pip.conf "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf" /etc/npmrc "$HOME/.npmrc"; do
        [ ! -f "$file" ] || install -D -m 600 "$file" "$machine${file/#$HOME//root}"
    done
    grep -lsE 'Proxy|Verify|CaInfo|Check-' /etc/apt/apt.conf /etc/apt/apt.conf.d/* | xargs -r cp -t "$machine/etc/apt/apt.conf.d/" || true
    environment=("HOME=/root" "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "LANG=C.UTF-8")
    while IFS='=' read -r -d '' name file; do
        [[ ${name,,} =~ $SETTINGS ]] || continue
        environment+=("$name=$file")
        [ ! -f "$file" ] || install -D -m 644 "$file" "$machine$file" # a bundle of certificates
    done < <(env -0)
}

mount_all() {
    mount --make-rprivate /
    mount -t proc proc "$machine/proc"
    mount --rbind /sys "$machine/sys"
    mount --rbind /dev "$machine/dev"
    # Debian starts no service in a change of root that says so.
    printf '#!/bin/sh\nexit 101\n' >"$machine/usr/sbin/policy-rc.d"
    chmod 755 "$machine/usr/sbin/policy-rc.d"
}

inside() {
    env -i "${environment[@]}" chroot "$machine" sh -c 'cd /earshot && exec "$@"' sh "$@"
}

check_run() {
    local began=$SECONDS port served=1
    port=$(inside python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    inside env PORT="$port" make run >"$machine.run" 2>&1 &
    local app=$!
    while [ $((SECONDS - began)) -lt $((SERVES_WITHIN * 5)) ] && kill -0 $app 2>/dev/null; do
        if inside python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/health', timeout=5)" 2>/dev/null; then
            served=0
            break
        fi
        sleep 0.2
    done
    local took=$((SECONDS - began))
    kill $app 2>/dev/null || true
    wait $app 2>/dev/null || true
    cat "$machine.run"
    [ $served = 0 ] || { echo "make run: /health never answered ($took s)"; return 1; }
    echo "make run: /health answered after $took s"
    [ $took -le $SERVES_WITHIN ] || { echo "make run: that is more than $SERVES_WITHIN s"; return 1; }
}

check_test() {
    local began=$SECONDS code=0
    [ $# -eq 0 ] || environment+=("PYTEST_ADDOPTS=$*")
    inside make test || code=$?
    echo "make test: ended with $code after $((SECONDS - began)) s"
    return $code
}

make_machine
connect
mount_all
git clone --quiet "file://$source_folder" "$machine/earshot"
code=0
case $what in
run) check_run || code=1 ;;
test) check_test "$@" || code=1 ;;
both)
    check_run || code=1
    check_test || code=1
    ;;
*) echo "tests/bare_machine.sh: run, test, or nothing for both" >&2 && code=2 ;;
esac
exit $code
