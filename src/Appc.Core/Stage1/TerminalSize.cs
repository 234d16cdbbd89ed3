namespace Appc.Stage1;

/// <summary>The size of a terminal, in characters.</summary>
/// <param name="Columns">Width, 1 to 65535.</param>
/// <param name="Rows">Height, 1 to 65535.</param>
public sealed record TerminalSize(int Columns, int Rows);
