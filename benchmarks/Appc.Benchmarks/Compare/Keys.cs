using Appc.Signing;

namespace Appc.Benchmarks.Compare;

internal static class Keys
{
    /// <summary>A verifier that trusts the keys of one directory.</summary>
    public static OpenPgpVerifier Verifier(string directory)
    {
        var options = new KeystoreOptions();
        options.Directories.Clear();
        options.Directories.Add(directory);
        return new OpenPgpVerifier(new Keystore(options));
    }
}
