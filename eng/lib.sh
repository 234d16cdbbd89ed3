# Sourced by the scripts at the top: installs what is missing, and nothing else.
# shellcheck shell=bash

export PATH="$PATH:/usr/sbin:/sbin"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Starts the calling script again as root where it is not.
become_root() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null || die "must run as root (pods need namespaces and mounts), and there is no sudo"
    exec sudo --preserve-env=PATH,DOTNET_ROOT,DOTNET_CLI_HOME,NUGET_PACKAGES bash "$@"
}

# need COMMAND=PACKAGE...: installs the packages whose command (or file, with a slash) is missing.
need() {
    local pair command missing=()
    for pair in "$@"; do
        command=${pair%%=*}
        case $command in
            */*) [ -e "$command" ] || missing+=("${pair#*=}") ;;
            *) command -v "$command" >/dev/null || missing+=("${pair#*=}") ;;
        esac
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "install these first: ${missing[*]}"
    echo "installing: ${missing[*]}" >&2
    apt_install "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
}

# want COMMAND=PACKAGE...: like need, one by one, and goes on without what cannot be had.
want() {
    local pair
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || apt_install "${pair#*=}" || echo "not to be had here: ${pair#*=}" >&2
    done
}

apt_install() {
    apt_update_once
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >"${TMPDIR:-/tmp}/appc-apt.$$" 2>&1 </dev/null || {
        tail -5 "${TMPDIR:-/tmp}/appc-apt.$$" >&2
        rm -f "${TMPDIR:-/tmp}/appc-apt.$$"
        return 1
    }
    rm -f "${TMPDIR:-/tmp}/appc-apt.$$"
}

apt_updated=
apt_update_once() {
    [ -n "$apt_updated" ] && return
    apt_updated=1
    DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null 2>&1 </dev/null || echo "apt-get update failed: going on with the lists that are here" >&2
}

# The .NET 10 SDK, from the distribution where it has it.
need_dotnet() {
    # What the SDK itself needs and a minimal system lacks; without ICU it runs with invariant cultures.
    need /etc/ssl/certs/ca-certificates.crt=ca-certificates
    ldconfig -p | grep -q libicuuc || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
    ldconfig -p | grep -q "libstdc++.so.6" || apt_install libstdc++6 || die "apt-get could not install libstdc++6"
    if [ -z "$(command -v dotnet)" ] && [ -x /usr/share/dotnet/dotnet ]; then
        export PATH="$PATH:/usr/share/dotnet"
    fi
    if ! command -v dotnet >/dev/null || ! dotnet --list-sdks 2>/dev/null | grep -q '^1[0-9]\.'; then
        echo "installing: dotnet-sdk-10.0" >&2
        apt_install dotnet-sdk-10.0 ||
            die "the .NET 10 SDK is missing and this distribution does not package it: install it so that 'dotnet' is on the PATH"
    fi
}

# debian_tree TREE RELEASE PACKAGES [MIRROR]: a Debian in a directory, made once. From where this system has its own packages, if
# it is a Debian and nothing else is said; otherwise debootstrap knows a place.
debian_tree() {
    local tree=$1 release=$2 packages=$3 mirror=${4:-} script=/usr/share/debootstrap/scripts/$2 log
    [ ! -e "$tree/.complete" ] || return 0
    echo "== a Debian $release in $tree"
    # shellcheck disable=SC2016
    [ -n "$mirror" ] || ! grep -qx 'ID=debian' /etc/os-release || mirror=$(apt-get indextargets --format '$(REPO_URI)' | sed -n 1p)
    # All releases are made in the same way, those that this debootstrap has not heard of too.
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    rm -rf "$tree"
    mkdir -p "$(dirname "$tree")"
    log=$tree.log
    debootstrap --variant=minbase --include="$packages" "$release" "$tree" ${mirror:+"$mirror" "$script"} >"$log" 2>&1 ||
        { tail -20 "$log"; die "debootstrap failed"; }
    rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$log"
    touch "$tree/.complete"
}
