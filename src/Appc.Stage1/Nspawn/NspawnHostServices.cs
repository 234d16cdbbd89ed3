using Appc.Linux;
using Appc.Manifests;

namespace Appc.Stage1.Nspawn;

/// <summary>What a pod may use of the host's systemd: its journal, and its register of machines.</summary>
/// <param name="Journal">Whether apps write to the journal.</param>
/// <param name="Register">Whether machined is told of the pod.</param>
internal sealed record NspawnHostServices(bool Journal, bool Register)
{
    /// <summary>Where journald takes output; its path is the same for the pod's systemd, which connects there for each app.</summary>
    private const string JournalSocket = "/run/systemd/journal/stdout";

    /// <exception cref="LaunchException">The host does not have what was asked for.</exception>
    internal static NspawnHostServices From(NspawnOptions options, string subject)
    {
        if (options.Journal && !File.Exists(JournalSocket))
        {
            throw new LaunchException("find the journal", 0, $"{subject}: the host has no journal at {JournalSocket}", "Leave NspawnOptions.Journal off: apps then write to the pod's log files.");
        }

        return new NspawnHostServices(options.Journal, options.Register);
    }

    /// <summary>
    /// Makes what will be the pod's /run/systemd, with the socket of the journal in it. The socket alone cannot be bound: nspawn
    /// would make the directories above it, in which the pod's systemd then could not write.
    /// </summary>
    internal void Mount(LaunchPlan plan, string scratch, IdMap ids)
    {
        if (!Journal)
        {
            return;
        }

        const string Step = "show the host's journal";
        string directory = scratch + "/run";
        foreach (string path in (string[])[directory, directory + "/journal"])
        {
            plan.MakeDirectory(Step, path, 0x1ed);
            plan.ChangeOwner(Step, path, ids.First, ids.First);
        }

        plan.MakeFile(Step, directory + "/journal/stdout", 0x1a4);
        plan.Bind(Step, JournalSocket, directory + "/journal/stdout", recursive: false);
    }

    internal IEnumerable<string> Arguments(string scratch) =>
    [
        Register ? "--register=yes" : "--register=no",
        .. Journal ? (string[])[$"--bind={scratch}/run:/run/systemd"] : [],
    ];

    /// <summary>Where a process of an app writes to.</summary>
    internal void WriteOutput(UnitText unit, AcName app)
    {
        if (Journal)
        {
            unit.Set("StandardOutput", "journal").Set("StandardError", "journal").Set("SyslogIdentifier", app.ToString());
            return;
        }

        unit.Set("StandardOutput", $"append:{Stage1TreeFiles.PodDirectory}/logs/{app}.out")
            .Set("StandardError", $"append:{Stage1TreeFiles.PodDirectory}/logs/{app}.err");
    }
}
