namespace Appc.Conformance.Tests.Samples;

/// <summary>How a sample of docs/pods.md is run.</summary>
/// <param name="Contains">What only this sample contains.</param>
/// <param name="Pod">What there is before: a <c>running</c> pod that it is given, a <c>shop</c> of three pods, or <c>none</c>.</param>
/// <param name="Between">What happens where its first blank line is.</param>
/// <param name="After">What is done with what it made.</param>
/// <param name="Output">What it prints.</param>
public sealed record GuideCase(string Contains, string Pod, string? Between, string? After, string Output)
{
    private const string Request = """
        using HttpClient asked = new();
        string answer = "";
        while (answer.Length == 0)
        {
            try
            {
                answer = await asked.GetStringAsync(ADDRESS, cancellationToken);
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50, cancellationToken);
            }
        }

        Console.WriteLine(answer.TrimEnd());
        """;

    /// <summary>All samples; a test compares them with those of the document.</summary>
    public static IReadOnlyList<GuideCase> All { get; } =
    [
        new("FetchAsync(\"example.com/web:1.2\")", "none", "await Gate.OpenAsync(pod, CancellationToken.None);", null, "web ended with 3\n"),
        new("PrepareAsync(spec", "none", null, "Console.WriteLine((await (await runtime.OpenAsync(\"shop-web\")).StopAsync(TimeSpan.Zero)).Name);", "shop-web\n"),
        new("List<Task<PodStatus>> ends", "shop", null, null, "ended had ended with 4\nprepared has ended: web Exited 4\nruns has ended: web Exited 3\n"),
        new("LogCursor.Parse(kept)", "running", "await Gate.OpenAsync(pod, cancellationToken);", null, "let go\n"),
        new("/etc/passwd", "running", null, null, "0: root:x:0:0:root:/:/bin/sh\n\n"),
        new("AppInput.Stream", "none", null, null, "it said hello\n\nand ended with 0\n"),
        new("SubscribeAsync(new PodEventOptions", "running", null, null, "Ready\n"),
        new("GarbageOptions", "shop", null, "Console.WriteLine($\"{report.Marked.Count} {report.Failures.Count}\");", "1 0\n"),
        new("CheckHealthAsync", "none", null, null, "healthy\n"),
        new("Host.CreateApplicationBuilder", "none", null, "using IHost host = builder.Build(); Console.WriteLine(host.Services.GetRequiredService<PodRuntime>().Root);", "/var/lib/appc\n"),
        new("ForwardPort(8080)", "running", null, Request.Replace("ADDRESS", "client.BaseAddress + \"passwd\"", StringComparison.Ordinal), "root:x:0:0:root:/:/bin/sh\n"),
        new("MetadataService.StartAsync", "none", null, null, "True\n"),
        new("EndPointOf(6379)", "none", null, Request.Replace("ADDRESS", "$\"http://{address}/passwd\"", StringComparison.Ordinal), "root:x:0:0:root:/:/bin/sh\n"),
    ];
}
