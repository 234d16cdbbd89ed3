namespace Appc.Cli.CommandLine;

/// <summary>What <c>--insecure-options</c> switches off.</summary>
[Flags]
internal enum InsecureOptions
{
    None = 0,
    Image = 1,
    Http = 2,
    Tls = 4,
    Pubkey = 8,
    Capabilities = 16,
    Paths = 32,
    Seccomp = 64,
    AllFetch = Image | Http | Tls | Pubkey,
    AllRun = Capabilities | Paths | Seccomp,
    All = AllFetch | AllRun,
}

internal static class InsecureOptionsText
{
    public static InsecureOptions Parse(string list)
    {
        InsecureOptions result = InsecureOptions.None;
        foreach (string item in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            result |= item switch
            {
                "none" => InsecureOptions.None,
                "image" => InsecureOptions.Image,
                "http" => InsecureOptions.Http,
                "tls" => InsecureOptions.Tls,
                "pubkey" => InsecureOptions.Pubkey,
                "capabilities" => InsecureOptions.Capabilities,
                "paths" => InsecureOptions.Paths,
                "seccomp" => InsecureOptions.Seccomp,
                "all-fetch" => InsecureOptions.AllFetch,
                "all-run" => InsecureOptions.AllRun,
                "all" => InsecureOptions.All,
                _ => throw new UsageException($"--insecure-options: unknown item '{item}'"),
            };
        }

        return result;
    }

    /// <summary>What each item in use gives up, one line each.</summary>
    public static IEnumerable<string> Warnings(InsecureOptions options)
    {
        (InsecureOptions Item, string Text)[] all =
        [
            (InsecureOptions.Image, "image: signatures are not checked"),
            (InsecureOptions.Http, "http: images may come over plain HTTP"),
            (InsecureOptions.Tls, "tls: server certificates are not checked"),
            (InsecureOptions.Pubkey, "pubkey: keys may come over plain HTTP"),
            (InsecureOptions.Capabilities, "capabilities: apps keep every capability"),
            (InsecureOptions.Paths, "paths: kernel paths stay visible and writable"),
            (InsecureOptions.Seccomp, "seccomp: system calls are not filtered"),
        ];
        return from entry in all where options.HasFlag(entry.Item) select entry.Text;
    }
}
