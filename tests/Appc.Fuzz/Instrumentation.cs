using System.Runtime.InteropServices;
using SharpFuzz;

namespace Appc.Fuzz;

/// <summary>Counts the branches that the code of manifests and images takes.</summary>
internal static unsafe class Instrumentation
{
    private const int MapSize = 1 << 16;
    private static readonly byte* s_map = (byte*)NativeMemory.AllocZeroed(MapSize);

    public static void Prepare(string assembly)
    {
        try
        {
            Fuzzer.Instrument(assembly, static name => name.StartsWith("Appc.Manifests", StringComparison.Ordinal) || name.StartsWith("Appc.Images", StringComparison.Ordinal), Options.Value);
        }
        catch (InstrumentationException exception) when (exception.Message.Contains("already instrumented", StringComparison.Ordinal))
        {
            // An earlier run did it.
        }

        SharpFuzz.Common.Trace.SharedMem = s_map;
    }

    /// <summary>Runs it and adds the branches that it took to <paramref name="seen"/>.</summary>
    /// <returns>Whether there were new ones.</returns>
    public static bool Run(Action<byte[]> target, byte[] input, bool[] seen)
    {
        new Span<byte>(s_map, MapSize).Clear();
        SharpFuzz.Common.Trace.PrevLocation = 0;
        target(input);
        bool found = false;
        ReadOnlySpan<byte> map = new(s_map, MapSize);
        for (int index = map.IndexOfAnyExcept((byte)0); index >= 0;)
        {
            found |= !seen[index];
            seen[index] = true;
            int step = map[(index + 1)..].IndexOfAnyExcept((byte)0);
            index = step < 0 ? -1 : index + 1 + step;
        }

        return found;
    }

    public static bool[] NewMap() => new bool[MapSize];
}
