using System.Text;
using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

/// <summary>What is fed with hostile input: each target throws if the library does what it never should.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new Dictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["image-manifest"] = input => Document(input, ManifestKind.Image),
        ["pod-manifest"] = input => Document(input, ManifestKind.Pod),
        ["ac-name"] = input => Scalar(input, AcName.Parse),
        ["ac-identifier"] = input => Scalar(input, AcIdentifier.Parse),
        ["image-id"] = input => Scalar(input, ImageId.Parse),
        ["uuid"] = input => Scalar(input, Uuid.Parse),
        ["semver"] = input => Scalar(input, SemVer.Parse),
        ["timestamp"] = input => Scalar(input, Timestamp.Parse, exact: false),
        ["quantity"] = input => Scalar(input, Quantity.Parse),
        ["app-reference"] = input => Scalar(input, AppReference.Parse),
        ["volume"] = input => Scalar(input, Volume.Parse),
        ["mount"] = input => Scalar(input, Mount.Parse),
        ["mount-point"] = input => Scalar(input, MountPoint.Parse),
        ["port"] = input => Scalar(input, Port.Parse),
        ["sanitize"] = Sanitize,
        ["isolator"] = IsolatorValue,
    };

    private static void Document(byte[] input, ManifestKind kind)
    {
        ManifestReport report = Manifest.Validate(input, kind);
        foreach (ManifestFinding finding in report.Findings)
        {
            Require(finding.ToString().All(character => !char.IsControl(character)), "control characters in a message");
            Require(finding.Line > 0 && finding.Message.Length > 0, "a finding without a place");
        }

        if (report.IsValid)
        {
            string written = report.ToJson();
            ManifestReport again = Manifest.Validate(written, kind);
            Require(again.IsValid, "what was read cannot be read again");
            Require(Equals(report.Image, again.Image) && Equals(report.Pod, again.Pod), "what was written says something else");
            Require(written == again.ToJson(), "writing twice differs");
            Require(written == Manifest.Validate(report.ToJson(indented: true), kind).ToJson(), "layout changes what is said");
        }
    }

    /// <param name="input">The text.</param>
    /// <param name="parse">Its parser.</param>
    /// <param name="exact">Whether the text form has all that was read; that of a timestamp leaves the fraction out.</param>
    private static void Scalar<T>(byte[] input, Func<string, T> parse, bool exact = true)
        where T : IEquatable<T>
    {
        T value;
        try
        {
            value = parse(Encoding.UTF8.GetString(input));
        }
        catch (ManifestException exception)
        {
            Require(exception.Message.All(character => !char.IsControl(character)), "control characters in a message");
            return;
        }

        T again = parse(value.ToString()!);
        Require(!exact || value.Equals(again), "the text form says something else");
        Require(value.ToString() == again.ToString(), "writing twice differs");
    }

    private static void Sanitize(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        bool anything = text.Any(char.IsAsciiLetterOrDigit);
        foreach (Func<string, object> sanitize in new Func<string, object>[] { AcName.Sanitize, AcIdentifier.Sanitize })
        {
            try
            {
                sanitize(text);
                Require(anything, "something was made of nothing");
            }
            catch (ManifestException)
            {
                Require(!anything, "nothing was made of something");
            }
        }
    }

    private static void IsolatorValue(byte[] input)
    {
        string[] parts = Encoding.UTF8.GetString(input).Split('\n', 2);
        try
        {
            Isolator isolator = Isolator.Create(parts[0], parts.Length > 1 ? parts[1] : "null");
            Require(isolator == Isolator.Create(isolator.Name, isolator.ValueJson), "the value says something else");
        }
        catch (ManifestException exception)
        {
            Require(exception.Message.All(character => !char.IsControl(character)), "control characters in a message");
        }
    }

    private static void Require(bool condition, string fault)
    {
        if (!condition)
        {
            throw new InvalidOperationException(fault);
        }
    }
}
