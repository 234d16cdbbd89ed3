using Appc.Conformance.Tests.Cli;

namespace Appc.Conformance.Tests.Samples;

/// <summary>One program of all C# samples of docs/pods.md, each a method of its own, with the text that the document has.</summary>
public sealed class GuideProgram : IAsyncLifetime
{
    private readonly string _project = Directory.CreateTempSubdirectory("appc-guide-").FullName;

    public string Program => Path.Combine(_project, "out", "guide.dll");

    public async ValueTask InitializeAsync()
    {
        string[] samples = [.. (await SamplesAsync()).Select(Method)];
        await File.WriteAllTextAsync(Path.Combine(_project, "Program.cs"), $$"""
            using System.Net;
            using Appc.Hosting;
            using Appc.Images;
            using Appc.Metadata;
            using Appc.Pods;
            using Appc.Signing;
            using Appc.Stage1;
            using Appc.Stage1.Nspawn;
            using Appc.Testing;
            using Appc.Trust;
            using Microsoft.Extensions.Configuration;
            using Microsoft.Extensions.DependencyInjection;
            using Microsoft.Extensions.Hosting;

            // guide SAMPLE ROOT IMAGE running|shop|none, or guide shop ROOT IMAGE none, or guide open ROOT IMAGE NAME
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(300));
            CancellationToken cancellationToken = limit.Token;
            await using PodRuntime runtime = new PodRuntimeBuilder(args[1]).UseNspawn().UseTrustPolicy(TrustPolicy.Insecure).Build();
            StoredImage image = await runtime.FetchAsync(args[2], cancellationToken: cancellationToken);
            Pod? own = args[3] == "running" ? await runtime.RunAsync(new PodSpec(new AppSpec(image) { Name = "web" }) { StopOnDispose = true }, cancellationToken) : null;
            try
            {
                while (own is not null && !(await own.ReadOutputAsync(cancellationToken: cancellationToken)).Contains("started", StringComparison.Ordinal))
                {
                    await Task.Delay(20, cancellationToken);
                }

                Pod pod = own!;
                switch (args[0])
                {
                    case "open": await Gate.OpenAsync(await runtime.OpenAsync(args[3], cancellationToken), cancellationToken); break;
                    case "shop": await Gate.MakeShopAsync(runtime, image); break;
            {{string.Join('\n', samples.Select((_, i) => $"        case \"{i}\": await Samples.Sample{i}({Arguments(samples[i])}); break;"))}}
                }
            }
            finally
            {
                if (own is not null)
                {
                    await own.DisposeAsync();
                }
            }

            internal static class Gate
            {
                /// <summary>Lets the app of the image end.</summary>
                public static async Task OpenAsync(Pod pod, CancellationToken cancellationToken)
                {
                    await using PodExec exec = await pod.ExecAsync(null, ["/bin/touch", "/tmp/go"], new ExecOptions { AsRoot = true }, cancellationToken);
                    await exec.WaitAsync(cancellationToken);
                }

                /// <summary>Pods in three states, left behind.</summary>
                public static async Task MakeShopAsync(PodRuntime runtime, StoredImage image)
                {
                    foreach (string name in (string[])["ended", "prepared", "runs"])
                    {
                        AppSpec app = new(image) { Name = "web" };
                        if (name != "runs")
                        {
                            app.Exec = "/bin/sh";
                            app.Arguments.Add("-c");
                            app.Arguments.Add("exit 4");
                        }

                        PodSpec spec = new(app) { Name = name, Labels = { ["owner"] = "shop" } };
                        if (name == "prepared")
                        {
                            await runtime.PrepareAsync(spec);
                            continue;
                        }

                        Pod pod = await runtime.RunAsync(spec);
                        if (name == "ended")
                        {
                            await pod.WaitAsync();
                        }
                    }
                }
            }

            internal static class Samples
            {
            {{string.Join('\n', samples)}}
            }
            """);
        await File.WriteAllTextAsync(Path.Combine(_project, "guide.csproj"), DocumentSamples.Project(Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "host"), "Microsoft.*.dll")));
        await Programs.MustAsync("dotnet", "build", _project, "-v", "quiet", "-nologo", "-o", Path.Combine(_project, "out"));
    }

    /// <summary>The samples of the document, in its order.</summary>
    public static Task<string[]> SamplesAsync() => DocumentSamples.ReadAsync("pods.md");

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_project, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static string Method(string sample, int number)
    {
        GuideCase known = GuideCase.All.Single(c => sample.Contains(c.Contains, StringComparison.Ordinal));
        if (known.Between is not null)
        {
            int blank = sample.IndexOf("\n\n", StringComparison.Ordinal);
            sample = sample[..(blank + 1)] + known.Between + sample[blank..];
        }

        IEnumerable<string> parameters =
            from parameter in (string[])["PodRuntime runtime", "StoredImage image", "Pod pod", "string[] args", "CancellationToken cancellationToken"]
            where !sample.Contains(parameter + " =", StringComparison.Ordinal)
            select parameter;
        return $"public static async Task Sample{number}({string.Join(", ", parameters)})\n{{\n{sample}{known.After}\nawait Task.CompletedTask;\n}}\n";
    }

    private static string Arguments(string method) =>
        string.Join(", ", method[(method.IndexOf('(', StringComparison.Ordinal) + 1)..method.IndexOf(')', StringComparison.Ordinal)].Split(", ").Select(p => p.Split(' ')[1]));
}
