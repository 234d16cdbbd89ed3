#!/usr/bin/env bash
# Runs limited pods on a kernel with version 2 control groups only: in a virtual machine, for hosts that have version 1.
# Takes some minutes, as the machine is emulated. Not part of test.sh: it needs qemu, and fetches a kernel package of Debian.
# The machine has no systemd of its own; that units delegate groups is played by the mark that systemd leaves on them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=../../eng/lib.sh
. eng/lib.sh
become_root "$0" "$@"
need qemu-system-x86_64=qemu-system-x86 mkfs.ext4=e2fsprogs bsdtar=libarchive-tools setfattr=attr busybox=busybox-static \
    systemd-nspawn=systemd-container /lib/systemd/systemd=systemd dpkg=dpkg
need_dotnet

here=$PWD work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

echo "== appc"
dotnet publish samples/appc -c Release -v quiet -nologo -o "$work/appc"

echo "== a kernel"
package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2 }')
(cd "$work" && apt-get download -q "$package" >/dev/null 2>&1 && dpkg -x ./*.deb kernel)
modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk overlay)

echo "== a root file system of what the host has"
mkdir -p "$tree"/{proc,sys,dev,run,tmp,root,etc,var/tmp,usr/bin,usr/sbin,usr/lib,usr/lib64,dotnet/shared,exp/rootfs/bin}
for name in bin sbin lib lib64; do ln -s "usr/$name" "$tree/$name"; done
# Copies files to where they are here, with the shared objects that they load.
copy() {
    local file object
    for file in "$@"; do
        mkdir -p "$tree$(dirname "$file")"
        cp -L "$file" "$tree$file"
        for object in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
            [ -e "$tree$object" ] || { mkdir -p "$tree$(dirname "$object")"; cp -L "$object" "$tree$object"; }
        done
    done
}
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
copy /usr/bin/systemd-nspawn /lib/systemd/systemd /usr/bin/systemctl /usr/bin/systemd-analyze /usr/bin/{dash,mkdir,sleep,stat,fallocate} /bin/mv /usr/bin/ldd /bin/bash /bin/busybox /usr/bin/setfattr
for library in "$(find "$dotnet" -name libcoreclr.so | head -1)" /lib/*/libseccomp.so.2 /lib/*/liblzma.so.5 /usr/lib/*/libssl.so.3; do
    for object in $([ "${library#"$dotnet"}" = "$library" ] && echo "$library"; ldd "$library" | grep -o '/[^ ]*'); do copy "$object"; done
done
cp -r "$dotnet/dotnet" "$dotnet/host" "$tree/dotnet/"
cp -r "$dotnet/shared/Microsoft.NETCore.App" "$tree/dotnet/shared/"
cp -r "$work/appc" "$tree/appc"
ln -s dash "$tree/usr/bin/sh"
cp /etc/os-release /etc/ld.so.cache "$tree/etc/"
echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
echo 'root:x:0:' >"$tree/etc/group"
echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"

# Two images: one that is limited from outside, one with isolators of its own.
cp /bin/busybox "$tree/exp/rootfs/bin/"
for name in sh cat sleep true dd; do ln -s busybox "$tree/exp/rootfs/bin/$name"; done
manifest() {
    printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/%s","labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{%s,"user":"0","group":"0"}}' "$1" "$2" \
        >"$work/$1.json"
    DOTNET_ROOT=$dotnet "$work/appc/appc" build --manifest "$work/$1.json" --rootfs "$tree/exp/rootfs" "$tree/exp/$1.aci" >/dev/null
}
manifest plain '"exec":["/bin/true"]'
manifest own '"exec":["/bin/sleep","1000"],"eventHandlers":[{"name":"pre-start","exec":["/bin/true"]}],"isolators":[
    {"name":"resource/block-bandwidth","value":{"default":true,"limit":"2M"}},{"name":"resource/block-iops","value":{"default":true,"limit":"300"}},
    {"name":"resource/memory","value":{"request":"16Mi","limit":"64Mi"}},{"name":"resource/cpu","value":{"limit":"250m"}},{"name":"os/linux/cpu-shares","value":512}]'

cp "$here/tests/vm/version2-guest.sh" "$tree/guest.sh"
truncate -s 700M "$work/disk"
mkfs.ext4 -q -d "$tree" "$work/disk"

mkdir -p "$work/initrd"/{bin,proc,sys,dev,root,modules}
cp /bin/busybox "$work/initrd/bin/"
for name in "${modules[@]}"; do find "$work/kernel" -name "$name.ko*" -exec cp {} "$work/initrd/modules/" \; ; done
cat >"$work/initrd/init" <<EOI
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t proc proc /proc; \$b mount -t sysfs sys /sys; \$b mount -t devtmpfs dev /dev
for m in ${modules[*]}; do \$b insmod /modules/\$m.ko; done
\$b sleep 1
\$b mount -t ext4 /dev/vda /root && \$b mount -t cgroup2 none /sys/fs/cgroup || \$b poweroff -f
for d in proc sys dev; do \$b mount --move /\$d /root/\$d; done
exec \$b switch_root /root /bin/busybox sh /guest.sh
EOI
chmod +x "$work/initrd/init"
(cd "$work/initrd" && find . -mindepth 1 | sed 's,^\./,,' | bsdtar -cf - --format newc -n -T - | gzip -1 >"$work/initrd.gz")

echo "== the machine"
timeout 900 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1500 -nographic -no-reboot \
    -kernel "$(echo "$work"/kernel/boot/vmlinuz-*)" -initrd "$work/initrd.gz" -drive file="$work/disk",format=raw,if=virtio \
    -append 'console=ttyS0 quiet panic=-1 mitigations=off' </dev/null 2>&1 | tr -d '\r' | tee "$work/log" | grep -E --line-buffered '^(ok|FAILED|done) ' || true
grep -q '^done all' "$work/log" && ! grep -q '^FAILED' "$work/log" || { tail -50 "$work/log"; die "a check has failed"; }
