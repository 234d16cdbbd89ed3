using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

public sealed class TextFormTests
{
    [Fact]
    public void A_host_volume_is_read()
    {
        Volume volume = Volume.Parse("data,kind=host,source=/srv/data,readOnly=true,recursive=0");
        Assert.Equal(new Volume { Name = AcName.Parse("data"), Kind = VolumeKind.Host, Source = "/srv/data", ReadOnly = true, Recursive = false }, volume);
        Assert.Equal("data,kind=host,source=/srv/data,readOnly=true,recursive=false", volume.ToString());
    }

    [Fact]
    public void An_empty_volume_is_read_with_its_defaults()
    {
        Volume volume = Volume.Parse("tmp,kind=empty");
        Assert.Equal(("0755", 0L, 0L), (volume.Mode, volume.Uid, volume.Gid));
        Assert.Equal("tmp,kind=empty", volume.ToString());
        Assert.Equal("tmp,kind=empty,mode=1777,uid=5,gid=6", Volume.Parse("tmp,kind=empty,gid=6,uid=5,mode=1777").ToString());
    }

    [Theory]
    [InlineData("data", "must have a kind")]
    [InlineData("data,kind=bind", "kind must be 'empty' or 'host'")]
    [InlineData("data,kind=host", "source: a host volume must have a source")]
    [InlineData("data,kind=host,source=rel", "source: must be an absolute path")]
    [InlineData("data,kind=host,source=/x,uid=1", "uid: only an empty volume can have this member")]
    [InlineData("data,kind=host,source=/x,gid=1", "gid: only an empty volume can have this member")]
    [InlineData("data,kind=host,source=/x,mode=0755", "mode: only an empty volume can have this member")]
    [InlineData("data,kind=empty,source=/x", "source: an empty volume cannot have a source")]
    [InlineData("data,kind=empty,mode=8", "mode: must be a file mode in octal digits")]
    [InlineData("data,kind=empty,uid=-1", "uid must be a number up to")]
    [InlineData("data,kind=empty,readOnly=yes", "readOnly must be true or false")]
    [InlineData("data,kind=empty,kind=empty", "'kind' occurs twice")]
    [InlineData("data,kind", "'kind' has no '='")]
    [InlineData("data,\u001bx=1", "there is no parameter '\\u{1b}x'")]
    [InlineData("Data,kind=empty", "not a valid AC Name")]
    public void A_bad_volume_is_told_why(string text, string fault)
    {
        string message = Assert.Throws<ManifestException>(() => Volume.Parse(text)).Message;
        Assert.Contains(fault, message, StringComparison.Ordinal);
        Assert.StartsWith("'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mounts_mount_points_and_ports_are_read_and_written()
    {
        Assert.Equal("volume=data,target=/a b+c", Mount.Parse("target=/a b+c,volume=data").ToString());
        Assert.Equal("data,path=/x,readOnly=true", MountPoint.Parse("data,readOnly=T,path=/x").ToString());
        Assert.Equal("data,path=/x", MountPoint.Parse("data,path=/x,readOnly=f").ToString());
        Assert.Equal("http,protocol=tcp,port=80", Port.Parse("http,port=80,protocol=tcp").ToString());
        Assert.Equal("ftp,port=20,count=2,socketActivated=true", Port.Parse("ftp,port=20,count=2,socketActivated=true").ToString());
        Assert.Contains("goes beyond 65535", Assert.Throws<ManifestException>(() => Port.Parse("http,port=65535,count=2")).Message, StringComparison.Ordinal);
        Assert.Contains("'%', '&' or ';'", Assert.Throws<ManifestException>(() => Mount.Parse("volume=a,target=/x;y")).Message, StringComparison.Ordinal);
        Assert.Contains("the member 'path' is required", Assert.Throws<ManifestException>(() => Mount.Parse("volume=a")).Message, StringComparison.Ordinal);
    }
}
