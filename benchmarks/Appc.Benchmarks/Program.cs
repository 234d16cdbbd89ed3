using Appc.Benchmarks.Compare;
using BenchmarkDotNet.Running;

// 'launch', 'enter', 'import' and 'fetch' compare with other programs and are driven by compare.sh; 'pods [COUNT]' measures what
// running pods cost their host, 'traffic [COUNT]' how fast they come and go; anything else is BenchmarkDotNet's.
switch (args.Length > 0 ? args[0] : string.Empty)
{
    case "launch":
        return await LaunchComparison.RunAsync(ComparisonOptions.Parse(args[1..]));
    case "enter":
        return await EnterComparison.RunAsync(ComparisonOptions.Parse(args[1..]));
    case "import":
        return await ImportComparison.RunAsync(ComparisonOptions.Parse(args[1..]));
    case "fetch":
        return await FetchComparison.RunAsync(ComparisonOptions.Parse(args[1..]));
    case "pods":
        return await PodLife.RunAsync(args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 200);
    case "traffic":
        return await PodTraffic.RunAsync(args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 1000);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
