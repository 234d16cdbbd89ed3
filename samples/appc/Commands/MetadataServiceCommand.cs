using System.Net;
using Appc.Cli.CommandLine;
using Appc.Metadata;

namespace Appc.Cli.Commands;

internal sealed class MetadataServiceCommand : Command
{
    public override string Name => "metadata-service";

    public override string Synopsis => "[--listen ADDRESS:PORT|none]";

    public override string Summary => "tells apps about their pods, until it is interrupted";

    public override void Define(OptionSet options) => options.Value("listen");

    public override async Task<int> RunAsync(Arguments arguments, CliContext context, CancellationToken cancellationToken)
    {
        var options = new MetadataServiceOptions { HostEndPoint = EndPoint(arguments.Get("listen")) };
        await using MetadataService service = await MetadataService.StartAsync(context.Runtime, options, cancellationToken);
        context.Out.WriteLine($"serving {context.Runtime.Root}{(service.HostEndPoint is { } at ? $", in the host's network at {at}" : "")}");
        context.Caller.NotifyReady();
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // That is how it ends.
        }

        return ExitCodes.Success;
    }

    private static IPEndPoint? EndPoint(string? listen) => listen switch
    {
        null => MetadataServiceOptions.DefaultHostEndPoint,
        "none" => null,
        _ when listen.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(listen, out IPEndPoint? address) => address,
        _ => throw new UsageException($"--listen: '{listen}' is neither an address and a port, such as 127.0.0.1:18112, nor none"),
    };
}
