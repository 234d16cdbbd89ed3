using System.Globalization;

namespace Appc.Stage1.Nspawn;

/// <summary>Raises the host's limit of inotify instances, which many pods at once go past, and puts it back.</summary>
internal sealed class InotifyLimit : IDisposable
{
    private const string Setting = "/proc/sys/fs/inotify/max_user_instances";

    private readonly string? _before;

    public InotifyLimit(int atLeast)
    {
        string now = File.ReadAllText(Setting).Trim();
        if (int.Parse(now, CultureInfo.InvariantCulture) < atLeast)
        {
            File.WriteAllText(Setting, atLeast.ToString(CultureInfo.InvariantCulture));
            _before = now;
        }
    }

    public void Dispose()
    {
        if (_before is not null)
        {
            File.WriteAllText(Setting, _before);
        }
    }
}
