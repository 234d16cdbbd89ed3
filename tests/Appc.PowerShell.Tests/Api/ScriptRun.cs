namespace Appc.PowerShell.Tests.Api;

/// <summary>What came of a script, and which public members of the libraries it called.</summary>
public sealed record ScriptRun(int ExitCode, string[] Output, string Error, string[] Called);
