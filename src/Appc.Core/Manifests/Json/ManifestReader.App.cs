namespace Appc.Manifests.Json;

// The app of an image, which a pod can have its own of.
internal sealed partial class ManifestReader
{
    private App ReadApp(JsonValue value)
    {
        ValueList<string> exec = ValueList<string>.Empty;
        string? user = null;
        string? group = null;
        ValueList<long> groups = ValueList<long>.Empty;
        ValueList<EventHandlerSpec> handlers = ValueList<EventHandlerSpec>.Empty;
        string? directory = null;
        ValueList<EnvironmentVariable> environment = ValueList<EnvironmentVariable>.Empty;
        ValueList<MountPoint> mountPoints = ValueList<MountPoint>.Empty;
        ValueList<Port> ports = ValueList<Port>.Empty;
        ValueList<Isolator> isolators = ValueList<Isolator>.Empty;
        ValueList<KeyValuePair<string, string>> userAnnotations = ValueList<KeyValuePair<string, string>>.Empty;
        ValueList<KeyValuePair<string, string>> userLabels = ValueList<KeyValuePair<string, string>>.Empty;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return null!;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("exec"u8))
            {
                exec = Texts(member.Value);
            }
            else if (name.SequenceEqual("user"u8))
            {
                user = Text(member.Value);
            }
            else if (name.SequenceEqual("group"u8))
            {
                group = Text(member.Value);
            }
            else if (name.SequenceEqual("supplementaryGIDs"u8))
            {
                groups = Groups(member.Value);
            }
            else if (name.SequenceEqual("supplementaryGids"u8))
            {
                groups = OtherGroups(value, member.Value, groups);
            }
            else if (name.SequenceEqual("eventHandlers"u8))
            {
                handlers = List(member.Value, static (reader, item) => reader.ReadEventHandler(item));
            }
            else if (name.SequenceEqual("workingDirectory"u8))
            {
                directory = Text(member.Value);
            }
            else if (name.SequenceEqual("environment"u8))
            {
                environment = List(member.Value, static (reader, item) => reader.ReadEnvironmentVariable(item));
            }
            else if (name.SequenceEqual("mountPoints"u8))
            {
                mountPoints = List(member.Value, static (reader, item) => reader.ReadMountPoint(item));
            }
            else if (name.SequenceEqual("ports"u8))
            {
                ports = List(member.Value, static (reader, item) => reader.ReadPort(item));
            }
            else if (name.SequenceEqual("isolators"u8))
            {
                isolators = Isolators(member.Value);
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

        return new App
        {
            Exec = exec,
            User = user!,
            Group = group!,
            SupplementaryGids = groups,
            EventHandlers = handlers,
            WorkingDirectory = directory!,
            Environment = environment,
            MountPoints = mountPoints,
            Ports = ports,
            Isolators = isolators,
            UserAnnotations = userAnnotations,
            UserLabels = userLabels,
            UnknownMembers = Kept(unknown),
        };
    }

    private ValueList<long> Groups(JsonValue value) =>
        List(value, static (reader, item) => item.IsNull ? reader.NoNumber(item) : reader.Integer(item, 0, long.MaxValue) ?? 0);

    // The example in the specification's own text spells the member so, and images have been made after it.
    private ValueList<long> OtherGroups(JsonValue app, JsonValue value, ValueList<long> groups)
    {
        if (app.TryGetMember("supplementaryGIDs"u8, out _))
        {
            findings.AddAt(value, "duplicate-member", "'supplementaryGids' and 'supplementaryGIDs' are the same member", _section);
            return groups;
        }

        return Groups(value);
    }

    private long NoNumber(JsonValue value)
    {
        findings.AddAt(value, "wrong-type", "must be a number", _section);
        return 0;
    }

    private ValueList<Isolator> Isolators(JsonValue value) => List(value, static (reader, item) => reader.ReadIsolator(item));

    private EventHandlerSpec ReadEventHandler(JsonValue value)
    {
        string? handlerName = null;
        ValueList<string>? exec = null;
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
                handlerName = Text(member.Value);
            }
            else if (name.SequenceEqual("exec"u8))
            {
                exec = member.Value.IsNull ? null : Texts(member.Value);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        if (exec is null)
        {
            findings.AddMissing(value, "exec", _section);
        }

        return new EventHandlerSpec(handlerName!, exec!) { UnknownMembers = Kept(unknown) };
    }

    private EnvironmentVariable ReadEnvironmentVariable(JsonValue value)
    {
        string? variableName = null;
        string? text = null;
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
                variableName = Text(member.Value);
            }
            else if (name.SequenceEqual("value"u8))
            {
                text = Text(member.Value);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        return new EnvironmentVariable(variableName!, text!) { UnknownMembers = Kept(unknown) };
    }

    private MountPoint ReadMountPoint(JsonValue value)
    {
        AcName? pointName = null;
        string? path = null;
        bool readOnly = false;
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
                pointName = Name(member.Value);
            }
            else if (name.SequenceEqual("path"u8))
            {
                path = Text(member.Value);
            }
            else if (name.SequenceEqual("readOnly"u8))
            {
                readOnly = Flag(member.Value) ?? false;
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        return new MountPoint(pointName!, path!, readOnly) { UnknownMembers = Kept(unknown) };
    }

    private Port ReadPort(JsonValue value)
    {
        AcName? portName = null;
        string? protocol = null;
        long? number = null;
        bool seen = false;
        long? count = null;
        bool activated = false;
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
            else if (name.SequenceEqual("protocol"u8))
            {
                protocol = Text(member.Value);
            }
            else if (name.SequenceEqual("port"u8))
            {
                number = Integer(member.Value, 1, 65535);
                seen = !member.Value.IsNull;
            }
            else if (name.SequenceEqual("count"u8))
            {
                count = Integer(member.Value, 0, 65535);
            }
            else if (name.SequenceEqual("socketActivated"u8))
            {
                activated = Flag(member.Value) ?? false;
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        if (!seen)
        {
            findings.AddMissing(value, "port", _section);
        }

        return new Port
        {
            Name = portName!,
            Protocol = protocol!,
            Number = (int)(number ?? 1),

            // 0 is how the reference's own tools write that no count was given.
            Count = count is null or 0 ? 1 : (int)count,
            SocketActivated = activated,
            UnknownMembers = Kept(unknown),
        };
    }

    private Isolator ReadIsolator(JsonValue value)
    {
        AcIdentifier? isolatorName = null;
        bool named = false;
        JsonValue? content = null;
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
                isolatorName = Identifier(member.Value);
                named = !member.Value.IsNull;
            }
            else if (name.SequenceEqual("value"u8))
            {
                content = member.Value;
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        if (!named)
        {
            findings.AddMissing(value, "name", SpecSections.IsolatorType);
        }

        if (content is null)
        {
            findings.AddMissing(value, "value", SpecSections.IsolatorType);
        }

        Isolator? isolator = isolatorName is null || content is null ? null : ReadIsolatorValue(isolatorName, content.Value);
        return isolator is null ? null! : isolator with { UnknownMembers = Kept(unknown) };
    }
}
