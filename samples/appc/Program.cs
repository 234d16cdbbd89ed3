using Appc.Cli.CommandLine;
using Appc.Cli.Commands;
using Appc.Cli.Output;

namespace Appc.Cli;

internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        using var reporter = new Reporter();
        using var signals = new Interruption();
        string name = string.Empty;
        bool debug = false;
        try
        {
            var globals = new OptionSet();
            GlobalOptions.Define(globals);
            var before = new Arguments(globals.Parse(arguments, stopAtOperand: true, out int at), globals);
            if (at == arguments.Length)
            {
                Help.Write(Console.Out);
                return before.Has("help") ? ExitCodes.Success : ExitCodes.Usage;
            }

            name = arguments[at++];
            if (CommandTable.IsGroup(name))
            {
                var between = globals.Parse(arguments.AsSpan(at), stopAtOperand: true, out int taken);
                before = new Arguments([.. before.Tokens, .. between], globals);
                at += taken;
                name = at < arguments.Length ? $"{name} {arguments[at++]}" : throw new UsageException($"'{name}' needs one of: {CommandTable.Members(name)}");
            }

            Command command = CommandTable.Find(name) ?? throw new UsageException($"unknown command '{name}'");
            var known = new OptionSet();
            GlobalOptions.Define(known);
            command.Define(known);
            var given = new Arguments(known.Parse(arguments.AsSpan(at), stopAtOperand: false, out _), known);
            if (given.Has("help") || before.Has("help"))
            {
                Help.Write(Console.Out, command);
                return ExitCodes.Success;
            }

            GlobalOptions options = GlobalOptions.From(before, given);
            debug = options.Debug;
            reporter.Quiet = options.Quiet;
            await using var context = new CliContext(options, reporter, command.Fetches);
            foreach (string warning in InsecureOptionsText.Warnings(options.Insecure))
            {
                reporter.Warning($"--insecure-options={warning}");
            }

            return await command.RunAsync(given, context, signals.Token);
        }
        catch (Exception exception)
        {
            return Failure.Report(exception, name, debug, reporter);
        }
    }
}
