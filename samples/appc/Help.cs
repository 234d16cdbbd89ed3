using Appc.Cli.CommandLine;
using Appc.Cli.Commands;

namespace Appc.Cli;

internal static class Help
{
    public static void Write(TextWriter writer)
    {
        writer.WriteLine("appc: fetches signed App Container images, proves who signed them, runs them as pods. No daemon.");
        writer.WriteLine();
        writer.WriteLine("usage: appc [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]");
        writer.WriteLine();
        foreach (Command command in CommandTable.All())
        {
            writer.WriteLine($"  {command.Name,-22}{command.Summary}");
        }

        writer.WriteLine();
        WriteGlobals(writer);
        writer.WriteLine();
        writer.WriteLine("'appc help COMMAND' tells more about one of them.");
    }

    public static void Write(TextWriter writer, Command command)
    {
        writer.WriteLine($"usage: appc {command.Name} {command.Synopsis}".TrimEnd());
        writer.WriteLine();
        writer.WriteLine($"  {command.Summary}");
        var globals = new OptionSet();
        GlobalOptions.Define(globals);
        var own = new OptionSet();
        command.Define(own);
        string[] lines = [.. own.Options.Where(o => !globals.Options.ContainsKey(o.Key)).Select(o => Show(o.Key, o.Value)).Order(StringComparer.Ordinal)];
        if (lines.Length > 0)
        {
            writer.WriteLine();
            writer.WriteLine("options: " + string.Join("  ", lines));
        }

        writer.WriteLine();
        WriteGlobals(writer);
    }

    private static void WriteGlobals(TextWriter writer)
    {
        writer.WriteLine("global options, before or after the command:");
        writer.WriteLine("  --root DIR              data directory (default /var/lib/appc, or $APPC_ROOT)");
        writer.WriteLine("  --config DIR            configuration and trusted keys (default /etc/appc)");
        writer.WriteLine("  --system-config DIR     the vendor's (default /usr/lib/appc)");
        writer.WriteLine("  --format text|json      shape of results (default text)");
        writer.WriteLine("  --quiet, --debug        say less, say more");
        writer.WriteLine("  --insecure-options L    of image,http,tls,pubkey,capabilities,paths,seccomp,all-fetch,all-run,all,none");
        writer.WriteLine("  --ca-file FILE          certificate authorities for HTTPS, besides the system's");
        writer.WriteLine("  --connect-to H=H2:P     connect to H2:P where a URL says host H (or H:PORT)");
    }

    private static string Show(string name, OptionKind kind) => kind switch
    {
        OptionKind.Flag => $"--{name}",
        OptionKind.OptionalValue => $"--{name}[=VALUE]",
        OptionKind.Values => $"--{name} VALUE...",
        _ => $"--{name} VALUE",
    };
}
