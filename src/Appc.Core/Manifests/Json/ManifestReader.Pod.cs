namespace Appc.Manifests.Json;

// Pod manifests.
internal sealed partial class ManifestReader
{
    private PodManifest ReadPod(JsonValue value)
    {
        _section = SpecSections.Pod;
        string? version = null;
        ValueList<RuntimeApp>? apps = null;
        ValueList<Volume> volumes = ValueList<Volume>.Empty;
        ValueList<Isolator> isolators = ValueList<Isolator>.Empty;
        ValueList<Annotation> annotations = ValueList<Annotation>.Empty;
        ValueList<ExposedPort> ports = ValueList<ExposedPort>.Empty;
        ValueList<KeyValuePair<string, string>> userAnnotations = ValueList<KeyValuePair<string, string>>.Empty;
        ValueList<KeyValuePair<string, string>> userLabels = ValueList<KeyValuePair<string, string>>.Empty;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return new PodManifest();
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("acKind"u8))
            {
                continue; // Read before, to know what this is.
            }
            else if (name.SequenceEqual("acVersion"u8))
            {
                version = Text(member.Value);
            }
            else if (name.SequenceEqual("apps"u8))
            {
                apps = member.Value.IsNull ? null : List(member.Value, static (reader, item) => reader.ReadRuntimeApp(item));
            }
            else if (name.SequenceEqual("volumes"u8))
            {
                volumes = List(member.Value, static (reader, item) => reader.ReadVolume(item));
            }
            else if (name.SequenceEqual("isolators"u8))
            {
                isolators = Isolators(member.Value);
            }
            else if (name.SequenceEqual("annotations"u8))
            {
                annotations = Annotations(member.Value);
            }
            else if (name.SequenceEqual("ports"u8))
            {
                ports = List(member.Value, static (reader, item) => reader.ReadExposedPort(item));
            }
            else if (name.SequenceEqual("userAnnotations"u8))
            {
                userAnnotations = TextMap(member.Value);
            }
            else if (name.SequenceEqual("userLabels"u8))
            {
                userLabels = TextMap(member.Value);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        if (apps is null)
        {
            findings.AddMissing(value, "apps", _section);
        }

        return new PodManifest
        {
            AcVersion = version!,
            Apps = apps ?? ValueList<RuntimeApp>.Empty,
            Volumes = volumes,
            Isolators = isolators,
            Annotations = annotations,
            Ports = ports,
            UserAnnotations = userAnnotations,
            UserLabels = userLabels,
            UnknownMembers = Kept(unknown),
        };
    }

    private RuntimeApp ReadRuntimeApp(JsonValue value)
    {
        AcName? appName = null;
        RuntimeImage? image = null;
        App? app = null;
        bool readOnly = false;
        ValueList<Mount> mounts = ValueList<Mount>.Empty;
        ValueList<Annotation> annotations = ValueList<Annotation>.Empty;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return null!;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("name"u8))
            {
                appName = Name(member.Value);
            }
            else if (name.SequenceEqual("image"u8))
            {
                image = member.Value.IsNull ? null : ReadRuntimeImage(member.Value);
            }
            else if (name.SequenceEqual("app"u8))
            {
                app = member.Value.IsNull ? null : ReadApp(member.Value);
            }
            else if (name.SequenceEqual("readOnlyRootFS"u8))
            {
                readOnly = Flag(member.Value) ?? false;
            }
            else if (name.SequenceEqual("mounts"u8))
            {
                mounts = List(member.Value, static (reader, item) => reader.ReadMount(item));
            }
            else if (name.SequenceEqual("annotations"u8))
            {
                annotations = Annotations(member.Value);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        return new RuntimeApp
        {
            Name = appName!,
            Image = image!,
            App = app,
            ReadOnlyRootFs = readOnly,
            Mounts = mounts,
            Annotations = annotations,
            UnknownMembers = Kept(unknown),
        };
    }

    private RuntimeImage ReadRuntimeImage(JsonValue value)
    {
        ImageId? id = null;
        AcIdentifier? imageName = null;
        ValueList<Label> labels = ValueList<Label>.Empty;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return null!;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("id"u8))
            {
                id = Id(member.Value);
            }
            else if (name.SequenceEqual("name"u8))
            {
                imageName = Identifier(member.Value);
            }
            else if (name.SequenceEqual("labels"u8))
            {
                labels = Labels(member.Value);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        return new RuntimeImage { Id = id!, Name = imageName, Labels = labels, UnknownMembers = Kept(unknown) };
    }

    private Mount ReadMount(JsonValue value)
    {
        AcName? volume = null;
        string? path = null;
        Volume? appVolume = null;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return null!;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("volume"u8))
            {
                volume = Name(member.Value);
            }
            else if (name.SequenceEqual("path"u8))
            {
                path = Text(member.Value);
            }
            else if (name.SequenceEqual("appVolume"u8))
            {
                appVolume = member.Value.IsNull ? null : ReadVolume(member.Value);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        return new Mount(volume!, path!) { AppVolume = appVolume, UnknownMembers = Kept(unknown) };
    }

    private VolumeKind? VolumeKind(JsonValue value)
    {
        switch (Text(value))
        {
            case "empty":
                return Manifests.VolumeKind.Empty;
            case "host":
                return Manifests.VolumeKind.Host;
            case null:
                return null;
            default:
                findings.AddAt(value, "bad-volume", "must be 'empty' or 'host'", SpecSections.Pod);
                return null;
        }
    }

    private Volume ReadVolume(JsonValue value)
    {
        AcName? volumeName = null;
        VolumeKind? kind = null;
        bool seen = false;
        string? source = null;
        bool? readOnly = null;
        bool? recursive = null;
        string? mode = null;
        long? uid = null;
        long? gid = null;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return null!;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("name"u8))
            {
                volumeName = Name(member.Value);
            }
            else if (name.SequenceEqual("kind"u8))
            {
                kind = VolumeKind(member.Value);
                seen = !member.Value.IsNull;
            }
            else if (name.SequenceEqual("source"u8))
            {
                source = Text(member.Value);
            }
            else if (name.SequenceEqual("readOnly"u8))
            {
                readOnly = Flag(member.Value);
            }
            else if (name.SequenceEqual("recursive"u8))
            {
                recursive = Flag(member.Value);
            }
            else if (name.SequenceEqual("mode"u8))
            {
                mode = Text(member.Value);
            }
            else if (name.SequenceEqual("uid"u8))
            {
                uid = Integer(member.Value, 0, long.MaxValue);
            }
            else if (name.SequenceEqual("gid"u8))
            {
                gid = Integer(member.Value, 0, long.MaxValue);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        if (!seen)
        {
            findings.AddMissing(value, "kind", SpecSections.Pod);
        }

        // What kind of volume it is decides what the other members may say.
        bool empty = kind == Manifests.VolumeKind.Empty;
        return new Volume
        {
            Name = volumeName!,
            Kind = kind ?? Manifests.VolumeKind.Host,
            Source = source,
            ReadOnly = readOnly,
            Recursive = recursive,
            Mode = mode ?? (empty ? Volume.DefaultMode : null),
            Uid = uid ?? (empty ? 0 : null),
            Gid = gid ?? (empty ? 0 : null),
            UnknownMembers = Kept(unknown),
        };
    }

    private ExposedPort ReadExposedPort(JsonValue value)
    {
        AcName? portName = null;
        long? number = null;
        bool seen = false;
        string? address = null;
        Port? podPort = null;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return null!;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("name"u8))
            {
                portName = Name(member.Value);
            }
            else if (name.SequenceEqual("hostPort"u8))
            {
                number = Integer(member.Value, 1, 65535);
                seen = !member.Value.IsNull;
            }
            else if (name.SequenceEqual("hostIP"u8))
            {
                address = Text(member.Value);
            }
            else if (name.SequenceEqual("podPort"u8))
            {
                podPort = member.Value.IsNull ? null : ReadPort(member.Value);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        if (!seen)
        {
            findings.AddMissing(value, "hostPort", SpecSections.Pod);
        }

        return new ExposedPort
        {
            Name = portName!,
            HostPort = (int)(number ?? 1),
            HostIp = address,
            PodPort = podPort,
            UnknownMembers = Kept(unknown),
        };
    }
}
