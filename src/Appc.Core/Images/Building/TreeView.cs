using System.Buffers.Binary;
using Appc.Images.Tar;

namespace Appc.Images.Building;

/// <summary>How the tree of an app that ran becomes the tree of an image.</summary>
/// <param name="FirstId">The id that stands for 0; ids of the range that begins there are those of the app.</param>
/// <param name="LeftOut">Files that are left out, by their names in an image: <c>rootfs/etc/hosts</c>.</param>
internal sealed record TreeView(uint FirstId, IReadOnlySet<string> LeftOut)
{
    private const uint Range = 65536;
    private const int RootIdAt = 20;
    private const uint Version2 = 0x02000000;
    private const uint Version3 = 0x03000000;
    private const uint VersionMask = 0xff000000;

    public uint IdOf(uint id) => id - FirstId < Range ? id - FirstId : id;

    /// <summary>An attribute as an image has it: capabilities of a program that count in the app's user namespace alone are just its capabilities.</summary>
    public TarAttribute AttributeOf(TarAttribute attribute)
    {
        if (FirstId == 0 || attribute.Value.Length < RootIdAt + 4 || !attribute.Name.AsSpan().SequenceEqual("security.capability"u8))
        {
            return attribute;
        }

        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(attribute.Value);
        if ((magic & VersionMask) != Version3 || BinaryPrimitives.ReadUInt32LittleEndian(attribute.Value.AsSpan(RootIdAt)) != FirstId)
        {
            return attribute;
        }

        byte[] value = attribute.Value[..RootIdAt];
        BinaryPrimitives.WriteUInt32LittleEndian(value, (magic & ~VersionMask) | Version2);
        return attribute with { Value = value };
    }
}
