namespace Appc.Cli.CommandLine;

/// <summary>
/// The arguments of <c>run</c> and <c>prepare</c>: options of the pod, and for each app its image, its options
/// and the arguments of its program.
/// </summary>
internal sealed class PodArguments
{
    private static readonly string[] AppOptions =
    [
        "name", "exec", "working-dir", "user", "group", "supplementary-gids", "environment", "memory", "cpu",
        "cpu-shares", "oom-score-adj", "caps-retain", "caps-remove", "seccomp", "no-new-privileges", "readonly-rootfs",
        "annotation", "signature", "stop-timeout", "stop-signal", "stdin", "restart",
    ];

    private PodArguments(List<Token> pod, List<AppArguments> apps, OptionSet known)
    {
        Pod = new Arguments(pod, known);
        Apps = apps;
    }

    public Arguments Pod { get; }

    public IReadOnlyList<AppArguments> Apps { get; }

    public static void Define(OptionSet options)
    {
        options.SeveralApps = true;
        options.Value("stage1").Values("volume").Values("mount").Values("port").Value("hostname")
            .Values("set-env").Values("set-env-file").Flag("inherit-env").Value("private-users")
            .Values("dns").Values("dns-search").Values("dns-opt").Values("hosts-entry")
            .Value("uuid-file-save").Value("pull-policy").Flag("strict")
            .Values("label").Value("lifetime").Value("log-limit").Flag("log-times").Flag("mutable").Flag("interactive").Value("ready-timeout")
            .Flag("mds-register");
        options.Value("name").Value("exec").Value("working-dir").Value("user").Value("group").Value("supplementary-gids")
            .Values("environment").Value("memory").Value("cpu").Value("cpu-shares").Value("oom-score-adj")
            .Value("caps-retain").Value("caps-remove").Value("seccomp").Value("no-new-privileges").Value("readonly-rootfs")
            .Values("annotation").Value("signature").Value("stop-timeout").Value("stop-signal").Value("stdin").Value("restart");
    }

    /// <summary>Sorts the tokens of a command line by pod and app.</summary>
    public static PodArguments Sort(IReadOnlyList<Token> tokens)
    {
        var known = new OptionSet();
        GlobalOptions.Define(known);
        Define(known);
        known.SeveralApps = false;
        var pod = new List<Token>();
        var apps = new List<AppArguments>();
        List<Token> options = [];
        List<string> arguments = [];
        string? image = null;
        bool started = true;

        foreach (Token token in tokens)
        {
            switch (token.Kind)
            {
                case TokenKind.NextApp when image is null:
                    throw new UsageException("an image is missing before '---'");
                case TokenKind.NextApp:
                    Finish();
                    started = false;
                    break;
                case TokenKind.Operand when image is null:
                    image = token.Text;
                    started = true;
                    break;
                case TokenKind.Operand:
                    throw new UsageException($"'{token.Text}': arguments of an app stand after '--', another image after '---'");
                case TokenKind.Raw when image is null:
                    throw new UsageException("an image is missing before '--'");
                case TokenKind.Raw:
                    arguments.Add(token.Text);
                    break;
                case TokenKind.Option when token.Text == "name" && image is null && apps.Count == 0:
                    // Of the pod: the name of an app stands after its image.
                    pod.Add(token);
                    break;
                case TokenKind.Option when AppOptions.Contains(token.Text) || (token.Text == "mount" && image is not null):
                    options.Add(image is not null
                        ? token
                        : throw new UsageException($"option '--{token.Text}' belongs to an app: it stands after the image"));
                    break;
                default:
                    pod.Add(token);
                    break;
            }
        }

        if (image is not null)
        {
            Finish();
        }

        // A pod to which apps are added later may begin without any.
        bool enough = apps.Count > 0 || new Arguments(pod, known).Has("mutable");
        return enough && started
            ? new PodArguments(pod, apps, known)
            : throw new UsageException("an image is missing");

        void Finish()
        {
            apps.Add(new AppArguments(image!, new Arguments(options, known), arguments));
            options = [];
            arguments = [];
            image = null;
        }
    }
}
