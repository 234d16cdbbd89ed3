#!/usr/bin/env bash
# Runs the tests of stage1, and of pods in services, with the programs of another release of Debian, and so with another
# systemd: in a tree of that release, on this machine's kernel. Some minutes; no part of test.sh. Without the tests of real
# software, whose packages are this machine's.
#   eng/test-release.sh [RELEASE [FILTER]]      trixie and all of these tests, if not said otherwise; FILTER is for 'dotnet test'
# The tree is made once, in $XDG_CACHE_HOME/appc-releases or ~/.cache/appc-releases.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=eng/lib.sh
. eng/lib.sh
become_root "$0" "$@"
need debootstrap=debootstrap
need_dotnet

release=${1:-trixie}
filter=${2:-(FullyQualifiedName~Appc.Stage1&FullyQualifiedName!~NspawnSoftwareTests)|FullyQualifiedName~SystemdHostTests}
tree=${XDG_CACHE_HOME:-$HOME/.cache}/appc-releases/$release
# What test.sh installs, and what a minimal system lacks for .NET.
packages=systemd,systemd-sysv,systemd-container,dbus,busybox-static,gnupg,gpgv,openssl,bzip2,xz-utils,gzip,tar,zstd,libarchive-tools,strace
packages+=,attr,python3,util-linux,iproute2,procps,libcap2-bin,gcc,libc6-dev,ca-certificates,libstdc++6,zlib1g,debootstrap,curl
debian_tree "$tree" "$release" "$packages" "${APPC_RELEASE_MIRROR:-}"

echo "== build"
for tests in Stage1 Conformance; do dotnet build "tests/Appc.$tests.Tests" -c Release -v quiet -nologo -clp:ErrorsOnly; done

echo "== $(chroot "$tree" systemctl --version | head -1)"
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
# shellcheck disable=SC2016
exec unshare --mount --propagation private bash -euc '
    tree=$1 dotnet=$2 filter=$3
    mount --bind "$tree" "$tree"
    for d in proc sys dev; do mount --rbind "/$d" "$tree/$d"; done
    for d in run tmp; do mount -t tmpfs tmpfs "$tree/$d"; done
    mkdir -p "$tree$dotnet" "$tree$PWD" "$tree/old"
    mount --bind "$dotnet" "$tree$dotnet"
    mount --rbind "$PWD" "$tree$PWD"
    here=$PWD
    cd "$tree"
    pivot_root . old
    umount -l /old
    cd "$here"
    export PATH="$dotnet:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root DOTNET_ROOT=$dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
    code=0
    for tests in Stage1 Conformance; do
        dotnet test "tests/Appc.$tests.Tests" -c Release --no-build --nologo -v quiet --logger "console;verbosity=minimal" --filter "$filter" || code=$?
    done
    exit $code
' "$0" "$tree" "$dotnet" "$filter"
