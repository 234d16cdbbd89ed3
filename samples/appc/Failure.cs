using Appc.Cli.CommandLine;
using Appc.Cli.Output;

namespace Appc.Cli;

/// <summary>Says what went wrong, in one line, with a second one on what to do.</summary>
internal static class Failure
{
    private const int BrokenPipe = 32;

    public static int Report(Exception exception, string command, bool debug, Reporter reporter)
    {
        bool known = CommandTable.Find(command) is not null;
        string prefix = known ? command + ": " : string.Empty;
        switch (exception)
        {
            case UsageException:
                string help = known ? $"appc help {command}" : "appc help";
                reporter.Error(prefix + exception.Message, $"'{help}' shows what is possible");
                return ExitCodes.Usage;
            case OperationCanceledException:
                reporter.Error(prefix + "interrupted");
                break;
            case AppcException failure:
                reporter.Error(prefix + failure.Message, failure.Hint);
                break;
            case IOException { HResult: BrokenPipe }:
                return ExitCodes.BrokenPipe;
            case FileNotFoundException missing when missing.FileName is { } file:
                reporter.Error($"{prefix}{file}: no such file");
                break;
            case DirectoryNotFoundException or IOException:
                reporter.Error(prefix + exception.Message);
                break;
            case UnauthorizedAccessException:
                reporter.Error(prefix + exception.Message, "run appc as root, or give a data directory of your own with --root");
                break;
            default:
                reporter.Error($"{prefix}internal error: {exception.GetType().Name}: {exception.Message}", "'--debug' shows where; please report it");
                break;
        }

        if (debug)
        {
            reporter.Debug(exception.ToString());
        }

        return ExitCodes.Failure;
    }
}
