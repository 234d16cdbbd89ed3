using Appc.Manifests;
using CsCheck;

namespace Appc.Core.Tests.Manifests;

/// <summary>Generators of valid scalars and manifests.</summary>
internal static class ManifestGen
{
    private static readonly Gen<char> s_alphanumeric = Gen.Char["abcdefghijklmnopqrstuvwxyz0123456789"];

    private static readonly Gen<string> s_word = Gen.String[s_alphanumeric, 1, 8];

    // Lone surrogates cannot be written as UTF-8, so that no text that was read has them.
    public static readonly Gen<string> Text = Gen.OneOf(
        Gen.String.AlphaNumeric,
        Gen.String.Select(text => new string([.. text.Where(character => !char.IsSurrogate(character))])),
        Pick("", "\"", "\\", "</script>&'", "\0\t\r\n\u001f\u007f", "\U0001F600", "日本語", "%41+ ,;=:"));

    public static readonly Gen<AcName> Name = s_word.Array[1, 4].Select(words => AcName.Parse(string.Join('-', words)));

    public static readonly Gen<AcIdentifier> Identifier = Gen.Select(s_word, Gen.Select(Pick("-", ".", "_", "~", "/", "/~", "--"), s_word).Array[0, 5])
        .Select((first, rest) => AcIdentifier.Parse(string.Concat([first, .. rest.Select(pair => pair.Item1 + pair.Item2)])));

    public static readonly Gen<ImageId> ImageId = Gen.Byte.Array[64].Select(Appc.Manifests.ImageId.OfDigest);

    public static readonly Gen<Uuid> Uuid = Gen.Guid.Where(guid => guid != Guid.Empty).Select(Appc.Manifests.Uuid.Of);

    private static readonly Gen<long> s_number = Gen.OneOf(Gen.Long[0, 12], Gen.Long[0, long.MaxValue]);

    private static readonly Gen<string> s_prerelease = Gen.OneOf(Gen.Int[0, 99].Select(number => $"{number}"), Pick("alpha", "rc", "-", "0a", "x-y", "18446744073709551616"));

    public static readonly Gen<SemVer> SemVer = Gen.Select(s_number, s_number, s_number.Select(number => Math.Max(number, 1)), s_prerelease.Array[0, 3], Pick("", "+b", "+001.x"))
        .Select((major, minor, patch, prerelease, build) =>
            Appc.Manifests.SemVer.Parse($"{major}.{minor}.{patch}{(prerelease.Length > 0 ? "-" : "")}{string.Join('.', prerelease)}{build}"));

    public static readonly Gen<Quantity> Quantity = Gen.OneOf(
        Gen.Long[0, long.MaxValue].Select(Appc.Manifests.Quantity.Of),
        Gen.Long[0, long.MaxValue].Select(Appc.Manifests.Quantity.OfMilli),
        Gen.Long[0, 1L << 40].Select(Appc.Manifests.Quantity.OfBytes),
        Gen.Select(Gen.Int[0, 9999], Gen.Int[0, 9999], Pick("", "n", "u", "m", "k", "K", "M", "G", "Ki", "Mi", "Gi", "Ti", "e3", "E-4", "e0"))
            .Select((whole, fraction, suffix) => Appc.Manifests.Quantity.Parse($"{whole}.{fraction}{suffix}")));

    private static readonly Gen<string> s_json = Pick("null", "true", "0", "-1.50e+3", "\"\\u00e9\\n\"", "[]", "{}", "[1,{\"a\":[null]}]", "{\"z\":1,\"a\":2}");

    public static readonly Gen<IReadOnlyList<UnknownMember>> Unknown = Gen.Frequency(
        (4, Gen.Const((IReadOnlyList<UnknownMember>)[])),
        (1, Gen.Select(Text.Select(text => "x-" + text), s_json).Select((name, json) => new UnknownMember(name, json)).Array[1, 3]
            .Select(members => (IReadOnlyList<UnknownMember>)[.. members.DistinctBy(member => member.Name)])));

    public static readonly Gen<IReadOnlyList<KeyValuePair<string, string>>> Map = Gen.Select(Text, Text).Select((key, value) => KeyValuePair.Create(key, value))
        .Array[0, 3].Select(entries => (IReadOnlyList<KeyValuePair<string, string>>)[.. entries.DistinctBy(entry => entry.Key)]);

    private static readonly Gen<string> s_errno = Pick("", "EPERM", "ENOSYS", "EL3HLT");

    private static readonly Gen<string[]> s_set = Pick("read", "write", "CAP_KILL", "@appc.io/all", "@appc.io/empty", "x").Array[1, 4];

    public static readonly Gen<Isolator> SomeIsolator = Gen.OneOf<Isolator>(
        Gen.Select(Quantity, Quantity.Null()).Select((limit, request) => (Isolator)new CpuIsolator(limit, request)),
        Gen.Select(Quantity.Null(), Quantity).Select((limit, request) => (Isolator)new MemoryIsolator(limit, request)),
        Quantity.Select(limit => (Isolator)new BlockBandwidthIsolator(limit)),
        Quantity.Select(limit => (Isolator)new BlockIopsIsolator(limit)),
        Quantity.Select(limit => (Isolator)new NetworkBandwidthIsolator(limit)),
        s_set.Select(set => (Isolator)new CapabilitiesRetainSetIsolator(set)),
        s_set.Select(set => (Isolator)new CapabilitiesRemoveSetIsolator(set)),
        Gen.Select(s_set, s_errno).Select((set, errno) => (Isolator)new SeccompRetainSetIsolator(set, errno)),
        Gen.Select(s_set, s_errno).Select((set, errno) => (Isolator)new SeccompRemoveSetIsolator(set, errno)),
        Gen.Bool.Select(enabled => (Isolator)new NoNewPrivilegesIsolator(enabled)),
        Gen.Int[2, 262144].Select(shares => (Isolator)new CpuSharesIsolator(shares)),
        Gen.Int[-1000, 1000].Select(score => (Isolator)new OomScoreAdjIsolator(score)),
        s_word.Array[4].Select(parts => (Isolator)new SelinuxContextIsolator(parts[0], parts[1], parts[2], parts[3] + ":c1")),
        Text.Where(text => text.Length > 0).Select(profile => (Isolator)new AppArmorProfileIsolator(profile)),
        Map.Select(entries => (Isolator)new SysctlIsolator(entries)),
        Gen.Select(s_word, s_json).Select((name, json) => new Isolator(AcIdentifier.Parse("vendor.example/" + name), json)));

    public static readonly Gen<IReadOnlyList<Isolator>> Isolators = Gen.Select(SomeIsolator, Unknown).Select((isolator, unknown) => isolator with { UnknownMembers = unknown })
        .Array[0, 4].Select(isolators => (IReadOnlyList<Isolator>)[.. isolators.DistinctBy(isolator => isolator.Name.ToString().Replace("remove", "retain", StringComparison.Ordinal))]);

    public static readonly Gen<IReadOnlyList<Label>> Labels = Gen.Select(
        Gen.Select(Identifier, Text, Unknown).Select((name, value, unknown) => new Label(name, value) { UnknownMembers = unknown })
            .Where(label => label.Name.ToString() is not ("name" or "os" or "arch")).Array[0, 3],
        Pick("", "linux/amd64", "freebsd/arm", "darwin/x86_64"))
        .Select((labels, pair) => (IReadOnlyList<Label>)[
            .. labels.DistinctBy(label => label.Name),
            .. pair.Length == 0 ? [] : new Label[] { new("os", pair.Split('/')[0]), new("arch", pair.Split('/')[1]) }]);

    public static readonly Gen<IReadOnlyList<Annotation>> Annotations = Gen.Select(
        Gen.Select(Identifier, Text, Unknown).Select((name, value, unknown) => new Annotation(name, value) { UnknownMembers = unknown })
            .Where(annotation => annotation.Name.ToString() is not ("created" or "homepage" or "documentation")).Array[0, 3],
        Gen.Bool)
        .Select((annotations, created) => (IReadOnlyList<Annotation>)[
            .. annotations.DistinctBy(annotation => annotation.Name),
            .. created ? new[] { new Annotation("created", "2014-10-27T19:32:27.67021798Z"), new Annotation("homepage", "https://example.com/ü") } : []]);

    public static readonly Gen<Port> Port = Gen.Select(Name, Text, Gen.Int[1, 60000], Gen.Int[1, 5000], Gen.Bool, Unknown)
        .Select((name, protocol, number, count, activated, unknown) =>
            new Port { Name = name, Protocol = protocol, Number = number, Count = count, SocketActivated = activated, UnknownMembers = unknown });

    private static readonly Gen<EnvironmentVariable[]> s_environment = Gen.Select(Pick("A", "_b.c-d", "PATH", "x9"), Text, Unknown)
        .Select((name, value, unknown) => new EnvironmentVariable(name, value) { UnknownMembers = unknown }).Array[0, 3];

    private static readonly Gen<EventHandlerSpec[]> s_handlers = Gen.Select(Pick("pre-start", "post-stop"), Text.Array[0, 3], Unknown)
        .Select((name, exec, unknown) => new EventHandlerSpec(name, exec) { UnknownMembers = unknown }).Array[0, 2];

    private static readonly Gen<MountPoint[]> s_mountPoints = Gen.Select(Name, Text, Gen.Bool, Unknown)
        .Select((name, path, readOnly, unknown) => new MountPoint(name, "/" + path, readOnly) { UnknownMembers = unknown }).Array[0, 3];

    public static readonly Gen<App> App = Gen.Select(
        Gen.Select(Text.Array[0, 4], Pick("0", "root", "/bin/ping"), Pick("0", "daemon"), Gen.Long[0, long.MaxValue].Array[0, 3]),
        Gen.Select(s_handlers, Text, s_environment, s_mountPoints),
        Gen.Select(Port.Array[0, 3], Isolators, Map, Map),
        Unknown)
        .Select((basics, places, rest, unknown) => new App
        {
            Exec = basics.Item1,
            User = basics.Item2,
            Group = basics.Item3,
            SupplementaryGids = basics.Item4,
            EventHandlers = [.. places.Item1.DistinctBy(handler => handler.Name)],
            WorkingDirectory = places.Item2.Length == 0 ? "" : "/" + places.Item2,
            Environment = [.. places.Item3.DistinctBy(variable => variable.Name)],
            MountPoints = places.Item4,
            Ports = rest.Item1,
            Isolators = rest.Item2,
            UserAnnotations = rest.Item3,
            UserLabels = rest.Item4,
            UnknownMembers = unknown,
        });

    private static readonly Gen<Dependency[]> s_dependencies = Gen.Select(Identifier, ImageId.Null(), Labels, Gen.Long[0, long.MaxValue].Nullable(), Unknown)
        .Select((name, id, labels, size, unknown) => new Dependency { ImageName = name, ImageId = id, Labels = labels, Size = size, UnknownMembers = unknown })
        .Array[0, 3];

    public static readonly Gen<ImageManifest> Image = Gen.Select(
        Gen.Select(SemVer, Identifier, Labels, App.Null()),
        Gen.Select(s_dependencies, Text.Select(path => "/" + path).Array[0, 3], Annotations, Unknown))
        .Select((head, tail) => new ImageManifest
        {
            AcVersion = head.Item1.ToString(),
            Name = head.Item2,
            Labels = head.Item3,
            App = head.Item4,
            Dependencies = tail.Item1,
            PathWhitelist = tail.Item2,
            Annotations = tail.Item3,
            UnknownMembers = tail.Item4,
        });

    public static readonly Gen<Volume> Volume = Gen.Select(
        Gen.Select(Name, Gen.Bool, Text, Gen.Bool.Nullable(), Gen.Bool.Nullable()),
        Gen.Select(Pick("0755", "700", "01777"), Gen.Long[0, long.MaxValue], Gen.Long[0, 100]),
        Unknown)
        .Select((head, owner, unknown) => new Volume
        {
            Name = head.Item1,
            Kind = head.Item2 ? VolumeKind.Host : VolumeKind.Empty,
            Source = head.Item2 ? "/" + head.Item3 : null,
            ReadOnly = head.Item4,
            Recursive = head.Item5,
            Mode = head.Item2 ? null : owner.Item1,
            Uid = head.Item2 ? null : owner.Item2,
            Gid = head.Item2 ? null : owner.Item3,
            UnknownMembers = unknown,
        });

    private static readonly Gen<Mount[]> s_mounts = Gen.Select(Name, Text, Volume.Null(), Unknown)
        .Select((volume, path, own, unknown) => new Mount(volume, "/" + path) { AppVolume = own, UnknownMembers = unknown }).Array[0, 2];

    private static readonly Gen<RuntimeImage> s_runtimeImage = Gen.Select(ImageId, Identifier.Null(), Labels, Unknown)
        .Select((id, name, labels, unknown) => new RuntimeImage { Id = id, Name = name, Labels = labels, UnknownMembers = unknown });

    private static readonly Gen<RuntimeApp[]> s_apps = Gen.Select(Gen.Select(Name, s_runtimeImage, App.Null(), Gen.Bool), s_mounts, Annotations, Unknown)
        .Select((head, mounts, annotations, unknown) => new RuntimeApp
        {
            Name = head.Item1,
            Image = head.Item2,
            // One name of a port is one app's alone; giving no ports keeps what is generated valid.
            App = head.Item3 is null ? null : head.Item3 with { Ports = [] },
            ReadOnlyRootFs = head.Item4,
            Mounts = mounts,
            Annotations = annotations,
            UnknownMembers = unknown,
        }).Array[0, 3];

    private static readonly Gen<ExposedPort[]> s_ports = Gen.Select(Name, Gen.Int[1, 65535], Pick("", "0.0.0.0", "203.0.113.23"), Port.Null(), Unknown)
        .Select((name, number, address, port, unknown) => new ExposedPort { Name = name, HostPort = number, HostIp = address, PodPort = port, UnknownMembers = unknown })
        .Array[0, 2];

    public static readonly Gen<PodManifest> Pod = Gen.Select(
        Gen.Select(SemVer, s_apps, Volume.Array[0, 3], Isolators),
        Gen.Select(Annotations, s_ports, Map, Map),
        Unknown)
        .Select((head, tail, unknown) => new PodManifest
        {
            AcVersion = head.Item1.ToString(),
            Apps = [.. head.Item2.DistinctBy(app => app.Name)],
            Volumes = [.. head.Item3.DistinctBy(volume => volume.Name)],
            Isolators = head.Item4,
            Annotations = tail.Item1,
            Ports = tail.Item2,
            UserAnnotations = tail.Item3,
            UserLabels = tail.Item4,
            UnknownMembers = unknown,
        });

    private static Gen<T> Pick<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}
