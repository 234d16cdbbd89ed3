// Runs a PowerShell script as pwsh would: prints what it returns, a line each, and ends with 1 if it failed.
//   PowerShellHost SCRIPT [-NAME VALUE]...
using System.Management.Automation;
using System.Management.Automation.Runspaces;

using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
runspace.Open();
runspace.SessionStateProxy.Path.SetLocation(Environment.CurrentDirectory);
using PowerShell shell = PowerShell.Create(runspace);
shell.AddCommand(Path.GetFullPath(args[0]), useLocalScope: true);
for (int i = 1; i + 1 < args.Length; i += 2)
{
    shell.AddParameter(args[i].TrimStart('-'), args[i + 1]);
}

using PSDataCollection<PSObject> output = [];
output.DataAdded += (_, added) => Console.WriteLine(output[added.Index]);
try
{
    shell.Invoke(null, output);
}
catch (RuntimeException exception)
{
    Console.Error.WriteLine(exception.ErrorRecord);
    Console.Error.WriteLine(exception.ErrorRecord.ScriptStackTrace);
    Console.Error.WriteLine(exception.InnerException);
    return 1;
}

foreach (ErrorRecord error in shell.Streams.Error)
{
    Console.Error.WriteLine(error);
}

return shell.HadErrors ? 1 : 0;
