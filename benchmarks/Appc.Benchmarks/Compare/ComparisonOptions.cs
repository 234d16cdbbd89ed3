using System.Globalization;

namespace Appc.Benchmarks.Compare;

/// <summary>The command line of the comparisons.</summary>
internal sealed class ComparisonOptions
{
    /// <summary>Rounds; each runs every contestant once.</summary>
    public int Rounds { get; private set; } = 20;

    /// <summary>Scratch directory; on tmpfs when run by compare.sh.</summary>
    public string Directory { get; private set; } = string.Empty;

    /// <summary>The image: a signed archive with its signature beside it.</summary>
    public string Image { get; private set; } = string.Empty;

    /// <summary>Directory of trusted keys.</summary>
    public string Keys { get; private set; } = string.Empty;

    /// <summary>The row that ratios are given to.</summary>
    public string Baseline { get; private set; } = string.Empty;

    /// <summary>Other programs: name and shell words. <c>{}</c> in a word stands for a fresh directory.</summary>
    public IList<KeyValuePair<string, string[]>> Peers { get; } = [];

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
                    options.Image = Path.GetFullPath(value);
                    break;
                case "--keys":
                    options.Keys = Path.GetFullPath(value);
                    break;
                case "--baseline":
                    options.Baseline = value;
                    break;
                case "--peer":
                    int equals = value.IndexOf('=', StringComparison.Ordinal);
                    options.Peers.Add(new(value[..equals], ["/bin/sh", "-c", "exec " + value[(equals + 1)..]]));
                    break;
                default:
                    throw new ArgumentException($"unknown option {arguments[i]}");
            }
        }

        return options;
    }
}
