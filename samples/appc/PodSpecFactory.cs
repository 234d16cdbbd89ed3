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
            Strict = options.Has("strict"),
            Name = options.Get("name"),
            Mutable = options.Has("mutable"),
            Lifetime = options.Get("lifetime") switch
            {
                null or "independent" => PodLifetime.Independent,
                "caller" => PodLifetime.Host,
                var other => throw new UsageException($"--lifetime: '{other}' is neither independent nor caller"),
            },
            Options = new Stage1Options
            {
                Hostname = options.Get("hostname"),
                Hosts = options.GetAll("hosts-entry").Contains("host") ? HostsMode.Host : HostsMode.Auto,
                HostsEntries = [.. options.GetAll("hosts-entry").Where(e => e != "host").Select(HostsEntry)],
                Dns = Dns([.. options.GetAll("dns")]),
                DnsServers = [.. options.GetAll("dns").Where(d => d is not ("host" or "none"))],
                DnsSearch = [.. options.GetAll("dns-search")],
                DnsOptions = [.. options.GetAll("dns-opt")],
                LogLimit = options.Get("log-limit") is { } size ? Values.Parse(size, "--log-limit", Quantity.Parse).Value : null,
                LogTimes = options.Has("log-times"),
                Metadata = options.Has("mds-register") ? MetadataMode.Required : MetadataMode.Auto,
                PrivateUsers = PrivateUsers(options.Get("private-users") ?? "auto"),
                KeepAllCapabilities = insecure.HasFlag(InsecureOptions.Capabilities),
                KeepKernelPaths = insecure.HasFlag(InsecureOptions.Paths),
                ReadyTimeout = options.Get("ready-timeout") is { } timeout ? Values.Duration(timeout, "--ready-timeout") : null,
                NoSeccomp = insecure.HasFlag(InsecureOptions.Seccomp),
            },
        };
        foreach (string label in options.GetAll("label"))
        {
            (string key, string value) = Values.Pair(label, "--label");
            spec.Labels[key] = value;
        }

        foreach (string volume in options.GetAll("volume"))
        {
            (Volume added, Annotation? inMemory) = PodValues.Volume(volume);
            spec.Volumes.Add(added);
            if (inMemory is not null)
            {
                spec.Annotations.Add(inMemory);
            }
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

        if (options.Has("interactive"))
        {
            MakeInteractive(spec);
        }

        return spec;
    }

    /// <summary>One app alone, for a pod that runs.</summary>
    public async Task<AppSpec> CreateAppAsync(PodArguments arguments, CancellationToken cancellationToken) => arguments.Apps.Count == 1
        ? await CreateAppAsync(
            arguments.Apps[0], arguments.Pod, await SharedEnvironmentAsync(arguments.Pod, cancellationToken), FetchSettings.ParsePolicy(arguments.Pod.Get("pull-policy")), cancellationToken)
        : throw new UsageException("one image is added at a time");

    /// <summary>Gives the app the terminal of the caller, or a stream where the caller has none.</summary>
    private static void MakeInteractive(PodSpec spec)
    {
        AppSpec app = spec.Apps.Count == 1 ? spec.Apps[0] : throw new UsageException("--interactive is for pods of one app; '--stdin' gives each app its own input, and 'appc attach' attaches to it");
        app.Input ??= CallerTerminal.IsThere ? AppInput.Terminal : AppInput.Stream;
        if (app.Input == AppInput.Terminal && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } kind)
        {
            app.Environment.TryAdd("TERM", kind);
        }
    }

    private async Task<AppSpec> CreateAppAsync(
        AppArguments app, Arguments pod, Dictionary<string, string> shared, PullPolicy policy, CancellationToken cancellationToken)
    {
        Arguments options = app.Options;
        FetchResult fetched = await FetchSettings.FetchAsync(context, app.Image, policy, options.Get("signature"), allowZstd: false, cancellationToken);
        var spec = new AppSpec(fetched.Image)
        {
            Name = options.Get("name"),
            Exec = options.Get("exec"),
            WorkingDirectory = options.Get("working-dir"),
            User = options.Get("user"),
            Group = options.Get("group"),
            Input = options.Get("stdin") is { } input ? PodValues.Input(input) : null,
            StopTimeout = options.Get("stop-timeout") is { } stop ? Values.Duration(stop, "--stop-timeout") : null,
            StopSignal = options.Get("stop-signal"),
            Restart = options.Get("restart") is { } restart ? Values.Parse(restart, "--restart", RestartPolicy.Parse) : null,
            ReadOnlyRootFs = options.Get("readonly-rootfs") is { } readOnly && Values.Boolean(readOnly, "--readonly-rootfs"),
        };
        Add(spec.Arguments, app.ProgramArguments);
        Add(spec.SupplementaryGids, PodValues.List(options.Get("supplementary-gids")).Select(g => Values.Number(g, "--supplementary-gids")));
        AddMounts(spec, [.. pod.GetAll("mount").Select(PodValues.Mount)], [.. options.GetAll("mount").Select(PodValues.Mount)]);
        Add(spec.Isolators, Isolators(options));
        Add(spec.Annotations, options.GetAll("annotation").Select(PodValues.Annotation));
        if (pod.Has("inherit-env"))
        {
            Inherit(spec);
        }

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

    /// <summary>Where both say what is at a path, what is said for the app counts.</summary>
    private static void AddMounts(AppSpec spec, (Mount Mount, Annotation? SubPath)[] ofAll, (Mount Mount, Annotation? SubPath)[] own)
    {
        foreach ((Mount mount, Annotation? subPath) in (IEnumerable<(Mount, Annotation?)>)[.. ofAll.Where(m => !own.Any(o => Same(o.Mount.Path, m.Mount.Path))), .. own])
        {
            spec.Mounts.Add(mount);
            if (subPath is not null)
            {
                spec.Annotations.Add(subPath);
            }
        }

        static bool Same(string one, string other) => one.TrimEnd('/') == other.TrimEnd('/');
    }

    private static string HostsEntry(string text)
    {
        (string address, string name) = Values.Pair(text, "--hosts-entry");
        return $"{address} {name}";
    }

    private static DnsMode Dns(string[] values) =>
        values.Length > 1 && values.Any(v => v is "host" or "none") ? throw new UsageException("--dns: 'host' and 'none' stand alone")
        : values is ["host"] ? DnsMode.Host
        : values is ["none"] ? DnsMode.Image
        : DnsMode.Auto;

    private static bool PrivateUsers(string value) => value switch
    {
        "auto" => true,
        "no" => false,
        _ => throw new UsageException($"--private-users: '{value}' is neither auto nor no"),
    };

    /// <summary>
    /// Gives an app the caller's own variables, but for those that its image sets: what is said for the app goes before what happens to be
    /// there. Names that no manifest can have are left out, such as those of functions that bash exports.
    /// </summary>
    private static void Inherit(AppSpec spec)
    {
        HashSet<string> own = [.. spec.Image.Manifest.App?.Environment.Select(e => e.Name) ?? []];
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            string name = (string)entry.Key;
            bool isName = name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
            if (isName && !own.Contains(name))
            {
                spec.Environment[name] = (string?)entry.Value ?? string.Empty;
            }
        }
    }

    private static async Task<Dictionary<string, string>> SharedEnvironmentAsync(Arguments options, CancellationToken cancellationToken)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
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
        (string Option, Func<string, Isolator> Create)[] known =
        [
            ("memory", v => new MemoryIsolator(Quantity.Parse(v))),
            ("cpu", v => new CpuIsolator(Quantity.Parse(v))),
            ("caps-retain", v => new CapabilitiesRetainSetIsolator(PodValues.List(v))),
            ("caps-remove", v => new CapabilitiesRemoveSetIsolator(PodValues.List(v))),
            ("seccomp", PodValues.Seccomp),
            ("cpu-shares", v => new CpuSharesIsolator(Values.Number(v, "--cpu-shares"))),
            ("oom-score-adj", v => new OomScoreAdjIsolator(Values.SignedNumber(v, "--oom-score-adj"))),
            ("no-new-privileges", v => new NoNewPrivilegesIsolator(Values.Boolean(v, "--no-new-privileges"))),
        ];
        return from entry in known
               let value = options.Get(entry.Option)
               where value is not null
               select Values.Parse(value, "--" + entry.Option, entry.Create);
    }
}
