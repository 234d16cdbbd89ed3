namespace Appc.Images;

/// <summary>Which extended attributes of an image are written.</summary>
internal static class AttributePolicy
{
    /// <summary>What to do with an attribute.</summary>
    public enum Verdict
    {
        /// <summary>Write it as it is.</summary>
        Keep,

        /// <summary>Leave it out and say so: it belongs to the host that the image was made on.</summary>
        LeaveOut,

        /// <summary>Refuse the image: to overlayfs the attribute means that files are hidden or elsewhere.</summary>
        Refuse,
    }

    public static Verdict Decide(ReadOnlySpan<byte> name) =>
        name.StartsWith("user.overlay."u8) || name.StartsWith("trusted.overlay."u8) ? Verdict.Refuse
        : name.SequenceEqual("security.capability"u8) || (name.StartsWith("user."u8) && name.Length > 5) ? Verdict.Keep
        : Verdict.LeaveOut;
}
