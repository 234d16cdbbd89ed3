#!/usr/bin/env bash
# software.sh DIRECTORY PACKAGE...: makes a small root file system of packages of the distribution: their programs, the
# shared objects that these need, busybox as shell. What the host has is copied from it, what it lacks is downloaded and
# unpacked, and nothing is installed. Of packages given as 'a|b' the first that there is; '@NAME' stands for the package
# with a version in its name that NAME depends on.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=../../eng/lib.sh
. "$here/../../eng/lib.sh"

root=$1
shift
[ ! -e "$root/.complete" ] || exit 0
rm -rf "$root"
mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{etc,tmp,data,root}
for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$root/$directory"; done
chmod 1777 "$root/tmp"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

known() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
depends() {
    apt-cache depends "$@" --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances 2>/dev/null
}

known busybox || apt_update_once
packages=()
for wanted in "$@"; do
    chosen=
    for name in ${wanted//|/ }; do
        case $name in @*) name=$(depends "${name#@}" | sed -n "s/.*Depends: \(${name#@}-[0-9][0-9]*\)$/\1/p" | head -1) ;; esac
        if [ -n "$name" ] && known "$name"; then chosen=$name && break; fi
    done
    [ -n "$chosen" ] || die "no package is called $wanted"
    packages+=("$chosen")
done

# Libraries that the host lacks, those of node among them; the largest serve only what is not used here.
mapfile -t libraries < <(depends --recurse "${packages[@]}" | grep -E '^(lib|node-)[a-z0-9.+-]+$' | grep -vE '^lib(llvm|clang|perl|pam|python|systemd-shared|gdk|x11|gd3)' | sort -u)
unused='^(/usr/share/(doc|man|locale|lintian|bash-completion|systemtap)|/usr/include|/usr/lib/node_modules|/etc)(/|$)'
download=()
for package in "${packages[@]}" "${libraries[@]}"; do
    if ! installed "$package"; then
        download+=("$package")
    elif [[ " ${packages[*]} " == *" $package "* ]]; then
        dpkg -L "$package" | grep -vE "$unused" | while read -r path; do [ -d "$path" ] || echo "${path#/}"; done >"$work/files"
        tar -c -C / -T "$work/files" | tar -x -C "$root" --keep-directory-symlink
    fi
done
if [ ${#download[@]} -gt 0 ]; then
    (cd "$work" && apt-get download -q -o APT::Sandbox::User=root "${download[@]}" >log 2>&1) || {
        apt_update_once
        (cd "$work" && apt-get download -q -o APT::Sandbox::User=root "${download[@]}" >log 2>&1) || { tail -3 "$work/log" >&2; die "apt-get could not download: ${download[*]}"; }
    }
    for deb in "$work"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --exclude './usr/share/doc' --exclude './usr/share/man' --exclude './usr/share/locale' --exclude './etc'
    done
fi

# What the host has is taken from there, whole chains of it: ldd follows them.
path=$(find -L "$root/usr/lib" -maxdepth 1 -type d -name '*-linux-gnu*' | tr '\n' ':')$root/usr/lib
mapfile -t programs < <(find "$root"/usr/{bin,sbin} "$root"/usr/lib/*/[0-9]*/bin -type f -perm -100 2>/dev/null)
for program in "${programs[@]}"; do
    LD_LIBRARY_PATH=$path ldd "$program" 2>/dev/null || true
done | sort -u >"$work/objects"
if grep -q 'not found' "$work/objects"; then
    grep 'not found' "$work/objects" >&2
    die "libraries are missing"
fi
sed -nE 's/^[^/]*(\/[^ ]+) \(0x.*/\1/p' "$work/objects" | sort -u | while read -r object; do
    case $object in
        "$root"/*) ;;
        *) mkdir -p "$root$(dirname "$object")" && cp -L "$object" "$root$object" ;;
    esac
done

cp "$(command -v busybox)" "$root/usr/bin/busybox"
for applet in sh cat sleep wget mkdir ls rm test '[' id; do [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"; done
touch "$root/.complete"
