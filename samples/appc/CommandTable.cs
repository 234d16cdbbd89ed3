using Appc.Cli.Commands;

namespace Appc.Cli;

/// <summary>The commands, by name.</summary>
internal static class CommandTable
{
    private static readonly string[] Groups = ["image", "trust", "app"];

    public static bool IsGroup(string name) => Groups.Contains(name);

    public static string Members(string group) =>
        string.Join(", ", All().Where(c => c.Name.StartsWith(group + " ", StringComparison.Ordinal)).Select(c => c.Name[(group.Length + 1)..]));

    public static Command? Find(string name) => name switch
    {
        "--help" or "help" => new HelpCommand(),
        "version" => new VersionCommand(),
        "validate" => new ValidateCommand(),
        "build" => new BuildCommand(),
        "sign" => new SignCommand(),
        "discover" => new DiscoverCommand(),
        "trust add" => new TrustAddCommand(),
        "trust list" => new TrustListCommand(),
        "trust remove" => new TrustRemoveCommand(),
        "trust explain" => new TrustExplainCommand(),
        "fetch" => new FetchCommand(),
        "image list" => new ImageListCommand(),
        "image show" => new ImageShowCommand(),
        "image cat-manifest" => new ImageCatManifestCommand(),
        "image verify" => new ImageVerifyCommand(),
        "image export" => new ImageExportCommand(),
        "image render" => new ImageRenderCommand(),
        "image extract" => new ImageExtractCommand(),
        "image rm" => new ImageRemoveCommand(),
        "image gc" => new ImageCollectCommand(),
        "run" => new RunCommand(),
        "prepare" => new PrepareCommand(),
        "run-prepared" => new RunPreparedCommand(),
        "list" => new ListCommand(),
        "status" => new StatusCommand(),
        "cat-manifest" => new CatManifestCommand(),
        "logs" => new LogsCommand(),
        "events" => new EventsCommand(),
        "app add" => new AppAddCommand(),
        "app start" => new AppStartCommand(),
        "app stop" => new AppStopCommand(),
        "app rm" => new AppRemoveCommand(),
        "app list" => new AppListCommand(),
        "enter" => new EnterCommand(),
        "attach" => new AttachCommand(),
        "stop" => new StopCommand(),
        "export" => new ExportCommand(),
        "rm" => new RemoveCommand(),
        "gc" => new CollectCommand(),
        "metadata-service" => new MetadataServiceCommand(),
        _ => null,
    };

    public static IEnumerable<Command> All()
    {
        string[] names =
        [
            "version", "validate", "build", "sign",
            "discover", "trust add", "trust list", "trust remove", "trust explain", "fetch",
            "image list", "image show", "image cat-manifest", "image verify", "image export",
            "image render", "image extract", "image rm", "image gc",
            "run", "prepare", "run-prepared", "list", "status", "cat-manifest", "logs", "events", "enter", "attach", "stop", "export", "rm", "gc", "metadata-service",
            "app add", "app start", "app stop", "app rm", "app list", "help",
        ];
        return names.Select(name => Find(name)!);
    }
}
