using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// An amount of a resource, such as <c>500m</c> or <c>2Gi</c> (<c>ace.md: Resource Isolators</c>): exact, from one
/// billionth to 2^63-1 units; anything finer is rounded up. Suffixes are decimal (<c>n u m k M G T P E</c>, and
/// <c>K</c>, which the specification writes), binary (<c>Ki Mi Gi Ti Pi Ei</c>), or an exponent (<c>1e3</c>).
/// Quantities of the same amount are equal, however they are written.
/// </summary>
public sealed class Quantity : IEquatable<Quantity>, IComparable<Quantity>
{
    private const int NanoDigits = 9;
    private const int MostCharacters = 256;
    private static readonly BigInteger s_nano = BigInteger.Pow(10, NanoDigits);
    private static readonly BigInteger s_most = long.MaxValue * s_nano;
    private static readonly string[] s_decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    private static readonly string[] s_binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

    private readonly BigInteger _nanos;
    private readonly Family _family;

    private Quantity(BigInteger nanos, Family family)
    {
        _nanos = nanos;
        _family = family;
    }

    private enum Family
    {
        Decimal,
        Binary,
        Exponent,
    }

    /// <summary>The exact amount.</summary>
    public decimal Amount => (decimal)_nanos / 1_000_000_000m;

    /// <summary>The amount in whole units, rounded up.</summary>
    public long Value => (long)CeilingDivide(_nanos, s_nano);

    /// <summary>The amount in thousandths, rounded up; null if that is more than 2^63-1.</summary>
    public long? MilliValue
    {
        get
        {
            BigInteger milli = CeilingDivide(_nanos, 1_000_000);
            return milli <= long.MaxValue ? (long)milli : null;
        }
    }

    /// <summary>A quantity of whole units.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount is negative.</exception>
    public static Quantity Of(long units)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(units);
        return new Quantity(units * s_nano, Family.Decimal);
    }

    /// <summary>A quantity of thousandths, as shares of a processor are given.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount is negative.</exception>
    public static Quantity OfMilli(long thousandths)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(thousandths);
        return new Quantity(thousandths * (s_nano / 1000), Family.Decimal);
    }

    /// <summary>A quantity of bytes, written with binary suffixes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount is negative.</exception>
    public static Quantity OfBytes(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        return new Quantity(bytes * s_nano, Family.Binary);
    }

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static Quantity Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out Quantity? result) is { } fault
            ? throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid quantity: {fault}")
            : result!;
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Quantity? result)
    {
        result = null;
        return text is not null && Read(text, out result) is null;
    }

    /// <summary>The shortest form without a fraction, with a suffix of the sort that the quantity was written with where that can be exact.</summary>
    public override string ToString()
    {
        if (_nanos.IsZero)
        {
            return "0";
        }

        if (_family == Family.Binary && _nanos >= 1024 * s_nano && (_nanos % s_nano).IsZero)
        {
            (BigInteger units, int power) = Reduce(_nanos / s_nano, 1024, s_binary.Length - 1);
            return units.ToString(CultureInfo.InvariantCulture) + s_binary[power];
        }

        (BigInteger amount, int thousands) = Reduce(_nanos, 1000, s_decimal.Length - 1);
        string digits = amount.ToString(CultureInfo.InvariantCulture);
        int exponent = (thousands * 3) - NanoDigits;
        return _family == Family.Exponent && exponent != 0
            ? string.Create(CultureInfo.InvariantCulture, $"{digits}e{exponent}")
            : digits + s_decimal[thousands];
    }

    /// <inheritdoc/>
    public bool Equals(Quantity? other) => other is not null && _nanos == other._nanos;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Quantity);

    /// <inheritdoc/>
    public override int GetHashCode() => _nanos.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(Quantity? other) => other is null ? 1 : _nanos.CompareTo(other._nanos);

    /// <summary>Equality of the amounts.</summary>
    public static bool operator ==(Quantity? left, Quantity? right) => Equals(left, right);

    /// <summary>Inequality of the amounts.</summary>
    public static bool operator !=(Quantity? left, Quantity? right) => !Equals(left, right);

    internal static string? Read(string text, out Quantity? result)
    {
        result = null;
        if (text.Length > MostCharacters)
        {
            return "it is too long";
        }

        ReadOnlySpan<char> rest = text;
        if (rest is ['-', ..])
        {
            return "an amount of a resource cannot be negative";
        }

        rest = rest is ['+', ..] ? rest[1..] : rest;
        int whole = DigitsIn(rest);
        int fraction = whole < rest.Length && rest[whole] == '.' ? DigitsIn(rest[(whole + 1)..]) : -1;
        int length = whole + 1 + fraction;
        if (whole + Math.Max(fraction, 0) == 0)
        {
            return "it must begin with a number";
        }

        BigInteger digits = BigInteger.Parse(string.Concat(rest[..whole], fraction > 0 ? rest.Slice(whole + 1, fraction) : ""), NumberStyles.None, CultureInfo.InvariantCulture);
        if (!TrySuffix(rest[length..], out Family family, out int exponent))
        {
            return "it must end with a suffix out of n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, or an exponent";
        }

        long shift = (family == Family.Binary ? 0L : exponent) - Math.Max(fraction, 0) + NanoDigits;
        BigInteger nanos = Scale(family == Family.Binary ? digits << exponent : digits, shift);
        if (nanos > s_most)
        {
            return "it is more than 9223372036854775807";
        }

        result = new Quantity(nanos, family);
        return null;
    }

    private static int DigitsIn(ReadOnlySpan<char> text)
    {
        int digits = text.IndexOfAnyExceptInRange('0', '9');
        return digits < 0 ? text.Length : digits;
    }

    private static bool TrySuffix(ReadOnlySpan<char> suffix, out Family family, out int exponent)
    {
        string text = suffix.ToString();
        int power = Array.IndexOf(s_decimal, text == "K" ? "k" : text);
        if (power >= 0)
        {
            (family, exponent) = (Family.Decimal, (power * 3) - NanoDigits);
            return true;
        }

        power = Array.IndexOf(s_binary, text);
        if (power > 0)
        {
            (family, exponent) = (Family.Binary, power * 10);
            return true;
        }

        family = Family.Exponent;
        exponent = 0;
        return suffix is ['e' or 'E', ..] && int.TryParse(suffix[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent);
    }

    /// <summary>The number times a power of ten, rounded up. Never works with more digits than can matter.</summary>
    private static BigInteger Scale(BigInteger number, long power)
    {
        if (number.IsZero)
        {
            return number;
        }

        if (power >= 0)
        {
            // Beyond this the result is too large anyway.
            return number * BigInteger.Pow(10, (int)Math.Min(power, 40));
        }

        return power < -2 * MostCharacters ? BigInteger.One : CeilingDivide(number, BigInteger.Pow(10, (int)-power));
    }

    private static BigInteger CeilingDivide(BigInteger number, BigInteger divisor)
    {
        BigInteger quotient = BigInteger.DivRem(number, divisor, out BigInteger remainder);
        return remainder.IsZero ? quotient : quotient + 1;
    }

    private static (BigInteger Number, int Power) Reduce(BigInteger number, int factor, int most)
    {
        int power = 0;
        while (power < most && (number % factor).IsZero)
        {
            number /= factor;
            power++;
        }

        return (number, power);
    }
}
