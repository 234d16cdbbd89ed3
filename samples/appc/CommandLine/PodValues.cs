using Appc.Manifests;
using Appc.Stage1;

namespace Appc.Cli.CommandLine;

/// <summary>Reads the values that describe volumes, mounts, ports and isolators.</summary>
internal static class PodValues
{
    public static IReadOnlyList<string> List(string? text) =>
        text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>
    /// <c>NAME,kind=host|empty[,source=PATH][,readOnly=B][,recursive=B][,mode=M][,uid=N][,gid=N][,tmpfs=SIZE]</c>; the last of
    /// these is an annotation of the pod.
    /// </summary>
    public static (Volume Volume, Annotation? Size) Volume(string text)
    {
        Volume volume = Values.Parse(Without(text, "tmpfs", out string? size), "--volume", Manifests.Volume.Parse);
        return (volume, size is null ? null : new Annotation(AcIdentifier.Parse("appc.io/executor/tmpfs/" + volume.Name), size));
    }

    /// <summary><c>volume=NAME,target=PATH[,sub-path=DIRECTORY]</c>; the last of these is an annotation of the app.</summary>
    public static (Mount Mount, Annotation? SubPath) Mount(string text)
    {
        Mount mount = Values.Parse(Without(text, "sub-path", out string? path), "--mount", Manifests.Mount.Parse);
        return (mount, path is null ? null : new Annotation(AcIdentifier.Parse("appc.io/executor/sub-path/" + mount.Volume), path));
    }

    private static string Without(string text, string key, out string? value)
    {
        string prefix = key + "=";
        string[] parts = text.Split(',');
        value = parts.LastOrDefault(p => p.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
        return string.Join(',', parts.Where(p => !p.StartsWith(prefix, StringComparison.Ordinal)));
    }

    /// <summary><c>NAME:[IP:]PORT</c>.</summary>
    public static ExposedPort Port(string text)
    {
        int first = text.IndexOf(':', StringComparison.Ordinal);
        int last = text.LastIndexOf(':');
        if (first <= 0)
        {
            throw new UsageException($"--port: '{text}' is not of the form NAME:[IP:]PORT");
        }

        return new ExposedPort
        {
            Name = Values.Parse(text[..first], "--port", AcName.Parse),
            HostPort = Values.Number(text[(last + 1)..], "--port"),
            HostIp = last > first ? text[(first + 1)..last].Trim('[', ']') : null,
        };
    }

    /// <summary><c>mode=retain|remove[,errno=E],CALL...</c>.</summary>
    public static Isolator Seccomp(string text)
    {
        string? mode = null;
        string? errno = null;
        List<string> calls = [];
        foreach (string part in List(text))
        {
            if (part.StartsWith("mode=", StringComparison.Ordinal))
            {
                mode = part["mode=".Length..];
            }
            else if (part.StartsWith("errno=", StringComparison.Ordinal))
            {
                errno = part["errno=".Length..];
            }
            else
            {
                calls.Add(part);
            }
        }

        return mode switch
        {
            "retain" => new SeccompRetainSetIsolator(calls, errno),
            "remove" => new SeccompRemoveSetIsolator(calls, errno),
            _ => throw new UsageException($"--seccomp: '{text}' says neither mode=retain nor mode=remove"),
        };
    }

    public static AppInput Input(string text) => text switch
    {
        "null" => AppInput.None,
        "stream" => AppInput.Stream,
        "tty" => AppInput.Terminal,
        _ => throw new UsageException($"--stdin: '{text}' is neither null, stream nor tty"),
    };

    public static Annotation Annotation(string text)
    {
        (string name, string value) = Values.Pair(text, "--annotation");
        return new Annotation(Values.Parse(name, "--annotation", AcIdentifier.Parse), value);
    }
}
