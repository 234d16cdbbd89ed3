using System.Runtime.InteropServices;
using Appc.Cli.CommandLine;
using Appc.Pods;

namespace Appc.Cli.Commands;

internal sealed class EnterCommand : Command
{
    private static readonly string[] Shell = ["/bin/sh"];

    public override string Name => "enter";

    public override string Synopsis => "[--app NAME] [--as-root] UUID [COMMAND ARGUMENT...]";

    public override string Summary => "runs a command, or a shell, in an app that runs, isolated as the app is";

    public override void Define(OptionSet options)
    {
        options.Value("app").Flag("as-root");
        options.ProgramFollows = true;
    }

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> operands = arguments.AtLeastOne("a pod");
        bool terminal = CallerTerminal.IsThere;
        await using Pod pod = await context.Runtime.OpenAsync(operands[0], cancellationToken);
        await using PodExec command = await pod.ExecAsync(
            arguments.Get("app"),
            operands.Count > 1 ? [.. operands.Skip(1)] : Shell,
            new ExecOptions
            {
                AsRoot = arguments.Has("as-root"),
                Terminal = terminal ? CallerTerminal.Size() : null,
                Environment = terminal && Environment.GetEnvironmentVariable("TERM") is { } kind ? new Dictionary<string, string> { ["TERM"] = kind } : [],
            },
            cancellationToken);
        using RawTerminal? raw = terminal ? await RawTerminal.EnterAsync() : null;
        using PosixSignalRegistration? resized = terminal ? CallerTerminal.OnResize(command.Resize) : null;
        ExecResult result = await ConnectAsync(command, cancellationToken);
        return result.ExitCode;
    }

    private static async Task<ExecResult> ConnectAsync(PodExec command, CancellationToken cancellationToken)
    {
        await using Stream output = CallerOutput.Open();
        await using Stream error = Console.OpenStandardError();

        // Reading the console cannot be cancelled: what still waits for a key goes with the program.
        _ = FeedAsync(command);
        Task<ExecResult> ended = command.WaitAsync(cancellationToken);
        List<Task> pending =
        [
            ended,
            command.StandardOutput.CopyToAsync(output, cancellationToken),
            command.StandardError?.CopyToAsync(error, cancellationToken) ?? Task.CompletedTask,
        ];
        while (pending.Count > 0)
        {
            // One by one: where nobody takes the output any more the command would wait for ever.
            Task done = await Task.WhenAny(pending);
            await done;
            pending.Remove(done);
        }

        return await ended;
    }

    private static async Task FeedAsync(PodExec command)
    {
        try
        {
            await using Stream input = CallerTerminal.OpenInput();
            await input.CopyToAsync(command.StandardInput);
            if (command.StandardError is not null)
            {
                await command.StandardInput.DisposeAsync();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The command reads no more.
        }
    }
}
