using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>An app's weight among others that want the processor. Not in the specification's text, but known to its schema. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record CpuSharesIsolator : Isolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="shares">The weight, from 2 to 262144; 1024 is the usual one.</param>
    /// <exception cref="ManifestException">The weight is out of range.</exception>
    public CpuSharesIsolator(int shares)
        : base(IsolatorNames.CpuShares, writer => writer.WriteNumberValue(shares))
    {
        Shares = shares;
    }

    internal CpuSharesIsolator(IsolatorSource source, int shares)
        : base(source)
    {
        Shares = shares;
    }

    /// <summary>The weight, from 2 to 262144; 1024 is the usual one.</summary>
    public int Shares { get; }
}
