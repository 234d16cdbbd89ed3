using System.Globalization;
using Appc.Fetching;
using Appc.Images;

namespace Appc.Cli.Output;

/// <summary>Shows how far a transfer has come; quiet unless standard error is a terminal.</summary>
internal sealed class ProgressLine(Reporter reporter) : IProgress<FetchProgress>, IProgress<ImportProgress>, IProgress<ImageVerifyProgress>
{
    private long _shownAt;

    public void Report(FetchProgress value) => Show(value.Phase, value.Source, value.Bytes, value.TotalBytes);

    public void Report(ImportProgress value) => Show(value.Phase.ToString().ToLowerInvariant(), string.Empty, value.Bytes, value.TotalBytes);

    public void Report(ImageVerifyProgress value) =>
        Show($"verifying {value.Number} of {value.Count}:", ImageText.Short(value.Image), value.Bytes, value.TotalBytes);

    public static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    private void Show(string phase, string source, long bytes, long? total)
    {
        long now = Environment.TickCount64;
        if (!reporter.IsTerminal || (now - _shownAt < 100 && bytes != total))
        {
            return;
        }

        _shownAt = now;
        string amount = total is > 0 and { } all
            ? $"{Size(bytes)} of {Size(all)} ({bytes * 100 / all} %)"
            : Size(bytes);
        reporter.Progress($"{phase} {amount} {source}");
    }
}
