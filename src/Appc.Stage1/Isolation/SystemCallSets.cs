namespace Appc.Stage1.Isolation;

/// <summary>Systemd's sets of system calls, as <c>systemd-analyze syscall-filter</c> prints them: a set's name, its members below it, indented.</summary>
internal sealed class SystemCallSets
{
    // A list of allowed calls of an older one gives the same error for every other call.
    private const int UnknownCallsDoNotExist = 256;

    private readonly Dictionary<string, List<string>> _sets = new(StringComparer.Ordinal);

    /// <param name="lines">What was printed.</param>
    /// <param name="version">The version of the systemd that printed it.</param>
    internal SystemCallSets(IEnumerable<string> lines, int version)
    {
        List<string> members = [];
        foreach (string line in lines)
        {
            string word = line.Trim();
            if (word.StartsWith('@') && !char.IsWhiteSpace(line[0]))
            {
                _sets[word] = members = [];
            }
            else if (word.Length > 0 && word[0] != '#' && char.IsWhiteSpace(line[0]))
            {
                members.Add(word);
            }
        }

        // The sets in this one are not resolved, so that obsolete calls do not exist.
        Known = version >= UnknownCallsDoNotExist && _sets.TryGetValue("@known", out List<string>? known) ? known.ToHashSet(StringComparer.Ordinal) : null;
    }

    /// <summary>The calls that are denied by a filter that does not allow them: all others do not exist for it. Null if all are denied.</summary>
    internal IReadOnlySet<string>? Known { get; }

    /// <summary>The names of the calls in a list of calls and sets; what systemd does not know is skipped, as systemd skips it.</summary>
    internal HashSet<string> Expand(IEnumerable<string> names)
    {
        HashSet<string> calls = new(StringComparer.Ordinal);
        Stack<string> left = new(names);
        HashSet<string> seen = new(StringComparer.Ordinal);
        while (left.TryPop(out string? name))
        {
            if (!name.StartsWith('@'))
            {
                calls.Add(name);
            }
            else if (seen.Add(name) && _sets.TryGetValue(name, out List<string>? members))
            {
                members.ForEach(left.Push);
            }
        }

        return calls;
    }
}
