using System.Text.Json;

namespace Appc.Manifests.Json;

/// <summary>
/// Writes manifests as canonical JSON: known members in the order of the specification's text, without those that
/// say nothing, then the unknown ones in theirs. The objects have been checked.
/// </summary>
internal sealed class ManifestWriter(Utf8JsonWriter json)
{
    public void Write(ImageManifest image)
    {
        json.WriteStartObject();
        json.WriteString("acKind"u8, "ImageManifest"u8);
        json.WriteString("acVersion"u8, image.AcVersion);
        json.WriteString("name"u8, image.Name.ToString());
        Labels(image.Labels);
        if (image.App is not null)
        {
            json.WritePropertyName("app"u8);
            Write(image.App);
        }

        List("dependencies"u8, image.Dependencies, static (writer, item) => writer.Write(item));
        Texts("pathWhitelist"u8, image.PathWhitelist);
        Annotations(image.Annotations);
        End(image.UnknownMembers);
    }

    public void Write(PodManifest pod)
    {
        json.WriteStartObject();
        json.WriteString("acVersion"u8, pod.AcVersion);
        json.WriteString("acKind"u8, "PodManifest"u8);
        List("apps"u8, pod.Apps, static (writer, item) => writer.Write(item), always: true);
        List("volumes"u8, pod.Volumes, static (writer, item) => writer.Write(item));
        List("isolators"u8, pod.Isolators, static (writer, item) => writer.Write(item));
        Annotations(pod.Annotations);
        List("ports"u8, pod.Ports, static (writer, item) => writer.Write(item));
        TextMap("userAnnotations"u8, pod.UserAnnotations);
        TextMap("userLabels"u8, pod.UserLabels);
        End(pod.UnknownMembers);
    }

    private void Write(App app)
    {
        json.WriteStartObject();
        Texts("exec"u8, app.Exec);
        json.WriteString("user"u8, app.User);
        json.WriteString("group"u8, app.Group);
        if (app.SupplementaryGids.Count > 0)
        {
            json.WriteStartArray("supplementaryGIDs"u8);
            foreach (long group in app.SupplementaryGids)
            {
                json.WriteNumberValue(group);
            }

            json.WriteEndArray();
        }

        List("eventHandlers"u8, app.EventHandlers, static (writer, item) => writer.Write(item));
        if (app.WorkingDirectory.Length > 0)
        {
            json.WriteString("workingDirectory"u8, app.WorkingDirectory);
        }

        List("environment"u8, app.Environment, static (writer, item) => writer.Pair(item.Name, item.Value, item.UnknownMembers));
        List("isolators"u8, app.Isolators, static (writer, item) => writer.Write(item));
        List("mountPoints"u8, app.MountPoints, static (writer, item) => writer.Write(item));
        List("ports"u8, app.Ports, static (writer, item) => writer.Write(item));
        TextMap("userAnnotations"u8, app.UserAnnotations);
        TextMap("userLabels"u8, app.UserLabels);
        End(app.UnknownMembers);
    }

    private void Write(Dependency dependency)
    {
        json.WriteStartObject();
        json.WriteString("imageName"u8, dependency.ImageName.ToString());
        if (dependency.ImageId is not null)
        {
            json.WriteString("imageID"u8, dependency.ImageId.ToString());
        }

        Labels(dependency.Labels);
        if (dependency.Size is not null)
        {
            json.WriteNumber("size"u8, dependency.Size.Value);
        }

        End(dependency.UnknownMembers);
    }

    private void Write(EventHandlerSpec handler)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, handler.Name);
        Texts("exec"u8, handler.Exec, always: true);
        End(handler.UnknownMembers);
    }

    private void Write(MountPoint point)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, point.Name.ToString());
        json.WriteString("path"u8, point.Path);
        if (point.ReadOnly)
        {
            json.WriteBoolean("readOnly"u8, true);
        }

        End(point.UnknownMembers);
    }

    private void Write(Port port)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, port.Name.ToString());
        json.WriteString("protocol"u8, port.Protocol);
        json.WriteNumber("port"u8, port.Number);
        json.WriteNumber("count"u8, port.Count);
        json.WriteBoolean("socketActivated"u8, port.SocketActivated);
        End(port.UnknownMembers);
    }

    private void Write(Isolator isolator)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, isolator.Name.ToString());
        json.WritePropertyName("value"u8);
        json.WriteRawValue(isolator.ValueJson, skipInputValidation: true);
        End(isolator.UnknownMembers);
    }

    private void Write(RuntimeApp app)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, app.Name.ToString());
        json.WritePropertyName("image"u8);
        Write(app.Image);
        if (app.App is not null)
        {
            json.WritePropertyName("app"u8);
            Write(app.App);
        }

        if (app.ReadOnlyRootFs)
        {
            json.WriteBoolean("readOnlyRootFS"u8, true);
        }

        List("mounts"u8, app.Mounts, static (writer, item) => writer.Write(item));
        Annotations(app.Annotations);
        End(app.UnknownMembers);
    }

    private void Write(RuntimeImage image)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, image.Id.ToString());
        if (image.Name is not null)
        {
            json.WriteString("name"u8, image.Name.ToString());
        }

        Labels(image.Labels);
        End(image.UnknownMembers);
    }

    private void Write(Mount mount)
    {
        json.WriteStartObject();
        json.WriteString("volume"u8, mount.Volume.ToString());
        json.WriteString("path"u8, mount.Path);
        if (mount.AppVolume is not null)
        {
            json.WritePropertyName("appVolume"u8);
            Write(mount.AppVolume);
        }

        End(mount.UnknownMembers);
    }

    private void Write(Volume volume)
    {
        bool empty = volume.Kind == VolumeKind.Empty;
        json.WriteStartObject();
        json.WriteString("name"u8, volume.Name.ToString());
        json.WriteString("kind"u8, empty ? "empty"u8 : "host"u8);
        if (volume.Source is not null)
        {
            json.WriteString("source"u8, volume.Source);
        }

        if (volume.ReadOnly is not null)
        {
            json.WriteBoolean("readOnly"u8, volume.ReadOnly.Value);
        }

        if (volume.Recursive is not null)
        {
            json.WriteBoolean("recursive"u8, volume.Recursive.Value);
        }

        if (empty)
        {
            json.WriteString("mode"u8, volume.Mode ?? Volume.DefaultMode);
            json.WriteNumber("uid"u8, volume.Uid ?? 0);
            json.WriteNumber("gid"u8, volume.Gid ?? 0);
        }

        End(volume.UnknownMembers);
    }

    private void Write(ExposedPort port)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, port.Name.ToString());
        json.WriteNumber("hostPort"u8, port.HostPort);
        if (port.HostIp is not null)
        {
            json.WriteString("hostIP"u8, port.HostIp);
        }

        if (port.PodPort is not null)
        {
            json.WritePropertyName("podPort"u8);
            Write(port.PodPort);
        }

        End(port.UnknownMembers);
    }

    private void Labels(IReadOnlyList<Label> labels) =>
        List("labels"u8, labels, static (writer, item) => writer.Pair(item.Name.ToString(), item.Value, item.UnknownMembers));

    private void Annotations(IReadOnlyList<Annotation> annotations) =>
        List("annotations"u8, annotations, static (writer, item) => writer.Pair(item.Name.ToString(), item.Value, item.UnknownMembers));

    private void Pair(string name, string value, IReadOnlyList<UnknownMember> unknown)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString("value"u8, value);
        End(unknown);
    }

    private void List<T>(ReadOnlySpan<byte> name, IReadOnlyList<T> items, Action<ManifestWriter, T> write, bool always = false)
    {
        if (items.Count > 0 || always)
        {
            json.WriteStartArray(name);
            for (int index = 0; index < items.Count; index++)
            {
                write(this, items[index]);
            }

            json.WriteEndArray();
        }
    }

    private void Texts(ReadOnlySpan<byte> name, IReadOnlyList<string> items, bool always = false) =>
        List(name, items, static (writer, item) => writer.Text(item), always);

    private void Text(string text) => json.WriteStringValue(text);

    private void TextMap(ReadOnlySpan<byte> name, IReadOnlyList<KeyValuePair<string, string>> entries)
    {
        if (entries.Count > 0)
        {
            json.WriteStartObject(name);
            foreach ((string key, string value) in entries)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }
    }

    private void End(IReadOnlyList<UnknownMember> unknown)
    {
        for (int index = 0; index < unknown.Count; index++)
        {
            json.WritePropertyName(unknown[index].Name);
            json.WriteRawValue(unknown[index].ValueJson, skipInputValidation: true);
        }

        json.WriteEndObject();
    }
}
