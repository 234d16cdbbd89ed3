namespace Appc.Benchmarks.Compare;

/// <summary>Something that is measured: what happens before (not measured), what is measured, what happens after.</summary>
internal sealed class Contestant(string name, Func<Task<int>> run)
{
    public string Name { get; } = name;

    public Func<Task> Before { get; init; } = () => Task.CompletedTask;

    public Func<Task<int>> Run { get; } = run;

    public Func<Task> After { get; init; } = () => Task.CompletedTask;

    public List<double> Milliseconds { get; } = [];
}
