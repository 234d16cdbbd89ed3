namespace Appc.Cli.CommandLine;

internal enum OptionKind
{
    /// <summary>Present or not.</summary>
    Flag,

    /// <summary>Takes a value, at most once.</summary>
    Value,

    /// <summary>Takes a value, any number of times.</summary>
    Values,

    /// <summary>Takes a value only as <c>--name=value</c>.</summary>
    OptionalValue,
}
