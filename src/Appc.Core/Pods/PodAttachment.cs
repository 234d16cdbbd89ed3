using Appc.Stage1;

namespace Appc.Pods;

/// <summary>
/// The streams of an app that runs. Any number of attachments, in any process, may be held at once: each gets all of the output, and
/// all write to the same input. Disposing one changes nothing for the app.
/// </summary>
public sealed class PodAttachment : IAsyncDisposable
{
    private readonly Stage1Attachment? _input;
    private readonly AppWatch _watch;

    internal PodAttachment(AppInput kind, Stage1Attachment? input, Stream output, Stream? error, AppWatch watch)
    {
        InputKind = kind;
        _input = input;
        Output = output;
        Error = error;
        _watch = watch;
    }

    /// <summary>What the app has as its standard input, attached or not.</summary>
    public AppInput InputKind { get; }

    /// <summary>
    /// Takes what the app reads; null if it is not attached. Disposing it lets go of the input, and does not end it:
    /// <see cref="CloseInputAsync"/> does. A write fails with an <see cref="IOException"/> once the app has closed its input.
    /// </summary>
    public Stream? Input => _input?.Input;

    /// <summary>
    /// Gives what the app writes to its standard output, or to its terminal, and ends when the app has ended and all is read. It need
    /// not be read: the app does not wait for it.
    /// </summary>
    public Stream Output { get; }

    /// <summary>Gives what the app writes to its standard error, as <see cref="Output"/> does; null with a terminal, which has one output only.</summary>
    public Stream? Error { get; }

    /// <summary>
    /// Ends with the app, once all that it wrote can be read from the streams: how it ended. Cancelled when the attachment is disposed before.
    /// </summary>
    public Task<AppStatus> Completion => _watch.Ended;

    /// <summary>
    /// Ends the app's input for good, if it is a stream: the app reads the end when everybody who is attached to the input has let it
    /// go. The own <see cref="Input"/> is disposed. Does nothing if the input has ended already.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call before it has done anything.</param>
    /// <exception cref="PodException">The input is not attached, or is a terminal, where a character (usually control-D) ends it.</exception>
    public async Task CloseInputAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_input?.CloseInput is not { } close)
        {
            throw _input is null
                ? new PodException(PodFailure.WrongState, "the app's input is not attached, and so cannot be ended", "attach with AttachOptions.Input")
                : new PodException(PodFailure.WrongState, "the app's input is a terminal, which cannot be ended", "write the character that ends input there, usually control-D");
        }

        close();
        await _input.Input.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Changes the size of the app's terminal, and has the app told (SIGWINCH); does nothing without one.</summary>
    /// <param name="size">The new size.</param>
    /// <param name="cancellationToken">Cancels the call before it has done anything.</param>
    public Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(size);
        cancellationToken.ThrowIfCancellationRequested();
        _input?.Resize?.Invoke(size);
        return Task.CompletedTask;
    }

    /// <summary>Detaches.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_input is not null)
        {
            await _input.Input.DisposeAsync().ConfigureAwait(false);
            _input.Release?.Invoke();
        }

        await _watch.DisposeAsync().ConfigureAwait(false);
        await Output.DisposeAsync().ConfigureAwait(false);
        if (Error is not null)
        {
            await Error.DisposeAsync().ConfigureAwait(false);
        }
    }
}
