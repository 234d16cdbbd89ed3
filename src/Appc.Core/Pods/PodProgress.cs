namespace Appc.Pods;

/// <summary>
/// What a subscriber has been told of one pod. Whatever status is seen next, and whatever was missed in between, it tells
/// the events that lead there, in order and each once.
/// </summary>
internal sealed class PodProgress
{
    private readonly HashSet<string> _endedApps = new(StringComparer.Ordinal);
    private IReadOnlyList<AppStatus> _apps = [];
    private string? _name;
    private bool _created;
    private bool _prepared;
    private bool _started;
    private bool _ready;
    private bool _ended;

    public IEnumerable<PodEvent> Advance(PodStatus status, DateTimeOffset now, bool snapshot)
    {
        _name = status.Name ?? _name;
        if (status.State == PodState.Gone)
        {
            if (_started && !_ended)
            {
                // Removed before it was looked at again: how its apps ended is not known any more.
                _ended = true;
                foreach (AppStatus app in _apps.Where(a => _endedApps.Add(a.Name.ToString())))
                {
                    yield return Make(PodEventKind.AppEnded, now) with { App = app.Name.ToString() };
                }

                yield return Make(PodEventKind.Ended, now);
            }

            if (!_created)
            {
                // It came and went between two looks.
                yield return Make(PodEventKind.Created, now);
            }

            yield return Make(PodEventKind.Removed, now);
            yield break;
        }

        _apps = status.Apps.Count > 0 ? status.Apps : _apps;
        if (!_created)
        {
            _created = true;
            yield return Make(PodEventKind.Created, status.Created ?? now);
        }

        if (!_prepared && status.Created is not null && status.State is not (PodState.Preparing or PodState.AbortedPrepare))
        {
            _prepared = true;
            yield return Make(PodEventKind.Prepared, status.Created ?? now);
        }

        if (!_prepared || status.Started is not { } started)
        {
            yield break;
        }

        if (status is { Apps.Count: 0, State: PodState.ExitedGarbage or PodState.Garbage or PodState.Deleting })
        {
            // Half removed: what is left of it does not tell how its apps ended. Its removal tells the rest.
            yield break;
        }

        if (!_started)
        {
            _started = true;
            yield return Make(PodEventKind.Started, started);
        }

        if (!_ready && status.Apps.Count > 0 && status.Apps.All(a => a.Ready || a.State == AppState.Prepared))
        {
            _ready = true;
            yield return Make(PodEventKind.Ready, snapshot ? started : now);
        }

        if (!status.HasEnded)
        {
            // In a mutable pod an app may end once more, or come again.
            _endedApps.RemoveWhere(e => !status.Apps.Any(a => a.Finished is not null && a.Name.ToString() == e));
        }

        foreach (AppStatus app in status.Apps.Where(a => a.Finished is not null || (status.HasEnded && a.State != AppState.Prepared)).OrderBy(a => a.Finished))
        {
            if (_endedApps.Add(app.Name.ToString()))
            {
                yield return Make(PodEventKind.AppEnded, app.Finished ?? now) with
                {
                    App = app.Name.ToString(),
                    ExitCode = app.State == AppState.Unknown ? null : app.ShellExitCode,
                    Signal = app.Signal,
                };
            }
        }

        if (!_ended && status.HasEnded)
        {
            _ended = true;
            yield return Make(PodEventKind.Ended, status.Finished ?? now) with { ExitCode = status.ExitCode };
        }

        PodEvent Make(PodEventKind kind, DateTimeOffset time) =>
            new() { Kind = kind, Uuid = status.Uuid, Name = _name, Time = time, FromSnapshot = snapshot };
    }
}
