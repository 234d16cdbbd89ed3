using Appc.Images.Building;
using Appc.Images.Tar;

namespace Appc.Core.Tests.Images;

/// <summary>The tree of an app in a user namespace, seen as the app saw it.</summary>
public sealed class TreeViewTests
{
    private const uint First = 0x00100000;

    private static readonly TreeView s_view = new(First, new HashSet<string>());

    [Theory]
    [InlineData(First, 0)]
    [InlineData(First + 1000, 1000)]
    [InlineData(First + 65535, 65535)]
    [InlineData(First + 65536, First + 65536)]
    [InlineData(0, 0)]
    [InlineData(12, 12)]
    public void Ids_of_the_range_are_those_of_the_app_and_others_those_of_the_image(uint onDisk, uint expected) => Assert.Equal(expected, s_view.IdOf(onDisk));

    [Theory]
    // vfs_ns_cap_data of version 3 with the effective bit, and of which user namespace: the app's, and another one.
    [InlineData("010000030004000000000000000000000000000000001000", "0100000200040000000000000000000000000000")]
    [InlineData("010000030004000000000000000000000000000000002000", "010000030004000000000000000000000000000000002000")]
    [InlineData("0100000200040000000000000000000000000000", "0100000200040000000000000000000000000000")]
    [InlineData("00", "00")]
    public void Capabilities_that_counted_in_the_apps_namespace_alone_are_just_capabilities(string onDisk, string expected)
    {
        TarAttribute seen = s_view.AttributeOf(new TarAttribute("security.capability"u8.ToArray(), Convert.FromHexString(onDisk)));
        Assert.Equal(expected, Convert.ToHexString(seen.Value));
    }

    [Fact]
    public void Other_attributes_stay_as_they_are()
    {
        TarAttribute other = new("user.note"u8.ToArray(), Convert.FromHexString("010000030004000000000000000000000000000000001000"));
        Assert.Equal(other, s_view.AttributeOf(other));
    }
}
