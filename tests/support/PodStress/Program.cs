using System.Globalization;
using Appc.PodStress;

// What the tests of many pods run: a process that does as it is told (Worker), and a host with hundreds of pods (Soak).
return args switch
{
    ["image", string root] => await StressImage.ImportAsync(root),
    ["worker", string root, string image] => await Worker.RunAsync(root, image),
    ["soak", ..] => await Soak.RunAsync(
        pods: Number("--pods", 200),
        seconds: Number("--seconds", 600),
        directory: Option("--directory", Path.GetTempPath())),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: PodStress soak [--pods N] [--seconds N] [--directory PATH] | image ROOT | worker ROOT IMAGE");
    return 2;
}

int Number(string name, int otherwise) => int.Parse(Option(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

string Option(string name, string otherwise)
{
    int at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
}
