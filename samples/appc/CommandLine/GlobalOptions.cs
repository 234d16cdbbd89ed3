namespace Appc.Cli.CommandLine;

/// <summary>The options that every command takes.</summary>
internal sealed record GlobalOptions
{
    public string Root { get; init; } = "/var/lib/appc";

    public string Config { get; init; } = "/etc/appc";

    public string SystemConfig { get; init; } = "/usr/lib/appc";

    public bool Json { get; init; }

    public bool Quiet { get; init; }

    public bool Debug { get; init; }

    public InsecureOptions Insecure { get; init; }

    /// <summary>PEM file of certificate authorities for servers, besides the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Where connections to a host really go: <c>HOST[:PORT]=HOST[:PORT]</c>.</summary>
    public IReadOnlyList<string> ConnectTo { get; init; } = [];

    public static void Define(OptionSet options) => options
        .Value("root").Value("config").Value("system-config").Value("format")
        .Flag("quiet").Flag("debug").Values("insecure-options").Flag("help")
        .Value("ca-file").Values("connect-to");

    public static GlobalOptions From(Arguments before, Arguments after)
    {
        string format = Pick("format") ?? "text";
        if (format is not ("text" or "json"))
        {
            throw new UsageException($"--format: '{format}' is neither text nor json");
        }

        var defaults = new GlobalOptions();
        string? environmentRoot = Environment.GetEnvironmentVariable("APPC_ROOT");
        return new GlobalOptions
        {
            Root = Path.GetFullPath(Pick("root") ?? (string.IsNullOrEmpty(environmentRoot) ? defaults.Root : environmentRoot)),
            Config = Path.GetFullPath(Pick("config") ?? defaults.Config),
            SystemConfig = Path.GetFullPath(Pick("system-config") ?? defaults.SystemConfig),
            Json = format == "json",
            Quiet = before.Has("quiet") || after.Has("quiet"),
            Debug = before.Has("debug") || after.Has("debug"),
            Insecure = InsecureOptionsText.Parse(string.Join(',', All("insecure-options"))),
            CaFile = Pick("ca-file"),
            ConnectTo = All("connect-to"),
        };

        string? Pick(string name) => after.Get(name) ?? before.Get(name);
        List<string> All(string name) => [.. before.GetAll(name), .. after.GetAll(name)];
    }
}
