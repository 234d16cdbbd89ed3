namespace Appc.Stage1;

/// <summary>The size of a terminal, in characters.</summary>
/// <param name="Columns">Width, 1 to 65535.</param>
/// <param name="Rows">Height, 1 to 65535.</param>
/// <exception cref="ArgumentOutOfRangeException">It is no size that a terminal can have.</exception>
public sealed record TerminalSize(int Columns, int Rows)
{
    /// <summary>Width, 1 to 65535.</summary>
    public int Columns { get; init => field = Require(value, nameof(Columns)); } = Require(Columns, nameof(Columns));

    /// <summary>Height, 1 to 65535.</summary>
    public int Rows { get; init => field = Require(value, nameof(Rows)); } = Require(Rows, nameof(Rows));

    private static int Require(int value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, ushort.MaxValue, name);
        return value;
    }
}
