namespace Appc.Manifests.Json;

// Image manifests.
internal sealed partial class ManifestReader
{
    private ImageManifest ReadImage(JsonValue value)
    {
        _section = SpecSections.Image;
        string? version = null;
        AcIdentifier? imageName = null;
        ValueList<Label> labels = ValueList<Label>.Empty;
        App? app = null;
        ValueList<Dependency> dependencies = ValueList<Dependency>.Empty;
        ValueList<string> paths = ValueList<string>.Empty;
        ValueList<Annotation> annotations = ValueList<Annotation>.Empty;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return new ImageManifest();
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
            else if (name.SequenceEqual("name"u8))
            {
                imageName = Identifier(member.Value);
            }
            else if (name.SequenceEqual("labels"u8))
            {
                labels = Labels(member.Value);
            }
            else if (name.SequenceEqual("app"u8))
            {
                app = member.Value.IsNull ? null : ReadApp(member.Value);
            }
            else if (name.SequenceEqual("dependencies"u8))
            {
                dependencies = List(member.Value, static (reader, item) => reader.ReadDependency(item));
            }
            else if (name.SequenceEqual("pathWhitelist"u8))
            {
                paths = Texts(member.Value);
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

        return new ImageManifest
        {
            AcVersion = version!,
            Name = imageName!,
            Labels = labels,
            App = app,
            Dependencies = dependencies,
            PathWhitelist = paths,
            Annotations = annotations,
            UnknownMembers = Kept(unknown),
        };
    }

    private Dependency ReadDependency(JsonValue value)
    {
        AcIdentifier? imageName = null;
        ImageId? id = null;
        ValueList<Label> labels = ValueList<Label>.Empty;
        long? size = null;
        List<UnknownMember>? unknown = null;
        if (!IsObject(value))
        {
            return null!;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("imageName"u8))
            {
                imageName = Identifier(member.Value);
            }
            else if (name.SequenceEqual("imageID"u8))
            {
                id = Id(member.Value);
            }
            else if (name.SequenceEqual("labels"u8))
            {
                labels = Labels(member.Value);
            }
            else if (name.SequenceEqual("size"u8))
            {
                size = Integer(member.Value, 0, long.MaxValue);
            }
            else
            {
                Keep(ref unknown, member);
            }
        }

        return new Dependency { ImageName = imageName!, ImageId = id, Labels = labels, Size = size, UnknownMembers = Kept(unknown) };
    }

    private ValueList<Label> Labels(JsonValue value) => List(value, static (reader, item) => reader.ReadLabel(item));

    private Label ReadLabel(JsonValue value) => ReadNamedText(value, out AcIdentifier? name, out string? text, out List<UnknownMember>? unknown)
        ? new Label(name!, text!) { UnknownMembers = Kept(unknown) }
        : null!;

    private ValueList<Annotation> Annotations(JsonValue value) => List(value, static (reader, item) => reader.ReadAnnotation(item));

    private Annotation ReadAnnotation(JsonValue value) => ReadNamedText(value, out AcIdentifier? name, out string? text, out List<UnknownMember>? unknown)
        ? new Annotation(name!, text!) { UnknownMembers = Kept(unknown) }
        : null!;

    /// <summary>What labels and annotations are: a name and a text. False if the value is no object.</summary>
    private bool ReadNamedText(JsonValue value, out AcIdentifier? identifier, out string? text, out List<UnknownMember>? unknown)
    {
        identifier = null;
        text = null;
        unknown = null;
        if (!IsObject(value))
        {
            return false;
        }

        foreach (JsonValue.JsonMember member in value.Members)
        {
            ReadOnlySpan<byte> name = member.Name.Key;
            if (name.SequenceEqual("name"u8))
            {
                identifier = Identifier(member.Value);
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

        return true;
    }
}
