using System.Globalization;
using Appc.StoreSoak;

// Several processes use one store as hard as they can: see Soak for what is checked.
return args switch
{
    ["worker", string root, string archives, string seconds, string seed] => await Worker.RunAsync(root, archives, Number(seconds), Number(seed)),
    _ => await Soak.RunAsync(
        seconds: Number(Option("--seconds", "120")),
        processes: Number(Option("--processes", "8")),
        directory: Option("--directory", Path.GetTempPath())),
};

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

string Option(string name, string otherwise)
{
    int at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
}
