using System.Numerics;
using Appc.Manifests;

namespace Appc.Stage1.Isolation;

/// <summary>A set of capabilities as the kernel counts them: bit N stands for number N.</summary>
/// <param name="Bits">The set.</param>
internal readonly record struct CapabilitySet(ulong Bits)
{
    /// <summary>What an app may have when its manifest does not say otherwise: the 14 of the specification (ace.md).</summary>
    internal static CapabilitySet Default { get; } = Of(
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD", "CAP_NET_RAW",
        "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETFCAP", "CAP_SYS_CHROOT");

    /// <summary>Every capability that this library knows by name.</summary>
    internal static CapabilitySet All { get; } = new((1UL << (Capability.LastKnown + 1)) - 1);

    /// <summary>The names, in the order of the numbers.</summary>
    internal IReadOnlyList<string> Names
    {
        get
        {
            List<string> names = new(BitOperations.PopCount(Bits));
            for (ulong rest = Bits; rest != 0; rest &= rest - 1)
            {
                names.Add(Capability.NameOf(BitOperations.TrailingZeroCount(rest)));
            }

            return names;
        }
    }

    /// <summary>The set of these names.</summary>
    /// <exception cref="LaunchException">A name is not that of a capability.</exception>
    internal static CapabilitySet Of(params IReadOnlyList<string> names)
    {
        ulong bits = 0;
        foreach (string name in names)
        {
            int number = Capability.NumberOf(name);
            if (number < 0)
            {
                throw new LaunchException("read the isolators", 0, $"'{Printable.Text(name)}' is not the name of a capability");
            }

            bits |= 1UL << number;
        }

        return new CapabilitySet(bits);
    }

    /// <summary>
    /// The bounding set of an app: the default set, without the remove-set, or the retain-set alone.
    /// </summary>
    /// <param name="isolators">The app's isolators.</param>
    /// <param name="retained">Whether a retain-set asks for exactly this set.</param>
    /// <exception cref="LaunchException">Both sets are given, or one of them cannot be read.</exception>
    internal static CapabilitySet FromIsolators(IReadOnlyList<Isolator> isolators, out bool retained)
    {
        Isolator? retain = IsolatorReader.Find(isolators, IsolatorNames.CapabilitiesRetainSet);
        Isolator? remove = IsolatorReader.Find(isolators, IsolatorNames.CapabilitiesRemoveSet);
        retained = retain is not null;
        if (retain is not null && remove is not null)
        {
            throw new LaunchException(
                "read the isolators",
                0,
                $"an app has both {IsolatorNames.CapabilitiesRetainSet} and {IsolatorNames.CapabilitiesRemoveSet}",
                "Use one of the two isolators.");
        }

        return retain is not null ? Of(IsolatorReader.ReadSet(retain))
            : remove is not null ? new CapabilitySet(Default.Bits & ~Of(IsolatorReader.ReadSet(remove)).Bits)
            : Default;
    }
}
