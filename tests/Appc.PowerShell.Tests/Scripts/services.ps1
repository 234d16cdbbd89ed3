# A provider of services as small as can be, and an app in memory that is a method.
class Fixed : Microsoft.Extensions.Options.IOptions[Appc.Hosting.AppcOptions] { [Appc.Hosting.AppcOptions] $Value }
class Provider : IServiceProvider {
    [object] $Services
    [object] $Options
    [hashtable] $Made = @{}
    Provider([object] $services, [Appc.Hosting.AppcOptions] $options) { $this.Services = $services; $this.Options = [Fixed] @{ Value = $options } }
    [object] GetService([type] $type) {
        if ($type -eq [Microsoft.Extensions.Options.IOptions[Appc.Hosting.AppcOptions]]) { return $this.Options }
        foreach ($service in $this.Services) {
            if ($service.ServiceType -eq $type) {
                if (-not $this.Made.ContainsKey($type)) { $this.Made[$type] = $service.ImplementationFactory.Invoke($this) }
                return $this.Made[$type]
            }
        }
        return $null
    }
}
class Behaviour {
    [Threading.Tasks.Task[int]] Run([Appc.Stage1.InMemory.InMemoryApp] $app, [Threading.CancellationToken] $cancellationToken) {
        $app.StandardOutput.Write("$($app.Name) of $($app.PodUuid.Length) runs $($app.App.Exec[0])")
        $app.StandardError.Write('to the other one')
        return [Threading.Tasks.Task]::FromResult(3)
    }
}
class Change { [void] Apply([Appc.Pods.PodSpec] $spec) { $spec.Apps[0].Arguments.Add('-c'); $spec.Apps[0].Arguments.Add('echo up; sleep 1000') } }
