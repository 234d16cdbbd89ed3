using System.Globalization;

namespace Appc.Benchmarks.Compare;

/// <summary>The command line of the comparisons.</summary>
internal sealed class ComparisonOptions
{
    /// <summary>Rounds; each runs every contestant once.</summary>
    public int Rounds { get; private set; } = 20;

    /// <summary>Scratch directory.</summary>
    public string Directory { get; private set; } = string.Empty;

    /// <summary>The image: a signed archive with its signature beside it, or its address.</summary>
    public string Image { get; private set; } = string.Empty;

    /// <summary>A small image that depends on the first one; empty for none.</summary>
    public string Second { get; private set; } = string.Empty;

    /// <summary>Images of which only the memory counts: archives or addresses.</summary>
    public IList<string> Many { get; } = [];

    /// <summary>What the scratch directory lies on, for the title.</summary>
    public string Medium { get; private set; } = string.Empty;

    /// <summary>Directory of trusted keys.</summary>
    public string Keys { get; private set; } = string.Empty;

    /// <summary>The rows that ratios are given to.</summary>
    public IList<string> Baselines { get; } = [];

    /// <summary>Other programs. <c>{}</c> in a word of a command stands for a fresh directory.</summary>
    public IList<Peer> Peers { get; } = [];

    /// <summary>Mount namespace for the peers that follow; null for the own one.</summary>
    private string? Namespace { get; set; }

    public static ComparisonOptions Parse(string[] arguments)
    {
        var options = new ComparisonOptions();
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : throw new ArgumentException($"{arguments[i]} needs a value");
            switch (arguments[i])
            {
                case "--rounds":
                    options.Rounds = int.Parse(value, CultureInfo.InvariantCulture);
                    break;
                case "--directory":
                    options.Directory = Path.GetFullPath(value);
                    break;
                case "--image":
                    options.Image = Local(value);
                    break;
                case "--second":
                    options.Second = Path.GetFullPath(value);
                    break;
                case "--many":
                    options.Many.Add(Local(value));
                    break;
                case "--medium":
                    options.Medium = value;
                    break;
                case "--keys":
                    options.Keys = Path.GetFullPath(value);
                    break;
                case "--baseline":
                    options.Baselines.Add(value);
                    break;
                case "--namespace":
                    options.Namespace = value.Length > 0 ? value : null;
                    break;
                case "--peer":
                    int equals = value.IndexOf('=', StringComparison.Ordinal);
                    string command = value[(equals + 1)..];
                    string[] words = command.Contains('\'', StringComparison.Ordinal) ? ["/bin/sh", "-c", "exec " + command] : command.Split(' ');
                    options.Peers.Add(new Peer(value[..equals], words, options.Namespace));
                    break;
                default:
                    throw new ArgumentException($"unknown option {arguments[i]}");
            }
        }

        return options;
    }

    private static string Local(string value) => value.Contains("://", StringComparison.Ordinal) ? value : Path.GetFullPath(value);
}
