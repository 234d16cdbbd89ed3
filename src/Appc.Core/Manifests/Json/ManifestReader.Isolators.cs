namespace Appc.Manifests.Json;

// Values of the isolators that are known.
internal sealed partial class ManifestReader
{
    /// <summary>The isolator with this value; null, with a finding, if it cannot have it.</summary>
    public Isolator? ReadIsolatorValue(AcIdentifier name, JsonValue value)
    {
        string outer = _section;
        IsolatorSource source = new(name, value.GetCompactJson());
        string text = name.ToString();
        _section = text switch
        {
            IsolatorNames.Sysctl => SpecSections.UnixIsolators,
            _ => text.StartsWith("resource/", StringComparison.Ordinal) ? SpecSections.ResourceIsolators : SpecSections.LinuxIsolators,
        };
        Isolator? isolator = text switch
        {
            IsolatorNames.Cpu => Resource(value) is { } amounts ? new CpuIsolator(source, amounts.Request, amounts.Limit) : null,
            IsolatorNames.Memory => Resource(value) is { } amounts ? new MemoryIsolator(source, amounts.Request, amounts.Limit) : null,
            IsolatorNames.BlockBandwidth => DefaultResource(value) is { } amounts ? new BlockBandwidthIsolator(source, amounts.Limit) : null,
            IsolatorNames.BlockIops => DefaultResource(value) is { } amounts ? new BlockIopsIsolator(source, amounts.Limit) : null,
            IsolatorNames.NetworkBandwidth => DefaultResource(value) is { } amounts ? new NetworkBandwidthIsolator(source, amounts.Limit) : null,
            IsolatorNames.CapabilitiesRetainSet => Set(value) is { } set ? new CapabilitiesRetainSetIsolator(source, set) : null,
            IsolatorNames.CapabilitiesRemoveSet => Set(value) is { } set ? new CapabilitiesRemoveSetIsolator(source, set) : null,
            IsolatorNames.SeccompRetainSet => SeccompSet(value, out string? errno) is { } set ? new SeccompRetainSetIsolator(source, set, errno) : null,
            IsolatorNames.SeccompRemoveSet => SeccompSet(value, out string? errno) is { } set ? new SeccompRemoveSetIsolator(source, set, errno) : null,
            IsolatorNames.NoNewPrivileges => Setting(value) is { } enabled ? new NoNewPrivilegesIsolator(source, enabled) : null,
            IsolatorNames.CpuShares => Number(value, 2, 262144) is { } shares ? new CpuSharesIsolator(source, shares) : null,
            IsolatorNames.OomScoreAdj => Number(value, -1000, 1000) is { } score ? new OomScoreAdjIsolator(source, score) : null,
            IsolatorNames.SelinuxContext => SelinuxContext(source, value),
            IsolatorNames.AppArmorProfile => AppArmorProfile(source, value),
            IsolatorNames.Sysctl => Parameters(value) is { } entries ? new SysctlIsolator(source, entries) : null,
            _ => Isolator.OfSource(source),
        };
        _section = outer;
        return isolator;
    }

    private (Quantity? Request, Quantity? Limit)? Resource(JsonValue value)
    {
        if (!IsObject(value) || !TryAmounts(value, out bool? isDefault, out Quantity? request, out Quantity? limit))
        {
            return null;
        }

        if (isDefault == true)
        {
            value.TryGetMember("default"u8, out JsonValue member);
            findings.AddAt(member, "bad-resource-isolator", "this resource has no default: must be false or absent", _section);
            return null;
        }

        return (request, limit);
    }

    private (Quantity? Request, Quantity? Limit)? DefaultResource(JsonValue value)
    {
        if (!IsObject(value) || !TryAmounts(value, out bool? isDefault, out Quantity? request, out Quantity? limit))
        {
            return null;
        }

        if (isDefault != true)
        {
            findings.AddAt(value, "bad-resource-isolator", "the member 'default' must be true", _section);
        }

        if (request is not null)
        {
            value.TryGetMember("request"u8, out JsonValue member);
            findings.AddAt(member, "bad-resource-isolator", "this resource can be limited, but not requested", _section);
        }

        return isDefault == true && request is null ? (null, limit) : null;
    }

    private bool TryAmounts(JsonValue value, out bool? isDefault, out Quantity? request, out Quantity? limit)
    {
        isDefault = null;
        request = limit = null;
        bool valid = true;
        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("default"u8))
            {
                isDefault = Flag(member.Value);
                valid &= isDefault is not null || member.Value.IsNull;
            }
            else if (name.SequenceEqual("request"u8))
            {
                valid &= TryAmount(member.Value, out request);
            }
            else if (name.SequenceEqual("limit"u8))
            {
                valid &= TryAmount(member.Value, out limit);
            }
        }

        return valid;
    }

    /// <summary>A quantity; null for JSON's null. Manifests in the wild have bare numbers too, and white space inside the quotes.</summary>
    private bool TryAmount(JsonValue value, out Quantity? quantity)
    {
        quantity = null;
        string text;
        switch (value.Kind)
        {
            case System.Text.Json.JsonTokenType.Null:
                return true;
            case System.Text.Json.JsonTokenType.String:
                text = value.GetText().Trim(' ', '\t', '\r', '\n');
                break;
            case System.Text.Json.JsonTokenType.Number:
                text = value.GetCompactJson();
                break;
            default:
                findings.AddAt(value, "bad-quantity", "must be a quantity, such as \"500m\"", _section);
                return false;
        }

        if (Quantity.Read(text, out quantity) is { } fault)
        {
            findings.AddAt(value, "bad-quantity", "not a quantity: " + fault, _section);
            return false;
        }

        return true;
    }

    private ValueList<string>? Set(JsonValue value)
    {
        if (!IsObject(value))
        {
            return null;
        }

        bool present = value.TryGetMember("set"u8, out JsonValue member) && !member.IsNull;
        int before = findings.Count;
        ValueList<string> set = present ? Texts(member) : ValueList<string>.Empty;
        if (findings.Count == before && set.Count == 0)
        {
            findings.AddAt(present ? member : value, "empty-set", "the member 'set' must be a list with at least one entry", _section);
        }

        return findings.Count == before ? set : null;
    }

    private ValueList<string>? SeccompSet(JsonValue value, out string? errno)
    {
        errno = null;
        ValueList<string>? set = Set(value);
        if (value.TryGetMember("errno"u8, out JsonValue member))
        {
            int before = findings.Count;
            errno = Text(member);
            bool valid = string.IsNullOrEmpty(errno)
                || (errno.Length > 1 && errno[0] == 'E' && errno.All(static character => char.IsAsciiLetterUpper(character) || char.IsAsciiDigit(character)));
            if (!valid)
            {
                findings.AddAt(member, "bad-errno", "must be the name of an error, such as EPERM", _section);
            }

            set = findings.Count == before ? set : null;
        }

        return set;
    }

    private bool? Setting(JsonValue value)
    {
        bool? setting = Flag(value);
        if (value.IsNull)
        {
            findings.AddAt(value, "wrong-type", "must be true or false", _section);
        }

        return setting;
    }

    private int? Number(JsonValue value, int least, int most)
    {
        if (value.IsNull)
        {
            findings.AddAt(value, "wrong-type", "must be a number", _section);
        }

        return (int?)Integer(value, least, most);
    }

    private SelinuxContextIsolator? SelinuxContext(IsolatorSource source, JsonValue value)
    {
        if (!IsObject(value))
        {
            return null;
        }

        string? user = ContextPart(value, "user", colon: false);
        string? role = ContextPart(value, "role", colon: false);
        string? type = ContextPart(value, "type", colon: false);
        string? level = ContextPart(value, "level", colon: true);
        return user is null || role is null || type is null || level is null ? null : new SelinuxContextIsolator(source, user, role, type, level);
    }

    private string? ContextPart(JsonValue context, string name, bool colon)
    {
        if (!JsonPath.TryStep(context, new PathSegment(name, 0), out JsonValue member) || member.IsNull)
        {
            findings.AddMissing(context, name, _section, "bad-selinux-context");
            return null;
        }

        string? part = Text(member);
        if (part is not null && (part.Length == 0 || (!colon && part.Contains(':', StringComparison.Ordinal))))
        {
            findings.AddAt(member, "bad-selinux-context", colon ? "must not be empty" : "must not be empty or have a colon", _section);
            return null;
        }

        return part;
    }

    private AppArmorProfileIsolator? AppArmorProfile(IsolatorSource source, JsonValue value)
    {
        if (!IsObject(value))
        {
            return null;
        }

        if (!value.TryGetMember("profile"u8, out JsonValue member) || member.IsNull)
        {
            findings.AddMissing(value, "profile", _section, "bad-apparmor-profile");
            return null;
        }

        string? profile = Text(member);
        if (profile is "")
        {
            findings.AddAt(member, "bad-apparmor-profile", "must not be empty", _section);
        }

        return string.IsNullOrEmpty(profile) ? null : new AppArmorProfileIsolator(source, profile);
    }

    private ValueList<KeyValuePair<string, string>>? Parameters(JsonValue value)
    {
        if (!IsObject(value))
        {
            return null;
        }

        int before = findings.Count;
        ValueList<KeyValuePair<string, string>> entries = TextMap(value);
        return findings.Count == before ? entries : null;
    }
}
