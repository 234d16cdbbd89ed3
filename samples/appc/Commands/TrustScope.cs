using Appc.Cli.CommandLine;
using Appc.Manifests;

namespace Appc.Cli.Commands;

/// <summary>The names that a key is trusted for: <c>--prefix NAME</c> or <c>--root</c>.</summary>
internal static class TrustScope
{
    /// <summary>Declares the options. Here <c>--root</c> is a flag: the data directory goes before the command.</summary>
    public static void Define(OptionSet options) => options.Value("prefix").Flag("root");

    /// <summary>The prefix; null for every name.</summary>
    public static AcIdentifier? From(Arguments arguments)
    {
        string? prefix = arguments.Get("prefix");
        if (arguments.Has("root") == prefix is not null)
        {
            throw new UsageException("one of --prefix NAME and --root (for every name) is needed");
        }

        if (prefix is null)
        {
            return null;
        }

        return AcIdentifier.TryParse(prefix, out AcIdentifier? name)
            ? name
            : throw new UsageException($"--prefix: '{prefix}' is not a valid name");
    }

    public static string Show(string scope) => scope.Length == 0 ? "every name" : scope;
}
