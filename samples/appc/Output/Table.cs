namespace Appc.Cli.Output;

/// <summary>Rows of text, padded into columns.</summary>
internal sealed class Table(params string[] header)
{
    private readonly List<string[]> _rows = [header];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(Clean.Line)]);

    public void WriteTo(TextWriter writer)
    {
        int[] widths = [.. Enumerable.Range(0, header.Length).Select(i => _rows.Max(r => r[i].Length))];
        foreach (string[] row in _rows)
        {
            string line = string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i])));
            writer.WriteLine(line.TrimEnd());
        }
    }
}
