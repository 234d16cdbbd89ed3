using System.Diagnostics;
using System.Globalization;
using System.Net;
using Appc.Images;
using Appc.Trust;

namespace Appc.Fetching;

/// <summary>Brings one archive into a file while its signature is checked over the bytes as they arrive.</summary>
internal sealed class Downloader(HttpTransport http)
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>Downloads; goes on where an interrupted attempt ended, if the server can say that nothing changed.</summary>
    /// <exception cref="FetchException">The archive could not be had.</exception>
    /// <exception cref="TrustException">No acceptable signature covers it.</exception>
    /// <exception cref="ImageException">The file could not be written.</exception>
    public async Task<DownloadedArchive> DownloadAsync(DownloadRequest request, CancellationToken cancellationToken)
    {
        using Activity? activity = FetchTelemetry.Download(DisplayText.Clean(request.Url));
        try
        {
            return await DownloadIntoAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Faults of the network were told apart where they arose; what is left is the disk's.
            throw StorageFaults.From(e, $"cannot download {DisplayText.Clean(request.Url)}");
        }
    }

    private async Task<DownloadedArchive> DownloadIntoAsync(DownloadRequest request, CancellationToken cancellationToken)
    {
        using PartialFile file = PartialFile.Open(request.Directory, request.Url);
        bool continued = file.CanContinue;
        while (true)
        {
            using var transfer = new Transfer(http, request, file);
            if (request.Stored is null)
            {
                // Before anything large moves: a signature that cannot be good ends it here.
                await transfer.BeginCheckAsync(cancellationToken).ConfigureAwait(false);
            }

            HttpValidators validators = await http.RetryAsync(transfer.RunAsync, cancellationToken).ConfigureAwait(false);
            if (transfer.NotModified)
            {
                return new DownloadedArchive(null, 0, null, validators);
            }

            ImportProof? proof = await transfer.FinishCheckAsync(cancellationToken).ConfigureAwait(false);
            if (proof?.Refusal is { Failure: TrustFailure.BadSignature } && (continued || transfer.Continued))
            {
                // Parts of two files perhaps. Only a download in one piece can tell.
                FetchLog.ContinuedInVain(http.Log, DisplayText.Clean(request.Url));
                file.Restart(HttpValidators.None);
                continued = false;
                continue;
            }

            return proof?.Refusal is { } refusal && !request.KeepRefused
                ? throw refusal
                : new DownloadedArchive(file.Path, file.Length, proof, validators);
        }
    }

    /// <summary>The attempts at one download, and what they have in common.</summary>
    private sealed class Transfer(HttpTransport http, DownloadRequest request, PartialFile file) : IDisposable
    {
        private long _checked;
        private bool _deferred;
        private TrustException? _refusal;
        private ISignatureCheck? _check;

        public bool NotModified { get; private set; }

        public bool Continued { get; private set; }

        public async Task BeginCheckAsync(CancellationToken cancellationToken)
        {
            if (_check is null && !_deferred && _refusal is null)
            {
                await BeginCheckAsync(last: false, cancellationToken).ConfigureAwait(false);
                _deferred = _check is null && _refusal is null && request.BeginCheck is not null;
            }
        }

        /// <summary>What the signatures say of all bytes; a signature that the server did not have at first is asked for now.</summary>
        public async Task<ImportProof?> FinishCheckAsync(CancellationToken cancellationToken)
        {
            if (_deferred && _check is null)
            {
                await BeginCheckAsync(last: true, cancellationToken).ConfigureAwait(false);
                await CheckPresentBytesAsync(cancellationToken).ConfigureAwait(false);
            }

            return _refusal is not null ? ImportProof.Of(_refusal) : _check is null ? null : ImportProof.From(_check);
        }

        public async Task<HttpValidators> RunAsync(CancellationToken cancellationToken)
        {
            long offset = file.CanContinue ? file.Length : 0;
            HttpAnswer answer = await AskAsync(offset, cancellationToken).ConfigureAwait(false);
            if (offset > 0 && !IsWholeOrRest(answer, offset))
            {
                // What is here is not the beginning of what the server has now.
                answer.Dispose();
                Restart(HttpValidators.None);
                offset = 0;
                answer = await AskAsync(offset, cancellationToken).ConfigureAwait(false);
            }

            using (answer)
            {
                return await TakeAsync(answer, offset, cancellationToken).ConfigureAwait(false);
            }
        }

        public void Dispose() => _check?.Dispose();

        private async Task BeginCheckAsync(bool last, CancellationToken cancellationToken)
        {
            if (request.BeginCheck is not { } begin)
            {
                return;
            }

            try
            {
                _check = await begin(last, cancellationToken).ConfigureAwait(false);
                _checked = 0;
            }
            catch (TrustException e) when (request.KeepRefused)
            {
                _refusal = e;
            }
        }

        private async Task<HttpAnswer> AskAsync(long offset, CancellationToken cancellationToken)
        {
            var ask = new HttpAsk(request.Url)
            {
                AllowHttp = request.AllowHttp,
                Prepare = message =>
                {
                    if (offset > 0)
                    {
                        file.Validators.AskForRest(message, offset);
                    }
                    else
                    {
                        request.Stored?.AskIfChanged(message);
                    }
                },
            };
            return await http.AskAsync(ask, cancellationToken).ConfigureAwait(false);
        }

        private async Task<HttpValidators> TakeAsync(HttpAnswer answer, long offset, CancellationToken cancellationToken)
        {
            HttpValidators validators = HttpValidators.Read(answer.Message, http.Options.TimeProvider);
            long? total = answer.Length;
            switch (answer.Status)
            {
                case HttpStatusCode.NotModified when request.Stored is not null && offset == 0:
                    NotModified = true;
                    return validators;
                case HttpStatusCode.OK:
                    Restart(validators);
                    break;
                case HttpStatusCode.PartialContent when offset > 0:
                    total = answer.Message.Content.Headers.ContentRange!.Length ?? total + offset;
                    validators = validators.OrElse(file.Validators);
                    Continued = true;
                    break;
                case HttpStatusCode.RequestedRangeNotSatisfiable when offset > 0:
                    // There is no rest: an earlier process had all of it, and died before it could go on.
                    Continued = true;
                    CheckPromise(answer.Url, offset);
                    await BeginCheckAsync(cancellationToken).ConfigureAwait(false);
                    await CheckPresentBytesAsync(cancellationToken).ConfigureAwait(false);
                    return validators.OrElse(file.Validators);
                default:
                    throw HttpFaults.Status(answer.Url, answer.Message, http.Options.TimeProvider);
            }

            CheckPromise(answer.Url, total);
            if (answer.Message.Content.Headers.ContentEncoding.Count > 0)
            {
                FetchLog.EncodingKept(http.Log, DisplayText.Clean(answer.Url), DisplayText.Clean(string.Join(", ", answer.Message.Content.Headers.ContentEncoding), 40));
            }

            await BeginCheckAsync(cancellationToken).ConfigureAwait(false);
            await CheckPresentBytesAsync(cancellationToken).ConfigureAwait(false);
            await CopyAsync(answer, total, cancellationToken).ConfigureAwait(false);
            return validators;
        }

        private bool IsWholeOrRest(HttpAnswer answer, long offset) => answer.Status switch
        {
            HttpStatusCode.PartialContent => answer.Message.Content.Headers.ContentRange is { Unit: "bytes" } range && range.From == offset
                && file.Validators.MayContinue(HttpValidators.Read(answer.Message, http.Options.TimeProvider)),
            HttpStatusCode.RequestedRangeNotSatisfiable => answer.Message.Content.Headers.ContentRange?.Length == offset
                && file.Validators.MayContinue(HttpValidators.Read(answer.Message, http.Options.TimeProvider)),
            _ => true,
        };

        private void Restart(HttpValidators validators)
        {
            file.Restart(validators);
            if (_checked > 0)
            {
                _check?.Dispose();
                _check = null;
            }
        }

        private void CheckPromise(Uri url, long? total)
        {
            if (request.ExpectedBytes is { } expected && total is { } promised && promised != expected)
            {
                throw HttpFaults.Bad(url, string.Create(CultureInfo.InvariantCulture, $"the server promises {promised} bytes, and the image must have {expected}"));
            }

            if (total > request.MaxBytes)
            {
                throw TooLong(url, string.Create(CultureInfo.InvariantCulture, $"the server promises {total} bytes"));
            }
        }

        private async Task CheckPresentBytesAsync(CancellationToken cancellationToken)
        {
            if (_check is null)
            {
                return;
            }

            byte[] buffer = new byte[BufferBytes];
            while (_checked < file.Length)
            {
                int count = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, file.Length - _checked)), _checked, cancellationToken).ConfigureAwait(false);
                if (count == 0)
                {
                    throw new IOException($"{file.Path} was cut short by another program");
                }

                _check.Append(buffer.AsMemory(0, count));
                _checked += count;
            }
        }

        /// <summary>Reads the next bytes from the network while the last ones are written and hashed.</summary>
        private async Task CopyAsync(HttpAnswer answer, long? total, CancellationToken cancellationToken)
        {
            byte[] current = new byte[BufferBytes];
            byte[] next = new byte[BufferBytes];
            var speed = new SpeedLimit(http.Options);
            Task<int> read = answer.ReadAsync(current, cancellationToken);
            try
            {
                while (true)
                {
                    int count = await read.ConfigureAwait(false);
                    if (count == 0)
                    {
                        break;
                    }

                    FetchTelemetry.Downloaded(count);
                    speed.Check(answer.Url, count);
                    if (file.Length + count > request.MaxBytes || file.Length + count > (request.ExpectedBytes ?? long.MaxValue))
                    {
                        throw TooLong(answer.Url, "the server sends without end");
                    }

                    read = answer.ReadAsync(next, cancellationToken);
                    ValueTask written = file.AppendAsync(current.AsMemory(0, count), cancellationToken);
                    _check?.Append(current.AsMemory(0, count));
                    _checked += count;
                    await written.ConfigureAwait(false);
                    request.Progress?.Invoke(file.Length, total);
                    (current, next) = (next, current);
                }
            }
            finally
            {
                // Whatever ended the loop, no read may go on into a buffer and an answer that are given up.
                if (!read.IsCompleted)
                {
                    answer.Dispose();
                    await read.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
                }
            }

            if (total is null && request.ExpectedBytes is { } expected && expected != file.Length)
            {
                throw HttpFaults.Bad(answer.Url, string.Create(CultureInfo.InvariantCulture, $"the file has {file.Length} bytes, and the image must have {expected}"));
            }

            if (total is { } promised && promised != file.Length)
            {
                throw new FetchException(FetchFailure.Network, string.Create(CultureInfo.InvariantCulture, $"{DisplayText.Clean(answer.Url)}: the connection ended after {file.Length} of {promised} bytes"));
            }
        }

        private FetchException TooLong(Uri url, string what)
        {
            long limit = Math.Min(request.MaxBytes, request.ExpectedBytes ?? long.MaxValue);
            return HttpFaults.Bad(
                url, string.Create(CultureInfo.InvariantCulture, $"{what}, more than the limit of {limit}"),
                request.ExpectedBytes is null ? "raise the limit on downloads if the image is meant to be so large" : null);
        }
    }
}
