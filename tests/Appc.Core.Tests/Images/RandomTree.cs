using System.Globalization;
using System.Text;

namespace Appc.Core.Tests.Images;

/// <summary>Makes trees of everything that an image can hold, the same one for the same number.</summary>
internal sealed class RandomTree
{
    private readonly Random _random;
    private readonly TreeFeatures _features;
    private readonly StringBuilder _script = new("set -e; umask 022\n");
    private readonly List<string> _directories = ["."];
    private readonly List<string> _others = [];
    private readonly List<string> _all = ["."];
    private int _count;

    private RandomTree(int seed, TreeFeatures features)
    {
        _random = new Random(seed);
        _features = features;
    }

    public static void Fill(string root, int seed, TreeFeatures features)
    {
        string script = Path.Combine(Path.GetDirectoryName(root)!, Guid.NewGuid().ToString("N") + ".sh");
        File.WriteAllText(script, new RandomTree(seed, features).Script());
        ImageFixture.Shell($"cd '{root}' && bash '{script}' && rm '{script}'");
    }

    private string Script()
    {
        for (int i = 0; i < 60; i++)
        {
            AddOne();
        }

        // Owners first (chown takes set-id bits away), then modes, attributes, and times from the bottom up.
        foreach (string path in _all)
        {
            string owner = $"{Id()}:{Id()}";
            _script.AppendLine(CultureInfo.InvariantCulture, $"chown -h {owner} {path}; [ -L {path} ] || chmod {Mode(path)} {path}");
            Attributes(path);
        }

        for (int i = _all.Count - 1; i >= 0; i--)
        {
            _script.AppendLine(CultureInfo.InvariantCulture, $"touch -h -d @{Time()} {_all[i]}");
        }

        return _script.ToString();
    }

    private void AddOne()
    {
        string path = $"{_directories[_random.Next(_directories.Count)]}/{Name()}";
        int kind = _random.Next(_features.Specials ? 12 : 9);
        switch (kind)
        {
            case 0 or 1:
                _script.AppendLine("mkdir " + path);
                _directories.Add(path);
                _all.Add(path);
                return;
            case 2:
                _script.AppendLine(CultureInfo.InvariantCulture, $"ln -s {Target()} {path}");
                break;
            case 3 when _others.Count > 0:
                _script.AppendLine(CultureInfo.InvariantCulture, $"ln -P {_others[_random.Next(_others.Count)]} {path}");
                return;
            case 4 when _features.Holes:
                Sparse(path);
                break;
            case 9:
                _script.AppendLine("mkfifo " + path);
                break;
            case 10:
                _script.AppendLine(CultureInfo.InvariantCulture, $"mknod {path} c {_random.Next(1, 4096)} {_random.Next(1 << 20)}");
                break;
            case 11:
                _script.AppendLine(CultureInfo.InvariantCulture, $"mknod {path} b {_random.Next(4096)} {_random.Next(1 << 20)}");
                break;
            default:
                int length = _random.Next(3) switch { 0 => _random.Next(3), 1 => 512 * _random.Next(4), _ => _random.Next(20_000) };
                _script.AppendLine(CultureInfo.InvariantCulture, $"head -c {length} <(yes {_random.Next()}) > {path} || true");
                break;
        }

        _all.Add(path);
        if (kind < 9 || _features.LinkedSpecials)
        {
            _others.Add(path);
        }
    }

    private void Sparse(string path)
    {
        int size = _random.Next(1, 200) * 8192;
        _script.AppendLine(CultureInfo.InvariantCulture, $"truncate -s {size + _random.Next(3)} {path}");
        for (int i = _random.Next(_random.Next(2) == 0 ? 3 : 40); i > 0; i--)
        {
            _script.AppendLine(CultureInfo.InvariantCulture, $"printf {_random.Next()} | dd of={path} bs=1 conv=notrunc status=none seek={_random.Next(size - 20)}");
        }
    }

    private string Name()
    {
        byte[] name = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_count++}"));
        switch (_random.Next(6))
        {
            case 0 when _features.LongNames:
                name = [.. name, .. Enumerable.Repeat((byte)'l', _random.Next(80, 240))];
                break;
            case 1 when _features.NamesOfBytes:
                // Bytes that are no text, line ends, quotes, spaces, but no letter that bash reads otherwise.
                name = [.. name, .. Enumerable.Range(0, _random.Next(1, 9)).Select(_ => (byte)_random.Next(1, 256)).Where(b => b != '/')];
                break;
            case 2:
                name = [.. name, .. "-é😀"u8];
                break;
            default:
                break;
        }

        return Quote(name);
    }

    private string Target() => Quote(_random.Next(3) switch
    {
        0 => Encoding.ASCII.GetBytes("/absolute/" + new string('t', _random.Next(_features.LongNames ? 300 : 50))),
        1 => "../../../../etc/passwd"u8.ToArray(),
        _ => _features.NamesOfBytes ? [.. "odd-"u8, 0xfe, (byte)'\n', (byte)'='] : "odd-\n=é"u8.ToArray(),
    });

    private static string Quote(byte[] bytes) => "$'" + string.Concat(bytes.Select(b => $"\\x{b:x2}")) + "'";

    private string Id()
    {
        long largest = _features.LargeNumbers && _random.Next(2) == 0 ? _features.LargestId : 0x1f_ffff;
        return _random.NextInt64(largest + 1).ToString(CultureInfo.InvariantCulture);
    }

    private string Mode(string path)
    {
        // Directories stay open to whoever reads them as root without that right in a user namespace.
        int mode = _random.Next(0x1000);
        return Convert.ToString(_directories.Contains(path) ? mode | 0x1c0 : mode, 8);
    }

    private string Time()
    {
        long seconds = _features.LargeNumbers && _random.Next(4) == 0 ? _random.NextInt64(-2_000_000_000, 0) : _random.NextInt64(0, 4_000_000_000);
        return seconds.ToString(CultureInfo.InvariantCulture) + (_features.Fractions && (seconds >= 0 || _features.FractionsBefore1970) ? $".{_random.Next(1_000_000_000):d9}" : "");
    }

    private void Attributes(string path)
    {
        if (!_features.Attributes || _random.Next(3) != 0)
        {
            return;
        }

        byte[] value = new byte[_random.Next(60)];
        _random.NextBytes(value);
        string hex = Convert.ToHexString(value);
        string name = _random.Next(4) switch { 0 => "user.é", 1 => "user.with space", 2 => "user.a-longer-name", _ => "user.note" };
        _script.AppendLine(CultureInfo.InvariantCulture, $"if [ -f {path} -o -d {path} ] && [ ! -L {path} ]; then setfattr -n '{name}' -v 0x{hex} {path}; fi");
        if (_random.Next(2) == 0)
        {
            string capability = $"01000002{_random.Next(1 << 24):x6}000000000000{_random.Next(1 << 24):x6}00000000";
            _script.AppendLine(CultureInfo.InvariantCulture, $"if [ -f {path} ] && [ ! -L {path} ]; then setfattr -n security.capability -v 0x{capability[..40]} {path}; fi");
        }
    }
}
