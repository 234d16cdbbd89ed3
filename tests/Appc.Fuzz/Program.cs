using System.Runtime.CompilerServices;
using Appc.Fuzz;

// Appc.Fuzz CORPUS-FOLDER MINUTES [TARGET...]
// Fuzzes each target for its share of the time, guided by the branches that an input takes, and keeps in
// CORPUS-FOLDER/TARGET.txt a smallest input, in base64 (archives deflated first), for every branch that was reached.
// Ends with 1 if an input did what none should; it is printed and kept. The targets "archive" and "extract" need root:
// they work on file systems that this program alone sees, and begin with the archives beside CORPUS-FOLDER.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: Appc.Fuzz CORPUS-FOLDER MINUTES [TARGET...]");
    return 2;
}

// The assembly must be instrumented before anything of it is loaded: nothing above or beside this touches it.
Instrumentation.Prepare(Path.Combine(AppContext.BaseDirectory, "Appc.Core.dll"));
return Run(args);

[MethodImpl(MethodImplOptions.NoInlining)]
static int Run(string[] args) => FuzzLoop.Run(args[0], TimeSpan.FromMinutes(double.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture)), args[2..]);
