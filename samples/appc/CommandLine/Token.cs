namespace Appc.Cli.CommandLine;

internal enum TokenKind
{
    Option,
    Operand,

    /// <summary>An argument after <c>--</c>, taken as it is.</summary>
    Raw,

    /// <summary>The <c>---</c> that begins the next app of a pod.</summary>
    NextApp,
}

/// <summary>One argument, in the order of the command line.</summary>
/// <param name="Text">Name of an option without its dashes; else the argument.</param>
/// <param name="Value">Value of an option; null for flags.</param>
internal readonly record struct Token(TokenKind Kind, string Text, string? Value = null);
