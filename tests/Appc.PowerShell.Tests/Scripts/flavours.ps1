# Flavours that are classes of a script: each hands what it is asked on to one of the library, and notes it.
class OwnStage1 : Appc.Stage1.IStage1, Appc.Stage1.IStage1Attach, Appc.Stage1.IStage1Collector, Appc.Stage1.IStage1Exec, Appc.Stage1.IStage1Isolators, Appc.Stage1.IStage1Layers {
    [object] $Inner
    [Collections.Concurrent.ConcurrentDictionary[string, object]] $Seen = [Collections.Concurrent.ConcurrentDictionary[string, object]]::new()
    # Properties of a class are read on any thread; its methods run on the thread of the script.
    [string] $Name
    [Appc.Stage1.Stage1Features] $Features
    OwnStage1([object] $inner) {
        $this.Inner = $inner
        $this.Name = $inner.Name
        $this.Features = $inner.Features
    }
    [Threading.Tasks.Task[Appc.Stage1.Stage1HostReport]] ProbeAsync([Threading.CancellationToken] $cancel) { return $this.Inner.ProbeAsync($cancel) }
    [Threading.Tasks.Task[Appc.Stage1.Stage1Process]] StartAsync([Appc.Stage1.Stage1Pod] $pod, [Threading.CancellationToken] $cancel) {
        $this.Seen['pod'] = $pod
        $task = $this.Inner.StartAsync($pod, $cancel)
        $this.Seen['process'] = $task
        return $task
    }
    [Threading.Tasks.Task] StopAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [timespan] $grace, [Threading.CancellationToken] $cancel) {
        $this.Seen['grace'] = $grace
        return $this.Inner.StopAsync($pod, $first, $grace, $cancel)
    }
    [Threading.Tasks.Task] CollectAsync([Appc.Stage1.Stage1Pod] $pod, [Threading.CancellationToken] $cancel) { return $this.Inner.CollectAsync($pod, $cancel) }
    [Threading.Tasks.Task[Appc.Stage1.Stage1Attachment]] AttachAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [Appc.Manifests.AcName] $app, [Threading.CancellationToken] $cancel) {
        $task = $this.Inner.AttachAsync($pod, $first, $app, $cancel)
        $this.Seen['attachment'] = $task
        return $task
    }
    [Threading.Tasks.Task[Appc.Stage1.Stage1Garbage]] CollectGarbageAsync([Appc.Stage1.Stage1Pod] $pod, [Threading.CancellationToken] $cancel) {
        $task = $this.Inner.CollectGarbageAsync($pod, $cancel)
        $this.Seen['garbage'] = $task
        return $task
    }
    [Threading.Tasks.Task[Appc.Stage1.Stage1Garbage]] CollectOrphansAsync([string] $root, [Func[string, bool]] $exists, [Threading.CancellationToken] $cancel) {
        return $this.Inner.CollectOrphansAsync($root, $exists, $cancel)
    }
    [Threading.Tasks.Task[Appc.Stage1.Stage1Exec]] ExecAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [Appc.Manifests.AcName] $app, [Appc.Stage1.Stage1Command] $command, [Threading.CancellationToken] $cancel) {
        $this.Seen['command'] = $command
        $task = $this.Inner.ExecAsync($pod, $first, $app, $command, $cancel)
        $this.Seen['exec'] = $task
        return $task
    }
    [Appc.Stage1.Stage1Layer] LayerOf([Appc.Stage1.Stage1Pod] $pod, [Appc.Manifests.AcName] $app) {
        $this.Seen['layer'] = $this.Inner.LayerOf($pod, $app)
        return $this.Seen['layer']
    }
    [Collections.Generic.IReadOnlyList[Appc.Stage1.UnenforcedIsolator]] FindUnenforced([Appc.Manifests.PodManifest] $manifest, [Appc.Stage1.Stage1Options] $options, [bool] $mutable) {
        return $this.Inner.FindUnenforced($manifest, $options, $mutable)
    }
}
class OwnStage1WithApps : OwnStage1, Appc.Stage1.IStage1Apps {
    OwnStage1WithApps([object] $inner) : base($inner) { }
    [Threading.Tasks.Task] CheckAppAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [Appc.Manifests.AcName] $app, [Threading.CancellationToken] $cancel) { return $this.Inner.CheckAppAsync($pod, $first, $app, $cancel) }
    [Collections.Generic.IReadOnlyList[Appc.Stage1.UnenforcedIsolator]] FindUnenforced([Appc.Stage1.Stage1Pod] $pod, [Appc.Manifests.AcName] $app) { return $this.Inner.FindUnenforced($pod, $app) }
    [Threading.Tasks.Task] AddAppAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [Appc.Manifests.AcName] $app, [Threading.CancellationToken] $cancel) { return $this.Inner.AddAppAsync($pod, $first, $app, $cancel) }
    [Threading.Tasks.Task] StartAppAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [Appc.Manifests.AcName] $app, [Threading.CancellationToken] $cancel) { return $this.Inner.StartAppAsync($pod, $first, $app, $cancel) }
    [Threading.Tasks.Task] StopAppAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [Appc.Manifests.AcName] $app, [timespan] $grace, [Threading.CancellationToken] $cancel) { return $this.Inner.StopAppAsync($pod, $first, $app, $grace, $cancel) }
    [Threading.Tasks.Task] RemoveAppAsync([Appc.Stage1.Stage1Pod] $pod, [Appc.Stage1.Stage1ProcessId] $first, [Appc.Manifests.AcName] $app, [Threading.CancellationToken] $cancel) { return $this.Inner.RemoveAppAsync($pod, $first, $app, $cancel) }
}
