#!/bin/bash
# Runs inside a machine whose process 1 is systemd, as root: pods in services, by the rules of the host's systemd.
#   host-check.sh DIRECTORY
# DIRECTORY holds appc/ and pods/ (published), service (service.c, static) and busybox. Prints a line for each promise
# that was kept; the first that is not ends it.
set -u
dir=$1
work=/var/lib/appc-check
slow=${APPC_SLOW:-1} # by how much longer everything may take, as in an emulated machine
root=$work/data
appc() { "$dir/appc/appc" --root "$root" --insecure-options image "$@"; }

fail() {
    echo "FAILED: $*"
    systemctl status --no-pager --full pods.service web.service web.socket 2>&1 | tail -30
    journalctl --no-pager -n 40 2>/dev/null
    for log in "$root"/pods/*/*/stage1/nspawn.log "$root"/pods/*/*/logs/*; do [ -s "$log" ] && { echo "== $log"; tail -5 "$log"; }; done
    exit 1
}
ok() { echo "ok: $*"; }

# until_true SECONDS COMMAND...: waits for something that systemd or a pod does by itself.
until_true() {
    local end=$((SECONDS + $1 * slow))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# The control groups of a unit, in the version 2 hierarchy wherever it is mounted.
hierarchy=$(findmnt -n -o TARGET -t cgroup2 | head -1)
group() { echo "$hierarchy$(systemctl show -P ControlGroup "$1")"; }
processes() { find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null; }
state() { [ "$(systemctl show -P ActiveState "$1")" = "$2" ]; }
uuids() { appc --format json list | grep -o '"uuid": *"[^"]*"' | cut -d'"' -f4; }
running() { [ "$(pgrep -xc service)" -eq "$1" ]; }
nothing_left() {
    ! pgrep -x service >/dev/null && ! pgrep -x systemd-nspawn >/dev/null &&
        [ -z "$(find "$hierarchy" -name 'appc-*' -type d)" ] && [ -z "$(ls -A "$root/uidranges" 2>/dev/null | grep -v '^\.')" ] &&
        ! grep -q systemd/nspawn/apps /proc/self/mountinfo
}

rm -rf "$work"
mkdir -p "$work/rootfs/bin" "$work/rootfs/tmp"
cp "$dir/service" "$dir/busybox" "$work/rootfs/bin/"
ln -s busybox "$work/rootfs/bin/touch"
# image NAME EXEC [MEMBERS]
image() {
    cat >"$work/manifest" <<MANIFEST
{ "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/$1",
  "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "$(uname -m | sed 's/x86_64/amd64/')"}],
  "annotations": [{"name": "appc.io/executor/supports-systemd-notify", "value": "${4:-true}"}],
  "app": { "exec": $2, "user": "0", "group": "0" ${3:-} } }
MANIFEST
    "$dir/appc/appc" build --manifest "$work/manifest" --rootfs "$work/rootfs" --overwrite "$work/$1.aci" >/dev/null || fail "build $1"
}
image first '["/bin/service", "announce"]'
image second '["/bin/service", "announce"]'
image web '["/bin/service", "serve"]' ', "ports": [{"name": "http", "protocol": "tcp", "port": 80, "socketActivated": true}]' false

unit() { cat >"/run/systemd/system/$1"; }
mkdir -p /run/systemd/system
environment="DOTNET_ROOT=${DOTNET_ROOT:-/usr/share/dotnet} DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"
unit pods.service <<UNIT
[Service]
Type=notify
Environment=$environment
ExecStart=$dir/pods/pods $root --insecure $work/first.aci $work/second.aci
Delegate=yes
KillMode=mixed
TimeoutStopSec=$((30 * slow))
TimeoutStartSec=$((90 * slow))
UNIT
unit web.socket <<UNIT
[Socket]
ListenStream=127.0.0.1:8080
FileDescriptorName=http
UNIT
unit web.service <<UNIT
[Service]
Type=notify
Environment=$environment
ExecStart=$dir/appc/appc --root $root --insecure-options image run --rm $work/web.aci
Delegate=yes
KillMode=mixed
UNIT
systemctl daemon-reload || fail "daemon-reload"

systemctl start --no-block pods.service
until_true 60 running 2 || fail "two pods start"
state pods.service activating || fail "the service waits for its apps"
ok "the service is starting for as long as its apps are not ready"
for uuid in $(uuids); do appc enter "$uuid" /bin/touch /tmp/go || fail "enter"; done
until_true 30 state pods.service active || fail "readiness reaches the unit"
ok "it is started when they are ready"

until_true 10 sh -c "journalctl --no-pager -o cat -u pods.service -t first | grep -qx announced" || fail "the journal has the app's output"
ok "the journal has what the apps write, under the unit and by their names"
own=$(group pods.service)
for pid in $(pgrep -x 'systemd-nspawn|service'); do
    processes "$own" | grep -qx "$pid" || fail "process $pid is not below $own"
done
[ "$(find "$own" -maxdepth 1 -name 'appc-*' | wc -l)" -eq 2 ] || fail "two control groups below $own"
ok "all processes of both pods are in control groups below the unit's"

systemctl stop pods.service || fail "stop"
[ "$(systemctl show -P Result pods.service)" = success ] || fail "the stop was clean"
nothing_left || fail "nothing is left after the stop"
[ -z "$(uuids)" ] || fail "the pods are removed"
ok "systemctl stop ends both, and nothing is left"

systemctl start --no-block pods.service
until_true 60 running 2 || fail "two pods start again"
for uuid in $(uuids); do appc enter "$uuid" /bin/touch /tmp/go || fail "enter"; done
until_true 30 state pods.service active || fail "ready again"
systemctl restart --no-block pods.service
until_true 60 state pods.service activating || fail "the restart begins"
until_true 60 running 2 || fail "two pods after a restart"
ok "the service can be restarted"

# The program is killed: systemd ends what it left behind, and the next collection frees what it held.
pid=$(systemctl show -P MainPID pods.service)
kill -KILL "$pid"
until_true 60 state pods.service failed || fail "the service fails"
until_true 10 running 0 || fail "the apps end with the program"
appc gc --grace-period 0 >/dev/null || fail "gc"
until_true 10 nothing_left || fail "nothing is left after the program was killed"
systemctl reset-failed pods.service
ok "when the program is killed its pods end, and a collection frees what they held"

systemctl start web.socket || fail "the socket listens"
running 0 || fail "nothing runs before a connection"
ask() { exec 5<>/dev/tcp/127.0.0.1/8080 && printf '%s' "$1" >&5 && answer=$(cat <&5); exec 5>&-; }
ask hello || fail "connect"
[ "$answer" = "http got hello" ] || fail "the app answers: '$answer'"
until_true 10 state web.service active || fail "the service is active"
ok "a connection to the host's socket starts the service, and the app in its pod answers"
systemctl stop web.socket web.service || fail "stop web"
nothing_left || fail "nothing is left of the web pod"
ok "nothing is left of it"
# A pod in a scope of its own: not in the unit of the program that started it, and with a life of its own.
unit scoped.service <<UNIT
[Service]
Type=notify
Environment=$environment
ExecStart=$dir/pods/pods $root --insecure --scope --register $work/first.aci
Delegate=yes
UNIT
systemctl daemon-reload || fail "daemon-reload"
systemctl start --no-block scoped.service
until_true 60 running 1 || fail "a pod in a scope starts"
uuid=$(uuids)
scope=appc-$uuid.scope
state "$scope" active || fail "the scope is active"
[ "$(systemctl show -P Slice "$scope")" = machine.slice ] || fail "the scope is in machine.slice"
[ "$(systemctl show -P Delegate "$scope")" = yes ] || fail "the scope is delegated"
own=$(group "$scope")
for pid in $(pgrep -x 'systemd-nspawn|service'); do
    processes "$own" | grep -qx "$pid" || fail "process $pid is not in $own"
done
until_true 10 sh -c "! pgrep -f '^appc-scope' >/dev/null" || fail "what held the scope is left"
until_true 10 sh -c "[ ! -d '$own/start' ]" || fail "the group of what held the scope is left"
appc enter "$uuid" /bin/touch /tmp/go || fail "enter a pod in a scope"
until_true 30 state scoped.service active || fail "its readiness reaches the unit"
machinectl --no-legend list | grep -q "^appc-$uuid " || fail "machined knows the pod in the scope"
ok "a pod is in a scope of its own when that is asked for, with all of its processes, and machined knows it"
kill -KILL "$(systemctl show -P MainPID scoped.service)"
until_true 60 state scoped.service failed || fail "the service fails"
systemctl reset-failed scoped.service
running 1 || fail "the pod in the scope lives on"
state "$scope" active || fail "the scope is still active"
[ "$(appc --format json status "$uuid" | grep -c '"state": *"running"')" -ge 1 ] || fail "it is running for others, too"
ok "it goes on when the unit of its program ends"
systemctl stop "$scope" || fail "stop the scope"
until_true 10 running 0 || fail "the app ends with the scope"
appc --format json status "$uuid" | grep -q '"exitCode": *0' || fail "the app was asked to stop: $(appc --format json status "$uuid")"
until_true 10 state "$scope" inactive || fail "the scope is gone"
appc gc --grace-period 0 >/dev/null || fail "gc"
until_true 10 nothing_left || fail "nothing is left of the pod in the scope"
ok "systemctl stop of the scope asks its app to stop, and nothing is left"
systemctl start --no-block scoped.service
until_true 60 running 1 || fail "another pod in a scope starts"
uuid=$(uuids)
appc enter "$uuid" /bin/touch /tmp/go || fail "enter the other pod"
until_true 30 state scoped.service active || fail "ready once more"
systemctl stop scoped.service || fail "stop the service"
until_true 10 state "appc-$uuid.scope" inactive || fail "the scope ends with its pod"
nothing_left || fail "nothing is left after an orderly stop"
ok "a scope ends with its pod"
for image in first second; do
    uuid=$(appc run --detach --register "$work/$image.aci") || fail "the command line registers a pod"
    machinectl --no-legend list | grep -q "^appc-$uuid " || fail "machined knows the pod $image"
    state "appc-$uuid.scope" active || fail "the pod $image is in a scope"
done
machinectl terminate "appc-$uuid" || fail "machinectl terminate"
until_true 10 state "appc-$uuid.scope" inactive || fail "machinectl ends a pod"
running 1 || fail "it ends no other"
for uuid in $(uuids); do appc stop --force "$uuid" >/dev/null; appc rm "$uuid" >/dev/null || fail "remove a registered pod"; done
until_true 10 nothing_left || fail "nothing is left of registered pods"
ok "machined knows several pods, and can end one of them"
uuid=$("$dir/appc/appc" --root "$root" --insecure-options image run --detach --scope "$work/second.aci") || fail "the command line starts a pod in a scope"
state "appc-$uuid.scope" active || fail "the scope that the command line asked for is active"
running 1 || fail "it runs when the command has ended"
appc stop "$uuid" || fail "stop the pod of the command line"
until_true 10 state "appc-$uuid.scope" inactive || fail "this scope ends with its pod too"
appc rm "$uuid" || fail "remove the pod of the command line"
nothing_left || fail "nothing is left of the pod of the command line"
ok "the command line gives a pod a scope"

# Limits, where the version 2 hierarchy has the controllers: in a unit that hands them on, and in a scope.
version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if grep -qw memory "$hierarchy/cgroup.controllers"; then
    greedy='["/bin/busybox", "dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"]'
    image greedy "$greedy" ', "isolators": [{"name": "resource/memory", "value": {"limit": "64M"}}]' false
    subgroup="DelegateSubgroup=main" enter=
    if [ "$version" -lt 254 ]; then
        subgroup= enter='g='$hierarchy'$$(sed -n s/^0:://p /proc/self/cgroup); mkdir $$g/main; echo $$$$ >$$g/main/cgroup.procs; '
    fi
    unit limited.service <<UNIT
[Service]
Type=oneshot
Environment=$environment
ExecStart=/bin/sh -c '${enter}exec $dir/appc/appc --root $root --insecure-options image run --rm --strict $work/greedy.aci'
Delegate=yes
$subgroup
UNIT
    systemctl daemon-reload || fail "daemon-reload"
    systemctl start limited.service && fail "an app past its limit of memory succeeds in a unit"
    [ "$(systemctl show -P ExecMainStatus limited.service)" = 137 ] || fail "an app past its limit of memory is killed in a unit"
    systemctl reset-failed limited.service
    nothing_left || fail "nothing is left of the limited pod"
    ok "an app past its limit of memory is killed in a unit that delegates its group"
    appc run --rm --scope --strict "$work/greedy.aci"
    [ $? -eq 137 ] || fail "an app past its limit of memory is killed in a scope"
    until_true 10 nothing_left || fail "nothing is left of the limited pod in a scope"
    ok "and in a scope of its pod's own"
fi

if [ -d /sys/kernel/security/apparmor ] && command -v apparmor_parser >/dev/null; then
    cat >"$work/profile" <<'PROFILE'
profile appc-check flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  signal,
  ptrace,
  unix,
  deny /**/forbidden w,
  deny /forbidden w,
}
PROFILE
    apparmor_parser -r "$work/profile" || fail "load a profile"
    image confined '["/bin/busybox", "sh", "-c", "cat /proc/self/attr/current; busybox=/bin/busybox; $busybox touch /allowed /tmp/forbidden; [ -e /allowed ] && [ ! -e /tmp/forbidden ] && echo confined; exec $busybox sleep 1000"]' \
        ', "isolators": [{"name": "os/linux/apparmor-profile", "value": {"profile": "appc-check"}}]' false
    for stage1 in nspawn fly; do
        uuid=$(appc run --detach --strict --stage1 $stage1 "$work/confined.aci") || fail "a pod with a profile under $stage1"
        until_true 10 sh -c "'$dir/appc/appc' --root '$root' logs '$uuid' | grep -qx confined" || fail "the profile forbids: $(appc logs "$uuid")"
        appc logs "$uuid" | grep -qx 'appc-check (enforce)' || fail "the app has the profile: $(appc logs "$uuid")"
        [ "$(appc enter "$uuid" /bin/busybox cat /proc/self/attr/current)" = "appc-check (enforce)" ] || fail "a command has the profile under $stage1"
        appc stop --force "$uuid" >/dev/null && appc rm "$uuid" >/dev/null || fail "stop a pod with a profile"
        ok "an app under $stage1 and a command in it have the AppArmor profile that is asked for"
    done
    image unknown '["/bin/busybox", "true"]' ', "isolators": [{"name": "os/linux/apparmor-profile", "value": {"profile": "appc-none"}}]' false
    appc run --rm --strict "$work/unknown.aci" && fail "a profile that is not loaded is refused"
    ok "a profile that is not loaded is refused"
fi

if [ -e /sys/fs/selinux/enforce ]; then
    label=system_u:system_r:container_t:s0:c1,c2
    image labelled '["/bin/busybox", "sh", "-c", "cat /proc/self/attr/current; echo; exec /bin/busybox sleep 987"]' \
        ', "isolators": [{"name": "os/linux/selinux-context", "value": {"user": "system_u", "role": "system_r", "type": "container_t", "level": "s0:c1,c2"}}]' false
    for stage1 in nspawn fly; do
        uuid=$(appc run --detach --strict --stage1 $stage1 "$work/labelled.aci") || fail "a pod with a context under $stage1"
        until_true 10 sh -c "'$dir/appc/appc' --root '$root' logs '$uuid' | grep -aq '$label'" || fail "the app has the context under $stage1: $(appc logs "$uuid")"
        [ "$(appc enter "$uuid" /bin/busybox cat /proc/self/attr/current | tr -d '\0')" = "$label" ] || fail "a command has the context under $stage1"
        until_true 10 pgrep -fx '/bin/busybox sleep 987' >/dev/null || fail "the app sleeps"
        found=$(stat -L -c %C "/proc/$(pgrep -fx '/bin/busybox sleep 987')/root/")
        case $found in *:container_*_t:s0:c1,c2) ;; *) fail "its files have a type of containers and its level under $stage1: $found" ;; esac
        appc stop --force "$uuid" >/dev/null && appc rm "$uuid" >/dev/null || fail "stop a pod with a context"
        ok "an app under $stage1, its files and a command in it have the SELinux context that is asked for"
    done
    image unknown '["/bin/busybox", "true"]' ', "isolators": [{"name": "os/linux/selinux-context", "value": {"user": "system_u", "role": "system_r", "type": "appc_none_t", "level": "s0"}}]' false
    appc run --rm --strict "$work/unknown.aci" && fail "a context that the policy does not have is refused"
    ok "a context that the policy does not have is refused"
fi

rm -rf "$work"
echo "all kept"
