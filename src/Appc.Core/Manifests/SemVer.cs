using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>
/// A version in the form of Semantic Versioning 2.0.0, as <c>acVersion</c> is (<c>types.md: AC Version Type</c>). Its
/// three numbers are at most 2^63-1, and they are not all 0: that is no version of the specification.
/// </summary>
public sealed class SemVer : IEquatable<SemVer>, IComparable<SemVer>
{
    private SemVer(long major, long minor, long patch, string prerelease, string build)
    {
        Major = major;
        Minor = minor;
        Patch = patch;
        Prerelease = prerelease;
        Build = build;
    }

    /// <summary>The first number: it changes with what is incompatible.</summary>
    public long Major { get; }

    /// <summary>The second number.</summary>
    public long Minor { get; }

    /// <summary>The third number.</summary>
    public long Patch { get; }

    /// <summary>What follows the hyphen, such as <c>rc.1</c>; empty for a release.</summary>
    public string Prerelease { get; }

    /// <summary>What follows the plus sign; empty if there is none. It does not count for precedence.</summary>
    public string Build { get; }

    /// <summary>Parses the text form.</summary>
    /// <exception cref="ManifestException">The text is not valid.</exception>
    public static SemVer Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out SemVer? version) is { } fault
            ? throw new ManifestException($"'{ShownText.Shorten(text)}' is not a valid version: {fault}")
            : version!;
    }

    /// <summary>Parses the text form; false if it is not valid.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SemVer? result)
    {
        result = null;
        return text is not null && Read(text, out result) is null;
    }

    /// <summary>Compares by precedence, which build metadata have no part in.</summary>
    /// <returns>Less than 0, 0 or more than 0, as this version precedes the other, has its precedence, or follows it.</returns>
    public int ComparePrecedence(SemVer other)
    {
        ArgumentNullException.ThrowIfNull(other);
        int order = Major.CompareTo(other.Major);
        order = order != 0 ? order : Minor.CompareTo(other.Minor);
        order = order != 0 ? order : Patch.CompareTo(other.Patch);
        return order != 0 ? order : ComparePrerelease(Prerelease, other.Prerelease);
    }

    /// <summary>Compares by precedence, and versions of the same precedence by their build metadata: a total order that agrees with equality.</summary>
    public int CompareTo(SemVer? other)
    {
        if (other is null)
        {
            return 1;
        }

        int order = ComparePrecedence(other);
        return order != 0 ? order : string.CompareOrdinal(Build, other.Build);
    }

    /// <summary>The text form.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{Patch}")
        + (Prerelease.Length > 0 ? "-" + Prerelease : "")
        + (Build.Length > 0 ? "+" + Build : "");

    /// <inheritdoc/>
    public bool Equals(SemVer? other) => other is not null && CompareTo(other) == 0;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SemVer);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Major, Minor, Patch, Prerelease, Build);

    /// <summary>Equality, build metadata included.</summary>
    public static bool operator ==(SemVer? left, SemVer? right) => Equals(left, right);

    /// <summary>Inequality, build metadata included.</summary>
    public static bool operator !=(SemVer? left, SemVer? right) => !Equals(left, right);

    internal static string? FaultOf(string text) => Read(text, out _);

    private static string? Read(string text, out SemVer? version)
    {
        version = null;
        int plus = text.IndexOf('+', StringComparison.Ordinal);
        string build = plus < 0 ? "" : text[(plus + 1)..];
        string rest = plus < 0 ? text : text[..plus];
        int hyphen = rest.IndexOf('-', StringComparison.Ordinal);
        string prerelease = hyphen < 0 ? "" : rest[(hyphen + 1)..];
        string[] numbers = (hyphen < 0 ? rest : rest[..hyphen]).Split('.');
        Span<long> values = stackalloc long[3];
        if (numbers.Length != 3)
        {
            return "it must have three numbers with points between";
        }

        for (int index = 0; index < 3; index++)
        {
            string number = numbers[index];
            if (number.Length == 0 || number.AsSpan().ContainsAnyExceptInRange('0', '9'))
            {
                return "its parts must be numbers in decimal digits";
            }

            if (number.Length > 1 && number[0] == '0')
            {
                return "a number must not begin with 0";
            }

            if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out values[index]))
            {
                return "a number is too large";
            }
        }

        if ((hyphen >= 0 && !AreIdentifiers(prerelease, numeric: true)) || (plus >= 0 && !AreIdentifiers(build, numeric: false)))
        {
            return "what follows '-' or '+' must be letters, digits and hyphens with single points between, and its numbers must not begin with 0";
        }

        if (values[0] == 0 && values[1] == 0 && values[2] == 0 && prerelease.Length == 0 && build.Length == 0)
        {
            return "0.0.0 is no version";
        }

        version = new SemVer(values[0], values[1], values[2], prerelease, build);
        return null;
    }

    private static bool AreIdentifiers(string text, bool numeric)
    {
        foreach (string identifier in text.Split('.'))
        {
            bool valid = identifier.Length > 0
                && identifier.All(static character => char.IsAsciiLetterOrDigit(character) || character == '-')
                && !(numeric && identifier.Length > 1 && identifier[0] == '0' && IsNumber(identifier));
            if (!valid)
            {
                return false;
            }
        }

        return true;
    }

    private static int ComparePrerelease(string left, string right)
    {
        if (left.Length == 0 || right.Length == 0)
        {
            // A release follows all of its pre-releases.
            return right.Length.CompareTo(left.Length);
        }

        string[] lefts = left.Split('.');
        string[] rights = right.Split('.');
        for (int index = 0; index < Math.Min(lefts.Length, rights.Length); index++)
        {
            int order = CompareIdentifier(lefts[index], rights[index]);
            if (order != 0)
            {
                return order;
            }
        }

        return lefts.Length.CompareTo(rights.Length);
    }

    private static int CompareIdentifier(string left, string right)
    {
        bool leftNumber = IsNumber(left);
        bool rightNumber = IsNumber(right);
        if (leftNumber && rightNumber && left.Length != right.Length)
        {
            // Without leading zeros the longer number is the larger one, however long they are.
            return left.Length.CompareTo(right.Length);
        }

        return leftNumber == rightNumber ? string.CompareOrdinal(left, right) : rightNumber.CompareTo(leftNumber);
    }

    private static bool IsNumber(string identifier) => !identifier.AsSpan().ContainsAnyExceptInRange('0', '9');
}
