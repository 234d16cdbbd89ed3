#!/usr/bin/env bash
# Installs what the tests need, builds with warnings as errors, runs every test as root with real pods.
# Ends with one line, "N passed, N failed". Arguments go to 'dotnet test' (such as --filter Name~Tar).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=eng/lib.sh
. eng/lib.sh
become_root "$0" "$@"

need systemd-nspawn=systemd-container /lib/systemd/systemd=systemd busybox=busybox-static gpg=gnupg gpgv=gpgv \
    openssl=openssl bzip2=bzip2 xz=xz-utils gzip=gzip tar=tar zstd=zstd bsdtar=libarchive-tools strace=strace setfattr=attr \
    python3=python3 setpriv=util-linux flock=util-linux \
    findmnt=util-linux nsenter=util-linux dbus-daemon=dbus machinectl=systemd-container ip=iproute2 ps=procps \
    getcap=libcap2-bin cc=gcc /usr/include/stdio.h=libc6-dev clang=clang /usr/include/zlib.h=zlib1g-dev
need_dotnet

started=$SECONDS
results=$(mktemp -d)
# One compiler for all projects, here and where tests publish programs, instead of a cold one for each; it goes with this run.
export UseSharedCompilation=true
trap 'rm -rf "$results"; dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1 || true' EXIT

echo "== build (Release, warnings are errors)"
dotnet build Appc.sln -c Release -v quiet -nologo -clp:ErrorsOnly

passed=0 failed=0 skipped=0
count() { sed -n "s/.*<Counters [^>]*\b$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -1; }
for project in tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    echo "== $name"
    code=0
    # A test that hangs must not take everything with it, and is named.
    timeout --kill-after=30 1800 dotnet test "$project" -c Release --no-build --nologo -v quiet \
        --blame-hang-timeout 15m --blame-hang-dump-type none \
        --logger "console;verbosity=minimal" --logger "trx;LogFileName=$results/$name.trx" "$@" || code=$?
    if [ -s "$results/$name.trx" ]; then
        total=$(count total "$results/$name.trx")
        good=$(count passed "$results/$name.trx")
        bad=$(count failed "$results/$name.trx")
        passed=$((passed + good))
        failed=$((failed + bad))
        skipped=$((skipped + total - good - bad))
        [ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || failed=$((failed + 1))
    elif [ "$code" -ne 0 ] || [ $# -eq 0 ]; then
        echo "$name: the test run ended without results (exit code $code)"
        failed=$((failed + 1))
    fi
done

echo "== $((SECONDS - started)) s"
summary="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
