#!/usr/bin/env bash
# The checks of tests/support/host-check.sh in a virtual machine: a Debian with a kernel, a systemd and control groups (pure
# version 2) of its own. Needs no KVM; emulated it takes up to half an hour, so it is no part of test.sh. APPC_QEMU_ACCEL=kvm is
# faster where it works. APPC_QEMU_RELEASE=trixie takes another release, APPC_QEMU_SELINUX=1 has SELinux in the place of AppArmor.
#   eng/qemu-host.sh [--keep]
# The machine's tree is made once, in $XDG_CACHE_HOME/appc-qemu or ~/.cache/appc-qemu; --keep keeps its disk for a look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=eng/lib.sh
. eng/lib.sh
become_root "$0" "$@"
[ "$(uname -m)" = x86_64 ] || die "the virtual machine is an x86-64 one"
need qemu-system-x86_64=qemu-system-x86 debootstrap=debootstrap mkfs.ext4=e2fsprogs busybox=busybox-static cc=gcc /usr/include/stdio.h=libc6-dev
need_dotnet

release=${APPC_QEMU_RELEASE:-bookworm}
selinux=${APPC_QEMU_SELINUX:-}
tree=${XDG_CACHE_HOME:-$HOME/.cache}/appc-qemu/$release${selinux:+-selinux}
work=$(mktemp -d "${TMPDIR:-/tmp}/appc-qemu.XXXXXX")
trap '[ "${1:-}" = --keep ] || rm -rf "$work"' EXIT

packages=systemd,systemd-sysv,systemd-container,dbus,udev,kmod,procps,util-linux,busybox-static,libstdc++6,zlib1g,apparmor,linux-image-amd64,initramfs-tools
[ -z "$selinux" ] || packages+=,selinux-policy-default,policycoreutils
debian_tree "$tree" "$release" "$packages" "${APPC_QEMU_MIRROR:-}"

echo "== programs"
check=$work/check
mkdir -p "$check"
dotnet publish samples/appc -c Release -v quiet -nologo -o "$check/appc"
dotnet publish samples/service -c Release -v quiet -nologo -o "$check/pods"
cc -static -O1 -o "$check/service" tests/support/service.c
cp tests/support/host-check.sh "$(command -v busybox)" "$check/"
runtime=$(dotnet --list-runtimes | sed -n 's/^Microsoft\.NETCore\.App \(10\.[^ ]*\) \[\(.*\)\/Microsoft\.NETCore\.App\]$/\2 \1/p' | tail -1)
shared=${runtime% *} version=${runtime##* }

echo "== disk"
disk=$work/disk
truncate -s 4G "$disk"
root=$work/root
mkdir "$root"
cp -a --reflink=auto "$tree/." "$root/"
cp -a "$check" "$root/check"
mkdir -p "$root/usr/share/dotnet/shared/Microsoft.NETCore.App" "$root/usr/share/dotnet/host"
cp -a "$shared/Microsoft.NETCore.App/$version" "$root/usr/share/dotnet/shared/Microsoft.NETCore.App/"
cp -a "$shared/../host/fxr" "$root/usr/share/dotnet/host/"
cat >"$root/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
Environment=APPC_SLOW=10 DOTNET_ROOT=/usr/share/dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
ExecStartPre=sh -c 'uname -r; systemctl --version | head -1; stat -f -c %%T /sys/fs/cgroup; cat /sys/fs/cgroup/cgroup.controllers'
ExecStart=bash /check/host-check.sh /check
TimeoutStartSec=60min
StandardOutput=tty
StandardError=inherit
TTYPath=/dev/ttyS0

[Install]
WantedBy=multi-user.target
UNIT
ln -sf /etc/systemd/system/check.service "$root/etc/systemd/system/multi-user.target.wants/check.service"
for unit in serial-getty@ttyS0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
echo "DefaultTimeoutStartSec=900s" | sed '1i [Manager]' >"$root/etc/systemd/system.conf"
parameters=
if [ -n "$selinux" ]; then
    # Permissive, as Debian's policy knows nothing of where this is tested: contexts are given and refused all the same.
    parameters="security=selinux selinux=1 enforcing=0"
    printf 'SELINUX=permissive\nSELINUXTYPE=default\n' >"$root/etc/selinux/config"
    chroot "$root" setfiles -F /etc/selinux/default/contexts/files/file_contexts / >"$work/labels" 2>&1 || { tail -5 "$work/labels"; die "the machine's files cannot be labelled"; }
fi
mkfs.ext4 -q -d "$root" "$disk"

echo "== the machine"
started=$SECONDS
timeout 4500 qemu-system-x86_64 -machine "q35,accel=${APPC_QEMU_ACCEL:-tcg}" -cpu max,-arch-capabilities -smp 2 -m 2048 -nographic -no-reboot -net none \
    -kernel "$(ls "$root"/boot/vmlinuz-* | tail -1)" -initrd "$(ls "$root"/boot/initrd.img-* | tail -1)" \
    -append "root=/dev/vda rw console=ttyS0 systemd.show_status=yes $parameters" \
    -drive "file=$disk,format=raw,if=virtio,cache=unsafe" </dev/null 2>&1 | sed -u 's|\r||g' | tee "$work/console"
echo "== $((SECONDS - started)) s"
grep -qx "all kept" "$work/console" || die "not all was kept"
