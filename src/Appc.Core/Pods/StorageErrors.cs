namespace Appc.Pods;

/// <summary>What the disk refuses becomes an error of the library that says what it was for.</summary>
internal static class StorageErrors
{
    /// <summary>Does work on pods.</summary>
    /// <param name="subject">What cannot be done if it fails, such as <c>the pod 4fe2… cannot be stopped</c>.</param>
    /// <param name="work">The work.</param>
    internal static async Task<T> ExplainAsync<T>(string subject, Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(subject, e);
        }
    }

    /// <inheritdoc cref="ExplainAsync{T}"/>
    internal static async Task ExplainAsync(string subject, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(subject, e);
        }
    }

    internal static PodException Explain(string subject, Exception cause) => new(
        PodFailure.Storage, $"{subject}: {cause.Message}", "check permissions and free space of the data directory, and how many files this process may open", cause);
}
