using Appc.Images;

namespace Appc.Fetching;

/// <summary>What a download brought.</summary>
/// <param name="Path">The file; null if the stored copy is current.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Proof">What its signatures say; null if no check was asked for.</param>
/// <param name="Validators">What the server said about it.</param>
internal sealed record DownloadedArchive(string? Path, long Bytes, ImportProof? Proof, HttpValidators Validators);
