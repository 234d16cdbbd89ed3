namespace Appc.Linux;

/// <summary>
/// An argument of a step: a number known now, or the result of an earlier step, known when the child gets there.
/// </summary>
internal readonly unsafe struct LaunchArgument
{
    private LaunchArgument(nint value, nint* cell)
    {
        Value = value;
        Cell = cell;
    }

    internal nint Value { get; }

    /// <summary>Where the number will be; null if <see cref="Value"/> is it.</summary>
    internal nint* Cell { get; }

    internal static LaunchArgument FromCell(nint* cell) => new(0, cell);

    public static implicit operator LaunchArgument(int value) => new(value, null);

    public static implicit operator LaunchArgument(uint value) => new((nint)value, null);

    public static implicit operator LaunchArgument(nint value) => new(value, null);

    public static implicit operator LaunchArgument(ulong value) => new((nint)value, null);
}
