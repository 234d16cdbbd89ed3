namespace Appc.Cli.CommandLine;

/// <summary>The options that a command knows.</summary>
internal sealed class OptionSet
{
    private readonly Dictionary<string, OptionKind> _options = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, OptionKind> Options => _options;

    /// <summary>Whether <c>--</c> and <c>---</c> separate the arguments of apps.</summary>
    public bool SeveralApps { get; set; }

    /// <summary>Whether what follows the first operand belongs to a program that it names, options and all.</summary>
    public bool ProgramFollows { get; set; }

    public OptionSet Flag(string name) => Add(name, OptionKind.Flag);

    public OptionSet Value(string name) => Add(name, OptionKind.Value);

    public OptionSet Values(string name) => Add(name, OptionKind.Values);

    public OptionSet OptionalValue(string name) => Add(name, OptionKind.OptionalValue);

    /// <summary>Knows an option no more.</summary>
    public void Remove(string name) => _options.Remove(name);

    /// <summary>Splits a command line into options and operands.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="stopAtOperand">Whether to end before the first operand.</param>
    /// <param name="consumed">How many arguments were taken.</param>
    public List<Token> Parse(ReadOnlySpan<string> arguments, bool stopAtOperand, out int consumed)
    {
        var tokens = new List<Token>(arguments.Length);
        bool raw = false;
        int at = 0;
        for (; at < arguments.Length; at++)
        {
            string argument = arguments[at];
            if (SeveralApps && argument == "---")
            {
                tokens.Add(new Token(TokenKind.NextApp, argument));
                raw = false;
            }
            else if (raw)
            {
                tokens.Add(new Token(SeveralApps ? TokenKind.Raw : TokenKind.Operand, argument));
            }
            else if (ProgramFollows && tokens.Any(t => t.Kind == TokenKind.Operand))
            {
                tokens.Add(new Token(TokenKind.Operand, argument));
            }
            else if (argument == "--")
            {
                raw = true;
            }
            else if (argument.Length > 1 && argument[0] == '-')
            {
                tokens.Add(ParseOption(arguments, ref at));
            }
            else if (stopAtOperand)
            {
                break;
            }
            else
            {
                tokens.Add(new Token(TokenKind.Operand, argument));
            }
        }

        consumed = at;
        return tokens;
    }

    private Token ParseOption(ReadOnlySpan<string> arguments, ref int at)
    {
        string argument = arguments[at];
        if (argument == "-h")
        {
            argument = "--help";
        }

        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        string shown = equals < 0 ? argument : argument[..equals];
        string name = shown.TrimStart('-');
        if (!argument.StartsWith("--", StringComparison.Ordinal) || !_options.TryGetValue(name, out OptionKind kind))
        {
            throw new UsageException($"unknown option '{shown}'");
        }

        string? value = equals < 0 ? null : argument[(equals + 1)..];
        switch (kind)
        {
            case OptionKind.Flag when value is "true" or "false":
                return new Token(TokenKind.Option, name, value == "true" ? null : "false");
            case OptionKind.Flag when value is not null:
                throw new UsageException($"option '{shown}' takes no value");
            case OptionKind.Value or OptionKind.Values when value is null:
                if (++at >= arguments.Length)
                {
                    throw new UsageException($"option '{shown}' needs a value");
                }

                value = arguments[at];
                break;
        }

        return new Token(TokenKind.Option, name, value);
    }

    private OptionSet Add(string name, OptionKind kind)
    {
        _options[name] = kind;
        return this;
    }
}
