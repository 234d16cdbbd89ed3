namespace Appc.Signing;

/// <summary>Where keys are kept.</summary>
public sealed class KeystoreOptions
{
    /// <summary>Where an administrator's own keys are kept.</summary>
    public const string LocalDirectory = "/etc/appc/trustedkeys";

    /// <summary>Where packages of the vendor put keys.</summary>
    public const string VendorDirectory = "/usr/lib/appc/trustedkeys";

    /// <summary>
    /// The directories, the most important one first: an entry of an earlier directory hides the entry of the
    /// same scope and fingerprint in later ones. Keys are added to and removed from the first one alone.
    /// Directories that do not exist count as empty.
    /// </summary>
    /// <value>The default value is <see cref="LocalDirectory"/>, then <see cref="VendorDirectory"/>.</value>
    public IList<string> Directories { get; } = [LocalDirectory, VendorDirectory];

    /// <summary>The largest key file, in bytes; also bounds what <see cref="Keystore.ReadKeysAsync"/> reads.</summary>
    /// <value>The default value is 1 MiB.</value>
    public int KeyFileBytes { get; set; } = 1 << 20;

    /// <summary>The most entries that are looked at in one directory tree.</summary>
    /// <value>The default value is 10000.</value>
    public int Entries { get; set; } = 10_000;

    /// <summary>What is asked of keys where the keystore reports whether one can be used.</summary>
    public OpenPgpPolicy Policy { get; set; } = new();
}
