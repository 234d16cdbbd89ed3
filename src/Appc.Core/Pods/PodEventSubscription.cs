using System.Threading.Channels;

namespace Appc.Pods;

/// <summary>
/// The events of pods, from the moment at which it was made on. Read it in one way: as a channel, as a sequence, or
/// call by call. Every pod's events come in order and each once, also where the kernel or a slow reader dropped some: what is
/// true of the pod is then told again from its files. Thread safe.
/// </summary>
public sealed class PodEventSubscription : IAsyncDisposable, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Channel<PodEvent> _channel = Channel.CreateUnbounded<PodEvent>();
    private readonly Dictionary<string, PodProgress> _told = new(StringComparer.Ordinal);

    // Pods of which there was no room to tell, with what is true of them: as many as there are pods, not events.
    private readonly Dictionary<string, PodStatus> _behind = new(StringComparer.Ordinal);
    private readonly int _capacity;
    private readonly string? _pod;
    private readonly TimeProvider _time;
    private readonly Action<PodEventSubscription> _leave;
    private int _waiting;
    private bool _closed;

    internal PodEventSubscription(PodEventOptions options, string? pod, TimeProvider time, Action<PodEventSubscription> leave)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Capacity, 1, nameof(options));
        Snapshot = options.Snapshot;
        _capacity = options.Capacity;
        _pod = pod;
        _time = time;
        _leave = leave;
        Reader = new Counted(this);
    }

    /// <summary>The events as a channel. It ends when the subscription or the runtime is disposed.</summary>
    public ChannelReader<PodEvent> Reader { get; }

    internal bool Snapshot { get; }

    /// <summary>The events as a sequence. It ends when the subscription or the runtime is disposed.</summary>
    /// <param name="cancellationToken">Ends the reading; the subscription stays.</param>
    public IAsyncEnumerable<PodEvent> ReadAllAsync(CancellationToken cancellationToken = default) => Reader.ReadAllAsync(cancellationToken);

    /// <summary>The next events: waits for the first one, and takes those that have come with it.</summary>
    /// <param name="max">How many at most.</param>
    /// <param name="timeout">How long to wait for the first one. Default: for ever.</param>
    /// <param name="cancellationToken">Cancels the waiting.</param>
    /// <returns>The events, none if the time was over or the subscription has ended.</returns>
    public async Task<IReadOnlyList<PodEvent>> ReadAsync(int max = 100, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        using CancellationTokenSource limit = new(timeout ?? Timeout.InfiniteTimeSpan, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        List<PodEvent> events = [];
        try
        {
            if (!Reader.TryPeek(out _) && !await Reader.WaitToReadAsync(either.Token).ConfigureAwait(false))
            {
                return events;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return events;
        }

        while (events.Count < max && Reader.TryRead(out PodEvent? next))
        {
            events.Add(next);
        }

        return events;
    }

    /// <summary>Ends the subscription.</summary>
    public void Dispose()
    {
        Close();
        _leave(this);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Accepts nothing more; what waits can still be read.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _channel.Writer.TryComplete();
        }
    }

    /// <summary>Takes what is true of a pod when the subscription begins.</summary>
    internal void Begin(PodStatus status)
    {
        lock (_gate)
        {
            if (!Concerns(status))
            {
                return;
            }

            if (Snapshot)
            {
                Tell(status, snapshot: true);
                return;
            }

            foreach (PodEvent _ in ProgressOf(status.Uuid).Advance(status, _time.GetUtcNow(), snapshot: true))
            {
                // Known, and not told.
            }
        }
    }

    /// <summary>Takes what is true of a pod now.</summary>
    internal void Advance(PodStatus status)
    {
        lock (_gate)
        {
            if (_closed || !Concerns(status))
            {
                return;
            }

            if (_waiting < _capacity && !_behind.ContainsKey(status.Uuid))
            {
                Tell(status, snapshot: false);
            }
            else if (status.State == PodState.Gone && !_told.ContainsKey(status.Uuid))
            {
                _behind.Remove(status.Uuid);
            }
            else
            {
                _behind[status.Uuid] = status;
            }
        }
    }

    private bool Concerns(PodStatus status) => _pod is null || _pod == status.Uuid;

    private PodProgress ProgressOf(string uuid)
    {
        if (!_told.TryGetValue(uuid, out PodProgress? progress))
        {
            _told[uuid] = progress = new PodProgress();
        }

        return progress;
    }

    private void Tell(PodStatus status, bool snapshot)
    {
        foreach (PodEvent next in ProgressOf(status.Uuid).Advance(status, _time.GetUtcNow(), snapshot))
        {
            if (_channel.Writer.TryWrite(next))
            {
                _waiting++;
            }
        }

        if (status.State == PodState.Gone)
        {
            _told.Remove(status.Uuid);
        }
    }

    private void Taken()
    {
        lock (_gate)
        {
            _waiting--;
            while (_behind.Count > 0 && _waiting < _capacity && !_closed)
            {
                (string uuid, PodStatus status) = _behind.First();
                _behind.Remove(uuid);
                Tell(status, snapshot: false);
            }
        }
    }

    /// <summary>Makes room for what had none whenever an event is taken.</summary>
    private sealed class Counted(PodEventSubscription owner) : ChannelReader<PodEvent>
    {
        private readonly ChannelReader<PodEvent> _inner = owner._channel.Reader;

        public override Task Completion => _inner.Completion;

        public override bool CanCount => _inner.CanCount;

        public override int Count => _inner.Count;

        public override bool CanPeek => _inner.CanPeek;

        public override bool TryPeek(out PodEvent item) => _inner.TryPeek(out item!);

        public override bool TryRead(out PodEvent item)
        {
            if (!_inner.TryRead(out item!))
            {
                return false;
            }

            owner.Taken();
            return true;
        }

        public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => _inner.WaitToReadAsync(cancellationToken);
    }
}
