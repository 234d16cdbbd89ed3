using Appc.Aot;
using Appc.Aot.Faults;

return args switch
{
    [] or ["manifest"] => ManifestProgram.Run(),
    ["faults", ..] => await FaultProgram.RunAsync(args[1..]),
    _ => throw new ArgumentException("manifest or faults"),
};
