using System.Globalization;
using System.Text;
using System.Text.Json;
using Appc.Cli.CommandLine;
using Appc.Fetching;
using Appc.Manifests;
using Appc.Pods;
using Appc.Stage1;

namespace Appc.Cli;

/// <summary>Makes of a command line the pod that it asks for; fetches its images.</summary>
internal sealed class PodSpecFactory(CliContext context)
{
    public async Task<PodSpec> CreateAsync(PodArguments arguments, CancellationToken cancellationToken)
    {
        Arguments options = arguments.Pod;
        InsecureOptions insecure = context.Options.Insecure;
        var spec = new PodSpec
        {
            Stage1 = options.Get("stage1"),
            Trust = context.Trust,
            Options = new Stage1Options
            {
                Hostname = options.Get("hostname"),
                PrivateUsers = PrivateUsers(options.Get("private-users") ?? "auto"),
                KeepAllCapabilities = insecure.HasFlag(InsecureOptions.Capabilities),
                KeepKernelPaths = insecure.HasFlag(InsecureOptions.Paths),
                NoSeccomp = insecure.HasFlag(InsecureOptions.Seccomp),
            },
        };
        foreach (string volume in options.GetAll("volume"))
        {
            spec.Volumes.Add(PodValues.Volume(volume));
        }

        foreach (string port in options.GetAll("port"))
        {
            spec.Ports.Add(PodValues.Port(port));
        }

        Dictionary<string, string> shared = await SharedEnvironmentAsync(options, cancellationToken);
        PullPolicy policy = FetchSettings.ParsePolicy(options.Get("pull-policy"));
        foreach (AppArguments app in arguments.Apps)
        {
            spec.Apps.Add(await CreateAppAsync(app, options, shared, policy, cancellationToken));
        }

        return spec;
    }

    private async Task<AppSpec> CreateAppAsync(
        AppArguments app, Arguments pod, Dictionary<string, string> shared, PullPolicy policy, CancellationToken cancellationToken)
    {
        Arguments options = app.Options;
        FetchResult fetched = await FetchSettings.FetchAsync(context, app.Image, policy, options.Get("signature"), cancellationToken);
        var spec = new AppSpec(fetched.Image)
        {
            Name = options.Get("name"),
            Exec = options.Get("exec"),
            WorkingDirectory = options.Get("working-dir"),
            User = options.Get("user"),
            Group = options.Get("group"),
            ReadOnlyRootFs = options.Get("readonly-rootfs") is { } readOnly && Values.Boolean(readOnly, "--readonly-rootfs"),
        };
        Add(spec.Arguments, app.ProgramArguments);
        Add(spec.SupplementaryGids, PodValues.List(options.Get("supplementary-gids")).Select(g => Values.Number(g, "--supplementary-gids")));
        Add(spec.Mounts, pod.GetAll("mount").Concat(options.GetAll("mount")).Select(PodValues.Mount));
        Add(spec.Isolators, Isolators(options));
        Add(spec.Annotations, options.GetAll("annotation").Select(PodValues.Annotation));
        foreach ((string name, string value) in shared.Concat(options.GetAll("environment").Select(e => Values.Pair(e, "--environment"))))
        {
            spec.Environment[name] = value;
        }

        return spec;

        static void Add<T>(IList<T> list, IEnumerable<T> items)
        {
            foreach (T item in items)
            {
                list.Add(item);
            }
        }
    }

    private static bool PrivateUsers(string value) => value switch
    {
        "auto" => true,
        "no" => false,
        _ => throw new UsageException($"--private-users: '{value}' is neither auto nor no"),
    };

    private static async Task<Dictionary<string, string>> SharedEnvironmentAsync(Arguments options, CancellationToken cancellationToken)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (options.Has("inherit-env"))
        {
            foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
            {
                result[(string)entry.Key] = (string?)entry.Value ?? string.Empty;
            }
        }

        foreach (string file in options.GetAll("set-env-file"))
        {
            foreach (string line in await File.ReadAllLinesAsync(file, cancellationToken))
            {
                if (line.Length > 0 && line[0] is not ('#' or ';'))
                {
                    (string name, string value) = Values.Pair(line, file);
                    result[name] = value;
                }
            }
        }

        foreach (string pair in options.GetAll("set-env"))
        {
            (string name, string value) = Values.Pair(pair, "--set-env");
            result[name] = value;
        }

        return result;
    }

    private static IEnumerable<Isolator> Isolators(Arguments options)
    {
        if (options.Get("memory") is { } memory)
        {
            yield return Make("resource/memory", json => json.WriteString("limit", memory));
        }

        if (options.Get("cpu") is { } cpu)
        {
            yield return Make("resource/cpu", json => json.WriteString("limit", cpu));
        }

        if (options.Get("caps-retain") is { } retain)
        {
            yield return Make("os/linux/capabilities-retain-set", json => WriteSet(json, retain));
        }

        if (options.Get("caps-remove") is { } remove)
        {
            yield return Make("os/linux/capabilities-remove-set", json => WriteSet(json, remove));
        }

        if (options.Get("cpu-shares") is { } shares)
        {
            yield return new Isolator(AcIdentifier.Parse("os/linux/cpu-shares"), Text(Values.Number(shares, "--cpu-shares")));
        }

        if (options.Get("oom-score-adj") is { } score)
        {
            yield return int.TryParse(score, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
                ? new Isolator(AcIdentifier.Parse("os/linux/oom-score-adj"), Text(number))
                : throw new UsageException($"--oom-score-adj: '{score}' is not a number");
        }

        if (options.Get("no-new-privileges") is { } noNewPrivileges)
        {
            string value = Values.Boolean(noNewPrivileges, "--no-new-privileges") ? "true" : "false";
            yield return new Isolator(AcIdentifier.Parse("os/linux/no-new-privileges"), value);
        }

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    private static Isolator Make(string name, Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return new Isolator(AcIdentifier.Parse(name), Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private static void WriteSet(Utf8JsonWriter json, string list)
    {
        json.WriteStartArray("set");
        foreach (string item in PodValues.List(list))
        {
            json.WriteStringValue(item);
        }

        json.WriteEndArray();
    }
}
