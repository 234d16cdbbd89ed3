using Appc.Linux;

namespace Appc.Stage1.Isolation;

/// <summary>The steps by which a launching child becomes an app's user with its capabilities.</summary>
internal static class PrivilegeSteps
{
    /// <summary>Adds them.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="user">The user.</param>
    /// <param name="capabilities">The most that any process of the app may have.</param>
    /// <param name="retained">Whether they were asked for by name: then users who are not root have them too.</param>
    /// <param name="lastCapability">The highest capability of the running kernel.</param>
    /// <param name="rootKeepsAll">
    /// Whether root stays as it is until it executes the program, which leaves it no more than the app may have: a
    /// filter of system calls that is installed after this needs it.
    /// </param>
    internal static void Drop(LaunchPlan plan, AppUser user, CapabilitySet capabilities, bool retained, int lastCapability, bool rootKeepsAll = false)
    {
        bool isRoot = user.Uid == 0;
        ulong own = isRoot || retained ? capabilities.Bits : 0;
        plan.ClearAmbientCapabilities();
        plan.LimitCapabilities(capabilities.Bits, lastCapability);
        if (!isRoot)
        {
            plan.KeepCapabilities();
        }

        plan.SetIdentity(user.Uid, user.Gid, user.Groups);
        if (isRoot && rootKeepsAll)
        {
            return;
        }

        // Root gains the bounding set by executing; other users keep only what was asked for by name.
        ulong ambient = isRoot ? 0 : own;
        plan.SetCapabilities(own, ambient);
        plan.RaiseAmbientCapabilities(ambient);
    }
}
