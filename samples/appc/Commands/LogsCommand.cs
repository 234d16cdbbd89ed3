using System.Globalization;
using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class LogsCommand : Command
{
    public override string Name => "logs";

    public override string Synopsis => "[--app NAME] [--follow] [--tail LINES] [--since TIME] [--cursor-file FILE] UUID";

    public override string Summary => "copies what the apps of a pod have written to standard output and error";

    public override void Define(OptionSet options) => options.Value("app").Flag("follow").Value("tail").Value("since").Value("cursor-file");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        await using Pod pod = await context.Runtime.OpenAsync(arguments.Single("a pod"), cancellationToken);
        await using Stream output = CallerOutput.Open();
        await using Stream error = Console.OpenStandardError();
        string? file = arguments.Get("cursor-file");
        LogCursor cursor = file is not null && File.Exists(file)
            ? Values.Parse(await File.ReadAllTextAsync(file, cancellationToken), "--cursor-file", LogCursor.Parse)
            : new LogCursor();
        LogOptions options = new()
        {
            App = arguments.Get("app"),
            Follow = arguments.Has("follow"),
            Tail = arguments.Get("tail") is { } lines ? Values.Number(lines, "--tail") : null,
            Since = arguments.Get("since") is { } since ? Since(since) : null,
            Cursor = cursor,
        };
        try
        {
            await pod.CopyLogsAsync(options, output, error, cancellationToken);
        }
        finally
        {
            // Also when it was interrupted: the next call goes on there.
            if (file is not null)
            {
                await File.WriteAllTextAsync(file + ".new", cursor + "\n", CancellationToken.None);
                File.Move(file + ".new", file, overwrite: true);
            }
        }

        if (cursor.Skipped > 0)
        {
            context.Reporter.Warning($"{cursor.Skipped} bytes had been freed before they were read");
        }

        return ExitCodes.Success;
    }

    /// <summary>A time, or for how long back.</summary>
    private static DateTimeOffset Since(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out DateTimeOffset time) && text.Contains('-', StringComparison.Ordinal)
            ? time
            : DateTimeOffset.UtcNow - Values.Duration(text, "--since");
}
