using Appc.Cli.CommandLine;

namespace Appc.Cli;

/// <summary>The keys by which somebody at a terminal detaches from an app. Finds them among what is typed.</summary>
internal sealed class DetachKeys
{
    private readonly byte[] _keys;
    private int _seen;

    private DetachKeys(byte[] keys) => _keys = keys;

    /// <summary>Keys such as <c>ctrl-p,ctrl-q</c>, which are the default, or <c>ctrl-],x</c>; empty for none.</summary>
    public static DetachKeys Parse(string? text) =>
        new([.. PodValues.List(text ?? "ctrl-p,ctrl-q").Select(k => Key(k) ?? throw new UsageException($"--detach-keys: '{k}' is neither a character nor ctrl- and one of a-z @ [ \\ ] ^ _"))]);

    /// <summary>
    /// What of the typed bytes goes on to the app. Those that may be the beginning of the keys are held back until it is known.
    /// </summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="found">Whether the keys are complete; nothing after them counts.</param>
    public byte[] Filter(ReadOnlySpan<byte> typed, out bool found)
    {
        List<byte> passed = new(typed.Length + _keys.Length);
        foreach (byte key in typed)
        {
            while (_seen > 0 && key != _keys[_seen])
            {
                // The first of the held ones was none; the others may begin anew.
                passed.Add(_keys[0]);
                byte[] rest = _keys[1.._seen];
                _seen = 0;
                passed.AddRange(Filter(rest, out _));
            }

            if (_keys.Length > 0 && key == _keys[_seen])
            {
                if (++_seen == _keys.Length)
                {
                    _seen = 0;
                    found = true;
                    return [.. passed];
                }
            }
            else
            {
                passed.Add(key);
            }
        }

        found = false;
        return [.. passed];
    }

    private static byte? Key(string text) => text switch
    {
        [>= ' ' and <= '~'] => (byte)text[0],
        ['c' or 'C', 't', 'r', 'l', '-', var c] when char.ToUpperInvariant(c) is >= '@' and <= '_' and var upper => (byte)(upper - '@'),
        _ => null,
    };
}
