using Appc.Manifests.Json;

namespace Appc.Manifests;

/// <summary>How soon an app is killed when memory runs out. Not in the specification's text, but known to its schema. See <c>ace.md: Linux Isolators</c>.</summary>
public sealed record OomScoreAdjIsolator : Isolator
{
    /// <summary>Creates the isolator.</summary>
    /// <param name="score">From -1000, never, to 1000, first of all.</param>
    /// <exception cref="ManifestException">The score is out of range.</exception>
    public OomScoreAdjIsolator(int score)
        : base(IsolatorNames.OomScoreAdj, writer => writer.WriteNumberValue(score))
    {
        Score = score;
    }

    internal OomScoreAdjIsolator(IsolatorSource source, int score)
        : base(source)
    {
        Score = score;
    }

    /// <summary>From -1000, never, to 1000, first of all.</summary>
    public int Score { get; }
}
