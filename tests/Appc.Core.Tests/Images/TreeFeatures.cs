namespace Appc.Core.Tests.Images;

/// <summary>What a random tree may have: as much as the format of the archive can express.</summary>
internal sealed record TreeFeatures
{
    /// <summary>Names and targets of links beyond ustar's fields.</summary>
    public bool LongNames { get; init; }

    /// <summary>Owners beyond 21 bits, and times before 1970.</summary>
    public bool LargeNumbers { get; init; }

    /// <summary>The largest of these owners.</summary>
    public long LargestId { get; init; } = 0xffff_fffe;

    /// <summary>Times to the nanosecond.</summary>
    public bool Fractions { get; init; }

    /// <summary>Such times also before 1970.</summary>
    public bool FractionsBefore1970 { get; init; } = true;

    /// <summary>Names that are no text.</summary>
    public bool NamesOfBytes { get; init; } = true;

    /// <summary>Extended attributes.</summary>
    public bool Attributes { get; init; }

    /// <summary>Pipes and devices.</summary>
    public bool Specials { get; init; }

    /// <summary>More than one name for a pipe or a device, which GNU tar does not see.</summary>
    public bool LinkedSpecials { get; init; }

    /// <summary>Sparse files.</summary>
    public bool Holes { get; init; }

    public static TreeFeatures All { get; } = new() { LongNames = true, LargeNumbers = true, Fractions = true, Attributes = true, Specials = true, LinkedSpecials = true, Holes = true };

    /// <summary>What one of GNU tar's formats can hold.</summary>
    public static TreeFeatures Of(string format) => format switch
    {
        "v7" => new TreeFeatures { Holes = true },
        "ustar" => new TreeFeatures { Specials = true, Holes = true },
        "oldgnu" or "gnu" => new TreeFeatures { LongNames = true, LargeNumbers = true, Specials = true, Holes = true },
        _ => All with { LinkedSpecials = false },
    };
}
