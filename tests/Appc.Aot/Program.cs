using Appc.Aot;
using Appc.Aot.Faults;

return args switch
{
    [] or ["manifest"] => ManifestProgram.Run(),
    ["archive"] => await ArchiveProgram.RunAsync(),
    ["faults", ..] => await FaultProgram.RunAsync(args[1..]),
    _ => throw new ArgumentException("manifest, archive or faults"),
};
