namespace Appc.Cli.CommandLine;

/// <summary>The arguments of a command, after its name.</summary>
internal sealed class Arguments
{
    private readonly ILookup<string, string?> _options;

    public Arguments(IReadOnlyList<Token> tokens, OptionSet known)
    {
        Tokens = tokens;
        Operands = [.. tokens.Where(t => t.Kind == TokenKind.Operand).Select(t => t.Text)];
        _options = tokens.Where(t => t.Kind == TokenKind.Option).ToLookup(t => t.Text, t => t.Value);
        foreach (IGrouping<string, string?> option in _options)
        {
            if (!known.SeveralApps && known.Options[option.Key] == OptionKind.Value && option.Count() > 1)
            {
                throw new UsageException($"option '--{option.Key}' is given more than once");
            }
        }
    }

    public IReadOnlyList<Token> Tokens { get; }

    public IReadOnlyList<string> Operands { get; }

    public bool Has(string name) => _options.Contains(name) && _options[name].Last() != "false";

    public string? Get(string name) => _options[name].LastOrDefault();

    public IReadOnlyList<string> GetAll(string name) => [.. _options[name].OfType<string>()];

    public string Require(string name) => Get(name) ?? throw new UsageException($"option '--{name}' is needed");

    /// <summary>The one operand of a command that takes exactly one.</summary>
    public string Single(string what) => Operands.Count == 1
        ? Operands[0]
        : throw new UsageException(Operands.Count == 0 ? $"{what} is missing" : $"one {what} only: '{Operands[1]}' is too many");

    /// <summary>The operands of a command that takes exactly two.</summary>
    public (string First, string Second) Pair(string first, string second) => Operands.Count == 2
        ? (Operands[0], Operands[1])
        : throw new UsageException($"{first} and {second} are needed");

    /// <summary>The operands of a command that takes at least one.</summary>
    public IReadOnlyList<string> AtLeastOne(string what) =>
        Operands.Count > 0 ? Operands : throw new UsageException($"{what} is missing");

    public void None()
    {
        if (Operands.Count > 0)
        {
            throw new UsageException($"no argument is expected: '{Operands[0]}'");
        }
    }

    public TimeSpan GetDuration(string name, TimeSpan otherwise) =>
        Get(name) is { } text ? Values.Duration(text, $"--{name}") : otherwise;
}
