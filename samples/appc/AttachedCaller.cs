using System.Runtime.InteropServices;
using Appc.Pods;
using Appc.Stage1;

namespace Appc.Cli;

/// <summary>Connects the streams of this program with those of an app.</summary>
internal static class AttachedCaller
{
    /// <summary>Stays until the app has ended and all that it wrote has been passed on, or until the keys to detach were typed.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="app">The app; null for the only one.</param>
    /// <param name="options">How to attach.</param>
    /// <param name="closeInput">Whether the end of this program's input is that of the app's.</param>
    /// <param name="keys">The keys; heeded at a terminal only.</param>
    /// <param name="cancellationToken">Detaches.</param>
    /// <returns>Whether the app has ended.</returns>
    public static async Task<bool> StayAsync(
        Pod pod, string? app, AttachOptions options, bool closeInput, DetachKeys keys, CancellationToken cancellationToken)
    {
        bool terminal = CallerTerminal.IsThere && options.Input != false;
        await using PodAttachment attachment = await pod.AttachAsync(app, options with { Size = terminal ? CallerTerminal.Size() : null }, cancellationToken);
        using RawTerminal? raw = terminal && attachment.InputKind == AppInput.Terminal && attachment.Input is not null ? await RawTerminal.EnterAsync() : null;
        using PosixSignalRegistration? resized = raw is null ? null : CallerTerminal.OnResize(size => _ = attachment.ResizeAsync(size));
        await using Stream output = Console.OpenStandardOutput();
        await using Stream error = Console.OpenStandardError();
        using CancellationTokenSource left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Reading the console cannot be cancelled: what still waits for a key goes with the program.
        Task detached = attachment.Input is null
            ? Task.Delay(Timeout.Infinite, left.Token)
            : FeedAsync(attachment, closeInput, raw is null ? null : keys, left.Token);
        Task copied = Task.WhenAll(
            attachment.Output.CopyToAsync(output, left.Token),
            attachment.Error?.CopyToAsync(error, left.Token) ?? Task.CompletedTask);
        bool ended = await Task.WhenAny(copied, detached) == copied;
        await left.CancelAsync();
        if (ended)
        {
            await copied;
            await attachment.Completion.WaitAsync(cancellationToken);
            return true;
        }

        await copied.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return false;
    }

    /// <summary>Passes the input on; ends only when the keys were typed, or when nobody wants to know any more.</summary>
    private static async Task FeedAsync(PodAttachment attachment, bool closeInput, DetachKeys? keys, CancellationToken left)
    {
        try
        {
            await using Stream input = CallerTerminal.OpenInput();
            byte[] buffer = new byte[16 * 1024];
            int length;
            while ((length = await Task.Run(() => input.Read(buffer, 0, buffer.Length), left)) > 0)
            {
                bool found = false;
                byte[] passed = keys?.Filter(buffer.AsSpan(0, length), out found) ?? buffer[..length];
                await attachment.Input!.WriteAsync(passed, left);
                if (found)
                {
                    return;
                }
            }

            if (attachment.InputKind == AppInput.Terminal && closeInput && keys is null)
            {
                await attachment.Input!.WriteAsync("\u0004"u8.ToArray(), left);
            }
            else if (attachment.InputKind == AppInput.Stream && closeInput)
            {
                await attachment.CloseInputAsync(left);
            }
            else
            {
                await attachment.Input!.DisposeAsync();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The app reads no more.
        }

        await Task.Delay(Timeout.Infinite, left);
    }
}
