#!/usr/bin/env bash
# Runs this library beside its peers, interleaved in one process, and prints medians and ratios:
#   start to exit of 'true' in an image that is there already;
#   the same in an app that runs, and the memory of a pod besides its app;
#   import of a signed image of about 200 MB against 'tar xzf' and others, on tmpfs and on ext4 on this machine's disk;
#   fetch of that image from a server on this machine against 'curl | tar xz';
#   what many pods cost: prepared, listed, waited for, run to their end and removed.
# Usage: benchmarks/compare.sh [launch|enter|import|fetch|pods]...   ROUNDS=40 IMPORT_ROUNDS=5 IMAGE_MB=200 DISK=/var/tmp
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=../eng/lib.sh
. eng/lib.sh
become_root "$0" "$@"
[ $# -gt 0 ] || set -- launch enter import fetch pods

# All mounts, the scratch tmpfs among them, live in a namespace of this run and vanish with it.
if [ -z "${APPC_COMPARE_NAMESPACE:-}" ]; then
    exec env APPC_COMPARE_NAMESPACE=1 unshare --mount --propagation private bash benchmarks/compare.sh "$@"
fi

need systemd-nspawn=systemd-container busybox=busybox-static gpg=gnupg sha512sum=coreutils tar=tar gzip=gzip \
    mkfs.ext4=e2fsprogs
want python3=python3 curl=curl crun=crun runc=runc bwrap=bubblewrap umoci=umoci skopeo=skopeo podman=podman
need_dotnet

work=$(mktemp -d)
viewer=
server=
disk=
mount -t tmpfs -o size=8g tmpfs "$work"
cleanup() {
    [ -z "$viewer" ] || kill "$viewer" 2>/dev/null || true
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "${GNUPGHOME:-}" ] || gpgconf --kill all 2>/dev/null || true
    cd /
    [ -z "$disk" ] || { umount "$work/ext4" 2>/dev/null; rm -f "$disk"; } || true
    umount -l "$work" 2>/dev/null || true
    rmdir "$work" 2>/dev/null || true
}
trap cleanup EXIT

echo "building"
dotnet publish samples/appc -c Release -o "$work/appc" -v quiet -nologo -clp:ErrorsOnly
dotnet publish benchmarks/Appc.Benchmarks -c Release -o "$work/bench" -v quiet -nologo -clp:ErrorsOnly

export GNUPGHOME=$work/gnupg
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Benchmark <benchmark@example.com>' ed25519 sign 1y 2>/dev/null
gpg --batch --quiet --armor --export >"$work/key.asc"
gpg --batch --quiet --armor --export-secret-keys >"$work/secret.asc"
"$work/appc/appc" --config "$work/etc" trust add --quiet --prefix example.com --yes "$work/key.asc" >/dev/null

architecture=$(uname -m | sed 's/x86_64/amd64/')
manifest() { # NAME [DEPENDENCY]
    cat >"$work/manifest.json" <<JSON
{ "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/$1",
  ${2:+"\"dependencies\": [ { \"imageName\": \"example.com/$2\" } ],"}
  "labels": [ { "name": "version", "value": "1.0.0" }, { "name": "os", "value": "linux" }, { "name": "arch", "value": "$architecture" } ],
  "app": { "exec": ["/bin/true"], "user": "0", "group": "0" } }
JSON
}
build() { # NAME ROOTFS [DEPENDENCY]
    manifest "$1" "${3:-}"
    "$work/appc/appc" build --manifest "$work/manifest.json" --rootfs "$2" "$work/$1.aci" >/dev/null
    "$work/appc/appc" sign --key "$work/secret.asc" "$work/$1.aci" >/dev/null
}

# Makes the small image, unless it is there.
make_small() {
    [ ! -e "$work/small.aci" ] || return 0
    local root=$work/rootfs
    mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,etc,usr,var}
    cp "$(command -v busybox)" "$root/bin/busybox"
    ln -s busybox "$root/bin/true"
    ln -s busybox "$root/bin/sh"
    echo 'ID=benchmark' >"$root/etc/os-release"
    build small "$root"
}

launch() {
    local root=$work/rootfs peers=()
    make_small

    peers+=(--peer "bare systemd-nspawn=systemd-nspawn -q --register=no --keep-unit -D $root --console=pipe --link-journal=no --resolv-conf=off --timezone=off /bin/true")
    ! command -v bwrap >/dev/null ||
        peers+=(--peer "bwrap --unshare-all=bwrap --unshare-all --ro-bind $root / --proc /proc --dev /dev /bin/true")
    local runtime inside=()
    for runtime in runc crun; do
        command -v $runtime >/dev/null || continue
        mkdir -p "$work/$runtime"
        (cd "$work/$runtime" && $runtime spec)
        sed -i -e "s|\"path\": \"rootfs\"|\"path\": \"$root\"|" -e 's|"terminal": true|"terminal": false|' \
            -e 's|"sh"|"/bin/true"|' "$work/$runtime/config.json"
        inside+=(--peer "$runtime run=$runtime --root $work/$runtime/state run --bundle $work/$runtime benchmark-$runtime")
    done
    ! command -v podman >/dev/null ||
        inside+=(--peer "podman run=podman --root $work/podman --runroot $work/podman-run --cgroup-manager cgroupfs run --rm --network none --cgroups disabled --log-driver none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --rootfs $root /bin/true")
    # crun and podman refuse hosts that show both versions of cgroups: they get a view of the first one alone.
    if mountpoint -q /sys/fs/cgroup/unified && [ ${#inside[@]} -gt 0 ]; then
        unshare --mount --propagation private sh -c 'umount /sys/fs/cgroup/unified && echo $$ >"$1" && exec sleep infinity' sh "$work/viewer" &
        until [ -s "$work/viewer" ]; do sleep 0.05; done
        viewer=$(cat "$work/viewer")
        peers+=(--namespace "/proc/$viewer/ns/mnt")
    fi
    peers+=("${inside[@]}")
    "$work/bench/Appc.Benchmarks" launch --directory "$work" --keys "$work/etc/trustedkeys" --image "$work/small.aci" \
        --rounds "${ROUNDS:-40}" --baseline "bare systemd-nspawn" --baseline "crun run" "${peers[@]}"
}

enter() {
    make_small
    "$work/bench/Appc.Benchmarks" enter --directory "$work" --keys "$work/etc/trustedkeys" --image "$work/small.aci" --rounds "${ROUNDS:-40}"
}

pods() {
    local what
    for what in pods traffic; do TMPDIR=$work "$work/bench/Appc.Benchmarks" $what; done
}

# Makes the large image, unless it is there: real files of this machine, as they come, until there are enough of them.
make_large() {
    [ ! -e "$work/large.aci" ] || return 0
    local root=$work/large limit=$((${IMAGE_MB:-200} * 1024 * 1024 * 29 / 10)) list=$work/files
    mkdir -p "$root"
    find /usr -xdev -type f -readable -size -40M -printf '%s %p\n' 2>/dev/null | sort -k2 |
        awk -v limit="$limit" '(sum += $1) <= limit { sub(/^[0-9]+ /, ""); print }' >"$list"
    tar -c -C / -T "$list" --transform 's|^/||' 2>/dev/null | tar -x -C "$root"
    build large "$root"
    rm -rf "$root"
}

import() {
    local peers=() image=$work/large.aci
    make_large

    # One small file over the large image, and an image that is large by its content only: 1 GiB and 100,000 files.
    mkdir -p "$work/second/opt" "$work/many/data"
    cp "$(command -v busybox)" "$work/second/opt/app"
    build second "$work/second" large
    seq -f 'file %.0f of many' 1 100000 | split -l 1 -a 5 - "$work/many/data/"
    yes 'nothing that stands out' | head -c 1G >"$work/many/large" || true
    build many "$work/many"
    rm -rf "$work/second" "$work/many"

    peers+=(--peer "tar xzf=tar xzf $image -C {}")
    peers+=(--peer "gpg --verify, sha512sum, tar=sh -c 'gpg --batch --quiet --verify $image.asc $image && gzip -dc $image | tee {}/pipe.tar | sha512sum >{}/sum && tar xf {}/pipe.tar -C {} && rm {}/pipe.tar'")
    if command -v umoci >/dev/null; then
        local layout=$work/oci
        umoci init --layout "$layout"
        umoci new --image "$layout:large"
        umoci raw add-layer --image "$layout:large" <(gzip -dc "$image") 2>/dev/null ||
            { gzip -dc "$image" >"$work/large.tar" && umoci raw add-layer --image "$layout:large" "$work/large.tar" && rm "$work/large.tar"; }
        peers+=(--peer "umoci unpack=umoci unpack --image $layout:large {}/bundle")
        ! command -v skopeo >/dev/null ||
            peers+=(--peer "skopeo copy (no extraction)=skopeo --insecure-policy copy oci:$layout:large dir:{}/copy")
    fi

    compare_import tmpfs "$work/scratch" --baseline "tar xzf" "${peers[@]}"

    # A file system of its own on the disk: what others write is neither flushed with ours nor in our way.
    disk=$(mktemp "${DISK:-/var/tmp}/appc-compare.XXXXXX")
    truncate -s 8G "$disk"
    mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
    mkdir -p "$work/ext4"
    if mount -o loop "$disk" "$work/ext4"; then
        compare_import "ext4, on $(findmnt -n -o SOURCE -T "$disk")" "$work/ext4/scratch" --baseline "tar xzf" --baseline "tar xzf, sync -f" \
            "${peers[@]}" --peer "tar xzf, sync -f=sh -c 'tar xzf $image -C {} && sync -f {}'"
    else
        echo "no loop devices here: ext4 is left out"
    fi
}

compare_import() { # MEDIUM SCRATCH ARGUMENT...
    local medium=$1 scratch=$2
    shift 2
    "$work/bench/Appc.Benchmarks" import --medium "$medium" --directory "$scratch" --keys "$work/etc/trustedkeys" --image "$work/large.aci" \
        --second "$work/second.aci" --many "$work/many.aci" --rounds "${IMPORT_ROUNDS:-5}" "$@"
}

fetch() {
    local i many=() address
    make_large
    for i in $(seq 20); do
        mkdir -p "$work/one/data"
        head -c 8M /dev/urandom >"$work/one/data/file"
        build "many$i" "$work/one"
    done
    rm -rf "$work/one"
    python3 -u -m http.server --bind 127.0.0.1 --directory "$work" 0 >"$work/server.log" 2>&1 &
    server=$!
    until grep -q -o 'http://[0-9.:]*' "$work/server.log"; do sleep 0.05; done
    address=$(grep -o 'http://[0-9.:]*' "$work/server.log" | head -1)
    for i in $(seq 20); do many+=(--many "$address/many$i.aci"); done
    "$work/bench/Appc.Benchmarks" fetch --directory "$work/scratch" --keys "$work/etc/trustedkeys" --image "$address/large.aci" \
        --rounds "${IMPORT_ROUNDS:-5}" --baseline "curl, tar xz" --peer "curl, tar xz=sh -c 'curl -s -f $address/large.aci | tar xz -C {}'" "${many[@]}"
    kill "$server"
    server=
}

echo "$(nproc) cores, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), kernel $(uname -r)"
for what in "$@"; do
    case $what in
        launch) launch ;;
        enter) enter ;;
        import) import ;;
        fetch) fetch ;;
        pods) pods ;;
        *) die "unknown comparison '$what': launch, enter, import, fetch or pods" ;;
    esac
done
