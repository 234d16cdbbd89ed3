using Appc.Cli.CommandLine;

namespace Appc.Cli.Commands;

internal sealed class HelpCommand : Command
{
    public override string Name => "help";

    public override string Synopsis => "[COMMAND]";

    public override string Summary => "shows what is possible";

    public override Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        if (arguments.Operands.Count == 0)
        {
            Help.Write(context.Out);
        }
        else
        {
            string name = string.Join(' ', arguments.Operands);
            Help.Write(context.Out, CommandTable.Find(name) ?? throw new UsageException($"unknown command '{name}'"));
        }

        return Task.FromResult(ExitCodes.Success);
    }
}
