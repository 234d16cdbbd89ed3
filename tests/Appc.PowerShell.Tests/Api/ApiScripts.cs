using System.Collections.Concurrent;

namespace Appc.PowerShell.Tests.Api;

/// <summary>Runs the scripts of <c>Scripts</c>, each once, against <see cref="RecordedLibraries"/>.</summary>
public sealed class ApiScripts : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, Lazy<Task<ScriptRun>>> _runs = new(StringComparer.Ordinal);
    private readonly Workplace _workplace = new();
    private readonly string _libraries = Directory.CreateTempSubdirectory("appc-recorded-").FullName;

    public static string Scripts { get; } = Path.Combine(AppContext.BaseDirectory, "Scripts");

    /// <summary>What the test runs: every script that tells what it must print.</summary>
    public static IEnumerable<string> Names =>
        from file in Directory.EnumerateFiles(Scripts, "*.expected.txt")
        orderby file
        select Path.GetFileName(file).Replace(".expected.txt", "", StringComparison.Ordinal);

    public async ValueTask InitializeAsync()
    {
        await _workplace.InitializeAsync();
        RecordedLibraries.Write(_libraries);
    }

    public Task<ScriptRun> RunAsync(string name) => _runs.GetOrAdd(name, n => new Lazy<Task<ScriptRun>>(() => RunOnceAsync(n))).Value;

    private async Task<ScriptRun> RunOnceAsync(string name)
    {
        string work = Directory.CreateDirectory(Path.Combine(_workplace.Directory, name)).FullName;
        string called = Path.Combine(_workplace.Directory, name + ".called");
        string host = Path.Combine(AppContext.BaseDirectory, "host", "PowerShellHost");
        string script = Path.Combine(Scripts, name + ".ps1");
        (int exitCode, string[] output, string error) = await PowerShellScripts.RunProgramAsync(
            _workplace.Directory, "timeout", "--signal=KILL", "900", "env", "APPC_CALLED_MEMBERS=" + called, host, script, "-Modules", _libraries, "-Work", work);
        return new ScriptRun(exitCode, output, error, File.Exists(called) ? await File.ReadAllLinesAsync(called) : []);
    }

    public async ValueTask DisposeAsync()
    {
        await _workplace.DisposeAsync();
        Directory.Delete(_libraries, recursive: true);
    }
}
