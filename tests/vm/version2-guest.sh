# Runs as process 1's only work in the machine that version2.sh makes.
export DOTNET_ROOT=/dotnet DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 HOME=/root PATH=/usr/bin:/usr/sbin
b=/bin/busybox groups=/sys/fs/cgroup
$b mkdir -p /dev/pts /dev/shm
$b mount -t devpts pts /dev/pts
for d in /dev/shm /run /tmp; do $b mount -t tmpfs tmpfs $d; done
$b ifconfig lo up

appc() { /appc/appc --root /var/lib/appc --config /etc/appc --system-config /usr/lib/appc-none --insecure-options=image "$@" 2>&1; }
greedy() { appc run --rm --strict "$@" $plain --memory 64M --exec /bin/dd -- if=/dev/zero of=/dev/null bs=200M count=1; }
check() { # NAME EXPECTED FOUND
    if [ "$2" = "$3" ]; then echo "ok $1"; else echo "FAILED $1: '$3', not '$2'"; fi
}
left() { $b find $groups -name 'appc-*'; }

plain=$(appc fetch /exp/plain.aci | $b tail -1)
own=$(appc fetch /exp/own.aci | $b tail -1)

for flavour in nspawn fly; do
    greedy --stage1 $flavour; check "$flavour: past the memory limit" 137 $?
    appc run --rm --strict --stage1 $flavour $plain --memory 64M --exec /bin/dd -- if=/dev/zero of=/dev/null bs=16M count=1; check "$flavour: below it" 0 $?
    check "$flavour: nothing left" "" "$(left)"
done

uuid=$(appc run --detach --strict $own | $b tail -1)
pod=$groups/appc-$uuid app=$groups/appc-$uuid/payload/system.slice/app-own.service
until [ -e $app ]; do $b sleep 1; done
check "memory.max" 67108864 "$($b cat $app/memory.max)"
check "memory.low" "16777216 16777216" "$($b cat $app/memory.low) $($b cat $pod/memory.low)"
check "memory.swap.max" 0 "$($b cat $app/memory.swap.max)"
check "cpu.max" "25000 100000" "$($b cat $app/cpu.max)"
check "cpu.weight" 50 "$($b cat $app/cpu.weight)"
check "io.max" "254:0 rbps=2000000 wbps=2000000 riops=300 wiops=300" "$($b cat $pod/io.max)"
appc stop $uuid
check "stopped: nothing left" "" "$(left)"

# Apps that are added to a running pod, which has no limits of its own.
uuid=$(appc run --detach --mutable $plain --name first --exec /bin/sleep -- 1000 | $b tail -1)
pod=$groups/appc-$uuid app=$groups/appc-$uuid/payload/system.slice/app-own.service status=/var/lib/appc/pods/run/$uuid/status
appc app add --strict $uuid $own | $b grep -q 'resource/block'; check "added, with limits of block devices: refused" 0 $?
check "added: its name" own "$(appc app add $uuid $own | $b tail -1)"
until [ -e $app/memory.max ]; do $b sleep 1; done
check "added: memory" "67108864 16777216 0" "$($b cat $app/memory.max $app/memory.low $app/memory.swap.max | $b xargs)"
check "added: processors" "25000 100000 50" "$($b cat $app/cpu.max $app/cpu.weight | $b xargs)"
check "added: memory.low of the pod" 16777216 "$($b cat $pod/memory.low)"
appc app rm $uuid own
check "removed: memory.low of the pod" 0 "$($b cat $pod/memory.low)"
check "removed: its group" "" "$($b find $pod -name '*own*')"
appc app add --strict $uuid $plain --name greedy --memory 64M --exec /bin/dd -- if=/dev/zero of=/dev/null bs=200M count=1
until [ -s $status/greedy ]; do $b sleep 1; done
check "added: past the memory limit" "killed KILL oom-kill" "$($b cat $status/greedy)"
appc app start $uuid greedy
until [ -s $status/greedy ]; do $b sleep 1; done
check "started again: past the memory limit" "killed KILL oom-kill" "$($b cat $status/greedy)"
check "the other app runs" 1 "$($b wc -l < $pod/payload/system.slice/app-first.service/cgroup.procs)"
appc stop $uuid
check "mutable: nothing left" "" "$(left)"

# This program in a group: as a unit without Delegate=, with it, and with DelegateSubgroup= too.
for c in memory cpu io; do echo +$c > $groups/cgroup.subtree_control; done
$b mkdir $groups/unit
echo $$ > $groups/unit/cgroup.procs
greedy | $b grep -q 'belongs to systemd'; check "not delegated: refused" 0 $?
uuid=$(appc run --detach --mutable $plain --name first --exec /bin/sleep -- 1000 | $b tail -1)
appc app add --strict $uuid $own | $b grep -q 'the pod has no controller for memory'; check "not delegated: refused in a running pod" 0 $?
appc stop $uuid
setfattr -n trusted.delegate -v 1 $groups/unit
greedy | $b grep -q 'DelegateSubgroup=main'; check "no group of its own: refused" 0 $?
$b mkdir $groups/unit/main
echo $$ > $groups/unit/main/cgroup.procs
greedy; check "delegated: past the memory limit" 137 $?
uuid=$(appc run --detach --mutable $plain --name first --exec /bin/sleep -- 1000 | $b tail -1)
check "delegated: the controllers of a mutable pod" "cpu memory" "$($b cat $groups/unit/appc-$uuid/cgroup.subtree_control | $b grep -oE 'cpu|memory' | $b sort -u | $b xargs)"
appc stop $uuid
check "delegated: nothing left" "" "$(left)"
echo "done all"
$b poweroff -f
