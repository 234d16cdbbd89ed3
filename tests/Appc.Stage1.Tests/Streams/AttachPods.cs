using System.Text;
using Appc.Images;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1.Fly;
using Appc.Stage1.Nspawn;
using Appc.Trust;

namespace Appc.Stage1.Streams;

/// <summary>Pods of shell scripts with an input, through the whole runtime.</summary>
internal sealed class AttachPods(NspawnFixture fixture) : IAsyncDisposable
{
    private readonly List<Pod> _pods = [];
    private readonly string _scratch = Directory.CreateTempSubdirectory("appc-attach-").FullName;
    private StoredImage? _image;

    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(120);

    public PodRuntime Runtime { get; } =
        new PodRuntimeBuilder(fixture.Root).UseStage1(fixture.Stage1).UseStage1(new FlyStage1()).UseTrustPolicy(TrustPolicy.Insecure).Build();

    public async Task<AppSpec> AppAsync(AppInput? input, string script, string user = "0")
    {
        if (_image is null)
        {
            string archive = Path.Combine(_scratch, "image.aci");
            ImageManifest manifest = new() { Name = AcIdentifier.Parse("example.com/main"), App = new App { Exec = ["/bin/sh", "-c"], User = "0", Group = "0" } };
            await AciWriter.BuildAsync(manifest, fixture.Image, archive);
            _image = await Runtime.Images.ImportAsync(archive, new ImportOptions { Trust = TrustPolicy.Insecure });
        }

        return new AppSpec(_image) { Input = input, Arguments = { script }, User = user };
    }

    public Task<Pod> RunAsync(string flavour, params AppSpec[] apps)
    {
        PodSpec spec = new() { Stage1 = flavour };
        foreach (AppSpec app in apps)
        {
            spec.Apps.Add(app);
        }

        return RunAsync(spec);
    }

    public async Task<Pod> RunAsync(PodSpec spec)
    {
        Pod pod = await Runtime.RunAsync(spec).WaitAsync(Limit);
        _pods.Add(pod);
        return pod;
    }

    /// <summary>Reads until a word has come, and returns all that was read.</summary>
    public static async Task<string> ReadUntilAsync(Stream stream, string word)
    {
        using CancellationTokenSource limit = new(Limit);
        byte[] buffer = new byte[1024];
        StringBuilder all = new();
        while (!all.ToString().Contains(word, StringComparison.Ordinal))
        {
            int length = await stream.ReadAsync(buffer, limit.Token);
            Assert.True(length > 0, $"'{word}' did not come: {all}");
            all.Append(Encoding.Latin1.GetString(buffer, 0, length));
        }

        return all.ToString();
    }

    public static async Task<byte[]> ReadToEndAsync(Stream stream)
    {
        using CancellationTokenSource limit = new(Limit);
        using MemoryStream all = new();
        await stream.CopyToAsync(all, limit.Token);
        return all.ToArray();
    }

    public static async Task<string> ReadTextAsync(Stream stream) => Encoding.UTF8.GetString(await ReadToEndAsync(stream));

    public static Task TypeAsync(PodAttachment attachment, string text) => attachment.Input!.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();

    public async ValueTask DisposeAsync()
    {
        foreach (Pod pod in _pods)
        {
            if ((await pod.GetStatusAsync()).State == PodState.Running)
            {
                await pod.StopAsync(TimeSpan.Zero);
            }

            await pod.WaitAsync();
            await pod.RemoveAsync();
        }

        await Runtime.DisposeAsync();
        Directory.Delete(_scratch, recursive: true);
    }
}
