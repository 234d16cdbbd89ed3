# What the scripts beside this one share: they are started with the directory of the libraries and a directory to work in.
$ErrorActionPreference = 'Stop'
foreach ($name in 'Appc.Core', 'Appc.Signing', 'Appc.Stage1') { [void] [Reflection.Assembly]::LoadFrom("$Modules/$name.dll") }

# Waits as scripts should, so that what the library calls back runs meanwhile, and returns the result.
function Wait-Task($task) {
    while ([Threading.Tasks.Task]::WaitAny([Threading.Tasks.Task[]] @($task), 20) -lt 0) { }
    $result = $task.GetAwaiter().GetResult()
    if ($null -eq $result -or $result.GetType().Name -ne 'VoidTaskResult') { , $result }
}

$instance = [Reflection.BindingFlags] 'Instance, Public'
function Get-Names([type] $type) { $type.GetProperties($instance).Name }

# PowerShell takes a dictionary for one object.
function Get-Items($collection) { if ($collection -is [Collections.IDictionary]) { $collection.GetEnumerator() } else { $collection } }

# One line for a value of the library: what differs from run to run is masked.
function Format-Value($value, [string[]] $masked) {
    if ($null -eq $value) { return '-' }
    if ($value -is [string]) {
        $text = $value.Replace($Work, 'WORK') -replace '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'UUID'
        return $text -replace 'sha512-[0-9a-f]+', 'ID' -replace 'sha256-[0-9a-f]+', 'DIGEST' -replace '(?!2020)20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ', 'TIME' -replace '\b[0-9A-Fa-f]{40}\b', 'FINGERPRINT'
    }
    if ($value -is [DateTimeOffset]) { return $(if ($value.Year -eq 2020) { $value.ToString('u') } else { 'TIME' }) }
    $type = $value.GetType()
    if ($value -is [byte[]]) { return [Convert]::ToHexString($value) }
    if ($value -is [ReadOnlyMemory[byte]]) { return [Convert]::ToHexString($value.ToArray()) }
    if ($type.FullName -like 'System.Collections.Generic.KeyValuePair*') { return "$($value.Key):$(Format-Value $value.Value)" }
    if ($value -is [Collections.IEnumerable]) {
        # A list without an indexer of its own answers [0] with itself, as any object does.
        if ($value.GetType().Name -like '*List*' -and $value.Count -gt 0 -and [object]::ReferenceEquals($value[0], $value)) { throw "$($value.GetType()) has no [0]" }
        $items = [string[]] @(foreach ($item in (Get-Items $value)) { Format-Value $item $masked })
        # Images come in the order of their ids, which differ from machine to machine.
        if ("$(@(Get-Items $value)[0])" -like '* { Id = sha512*') { [array]::Sort($items, [StringComparer]::Ordinal) }
        return '[' + ($items -join ', ') + ']'
    }
    if ($type.Namespace -like 'Appc.*' -and -not $type.IsEnum -and $value -isnot [Exception]) {
        $parts = foreach ($name in (Get-Names $type)) {
            $part = $value.$name
            "$name=" + $(if ($name -in $masked) { '*' } else { Format-Value $part $masked })
        }
        # Values that are one text say so better than by their parts.
        if ($type.GetMethod('Parse', [type[]] @([string])) -and $type.Name -notlike '*Manifest') { return Format-Value "$value" }
        return '{' + ($parts -join '; ') + '}'
    }
    Format-Value "$value"
}

# Prints a value, a line for each of its properties.
function Show($title, $value, [string[]] $masked = @()) {
    "$title`: $($value.GetType().Name)"
    foreach ($name in (Get-Names $value.GetType())) {
        $part = $value.$name
        "  $name = " + $(if ($name -in $masked) { '*' } else { Format-Value $part $masked })
    }
}

# Makes the same record once more, as a script makes one, of its type and its properties: whether it equals the original.
function Test-Rebuilt($value) {
    $type = $value.GetType()
    $most = $null
    foreach ($constructor in $type.GetConstructors()) {
        if ($null -eq $most -or $constructor.GetParameters().Count -gt $most.GetParameters().Count) { $most = $constructor }
    }
    $arguments = @(foreach ($parameter in $most.GetParameters()) { , (Protect-Null $value.($parameter.Name) $parameter.ParameterType) })
    $copy = if ($arguments.Count -eq 0) { $type::new() } else { $type::new.Invoke([object[]] $arguments) }
    foreach ($property in $type.GetProperties($instance) | Where-Object { $_.GetSetMethod() }) {
        $copy.($property.Name) = Protect-Null $value.($property.Name) $property.PropertyType
    }
    $copy -eq $value
}

# PowerShell makes an empty string of null where a string is wanted.
function Protect-Null($value, [type] $type) { if ($null -eq $value -and $type -eq [string]) { , [NullString]::Value } else { , $value } }

# Makes every record in the values once more; prints, a line for each type, whether all are equal to their originals.
function Show-Rebuilt([object[]] $values) {
    $todo = [Collections.Generic.Stack[object]]::new()
    foreach ($value in $values) { $todo.Push($value) }
    $equal = [Collections.Generic.SortedDictionary[string, bool]]::new()
    while ($todo.Count -gt 0) {
        $value = $todo.Pop()
        if ($null -eq $value -or $value -is [string]) { continue }
        $type = $value.GetType()
        if ($value -is [Collections.IEnumerable]) { foreach ($item in (Get-Items $value)) { $todo.Push($item) } }
        elseif ($type.Namespace -like 'Appc.*' -and -not $type.IsEnum) {
            foreach ($name in (Get-Names $type)) { $todo.Push($value.$name) }
            if ($type.GetMethod('<Clone>$') -and $type.GetConstructors()) {
                $equal[$type.Name] = (Test-Rebuilt $value) -and ($equal[$type.Name] -ne $false)
            }
        }
    }
    foreach ($name in $equal.Keys) { "rebuilt $name`: $($equal[$name])" }
}

# The exception that the call ends with.
function Get-Failure([scriptblock] $call) {
    try { [void] (& $call) } catch { $e = $_.Exception; while ($e -isnot [Appc.AppcException] -and $e.InnerException) { $e = $e.InnerException }; return $e }
    throw "no failure of $call"
}

# Builds an image of the root file system with busybox, stores it, and returns it.
function Get-Image($runtime, [string] $name, $app) {
    $file = "$Work/$($name.Replace('/', '-')).aci"
    $manifest = [Appc.Manifests.ImageManifestBuilder]::new($name).SetVersion('1').SetOsArch('linux', [Appc.Manifests.OsArch]::Current.Arch).SetApp($app).Build()
    [void] (Wait-Task ([Appc.Images.AciWriter]::BuildAsync($manifest, [IO.Path]::GetFullPath("$Work/../rootfs"), $file)))
    Wait-Task ($runtime.FetchAsync($file))
}

# What the stream gives until it ends.
function Read-Stream([IO.Stream] $stream) { Wait-Task ([IO.StreamReader]::new($stream).ReadToEndAsync()) }
