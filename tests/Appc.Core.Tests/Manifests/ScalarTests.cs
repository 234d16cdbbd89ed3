using System.Runtime.InteropServices;
using Appc.Manifests;

namespace Appc.Core.Tests.Manifests;

public sealed class ScalarTests
{
    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("A", "only lower-case letters, digits and hyphens are allowed")]
    [InlineData("-a", "it begins or ends with a hyphen")]
    [InlineData("a-", "it begins or ends with a hyphen")]
    [InlineData("a--b", "it has two hyphens in a row")]
    [InlineData("a.b", "only lower-case letters, digits and hyphens are allowed")]
    public void A_bad_name_is_told_why(string text, string fault)
    {
        Assert.False(AcName.TryParse(text, out _));
        Assert.Equal($"'{text}' is not a valid AC Name: {fault}", Assert.Throws<ManifestException>(() => AcName.Parse(text)).Message);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("example.com/App", "only lower-case letters, digits and - . _ ~ / are allowed")]
    [InlineData("/a", "it does not begin and end with a letter or digit")]
    [InlineData("a/", "it does not begin and end with a letter or digit")]
    [InlineData("a/../b", "one of its parts is '.' or '..'")]
    [InlineData("a/./b", "one of its parts is '.' or '..'")]
    public void A_bad_identifier_is_told_why(string text, string fault)
    {
        Assert.False(AcIdentifier.TryParse(text, out _));
        Assert.Equal($"'{text}' is not a valid AC Identifier: {fault}", Assert.Throws<ManifestException>(() => AcIdentifier.Parse(text)).Message);
    }

    [Fact]
    public void Dots_in_a_row_are_fine_in_an_identifier_but_lead_nowhere()
    {
        Assert.Equal("a..b/...c", AcIdentifier.Parse("a..b/...c").ToString());
        Assert.Equal("a/__/__/_/b", AcIdentifier.Sanitize("a/../.././b").ToString());
    }

    [Fact]
    public void Null_is_no_scalar()
    {
        Assert.False(AcName.TryParse(null, out _));
        Assert.False(AcIdentifier.TryParse(null, out _));
        Assert.False(AcKind.TryParse(null, out _));
        Assert.False(ImageId.TryParse(null, out _));
        Assert.False(ImageId.IsPrefix(null));
        Assert.False(Uuid.TryParse(null, out _));
        Assert.False(SemVer.TryParse(null, out _));
        Assert.False(Timestamp.TryParse(null, out _));
        Assert.False(Quantity.TryParse(null, out _));
        Assert.False(AppReference.TryParse(null, out _));
        Assert.Throws<ArgumentNullException>(() => AcName.Parse(null!));
        Assert.Throws<ArgumentNullException>(() => ImageManifest.Parse((string)null!));
        Assert.Throws<ArgumentNullException>(() => Manifest.Validate((byte[])null!));
    }

    [Fact]
    public void Scalars_are_equal_by_value()
    {
        Assert.True(AcName.Parse("a") == AcName.Parse("a") && AcName.Parse("a") != AcName.Parse("b") && AcName.Parse("a").Equals((object)AcName.Parse("a")));
        Assert.True(AcIdentifier.Parse("a") == AcIdentifier.Parse("a") && AcIdentifier.Parse("a") != AcIdentifier.Parse("b"));
        Assert.True(AcKind.Parse("PodManifest") == AcKind.PodManifest && AcKind.PodManifest != AcKind.ImageManifest && AcKind.PodManifest.Equals((object)AcKind.PodManifest));
        Assert.Equal(AcKind.ImageManifest.GetHashCode(), AcKind.Parse("ImageManifest").GetHashCode());
        Assert.Equal("PodManifest", AcKind.PodManifest.ToString());
        Assert.True(SemVer.Parse("1.0.0+a") != SemVer.Parse("1.0.0+b") && SemVer.Parse("1.0.0") == SemVer.Parse("1.0.0"));
        Assert.True(Timestamp.Parse("2014-10-27T19:32:27.5Z") != Timestamp.Parse("2014-10-27T19:32:27Z") && Timestamp.Parse("2014-10-27t19:32:27z") == Timestamp.Parse("2014-10-27T19:32:27Z"));
        Assert.True(Quantity.Parse("1k") == Quantity.Parse("1000") && Quantity.Parse("1k") != Quantity.Parse("1Ki") && Quantity.Parse("1").Equals((object)Quantity.Of(1)));
        Assert.True(Uuid.Parse("f47ac10b58cc4372a5670e02b2c3d479") == Uuid.Parse("F47AC10B-58CC-4372-A567-0E02B2C3D479") && Uuid.Random() != Uuid.Random());
        Assert.Equal(Timestamp.Parse("2014-10-27t19:32:27z").GetHashCode(), Timestamp.Parse("2014-10-27T19:32:27Z").GetHashCode());
        Assert.False(SemVer.Parse("1.0.0").Equals(null));
        Assert.Equal(1, SemVer.Parse("1.0.0").CompareTo(null));
    }

    [Fact]
    public void Image_ids_are_shortened_compared_and_begun()
    {
        ImageId id = ImageId.OfBytes([]);
        Assert.StartsWith("sha512-cf83e1357eefb8bd", id.ToString(), StringComparison.Ordinal);
        Assert.Equal("sha512-cf83e1357eefb8bdf1542850d66d8007", id.Short);
        Assert.Equal(id, ImageId.Parse("sha512-" + id.ToString()[7..].ToUpperInvariant()));
        Assert.True(id == ImageId.Parse(id.ToString()) && id != ImageId.OfBytes([1]));
        Assert.Equal(id, ImageId.OfDigest(Convert.FromHexString(id.ToString()[7..])));
        Assert.True(id.StartsWith("sha512-cf8"));
        Assert.True(id.StartsWith("sha512-CF8"));
        Assert.False(id.StartsWith("sha512-cf9"));
        Assert.False(id.StartsWith("sha512-"));
        Assert.False(id.StartsWith("cf8"));
        Assert.Throws<ArgumentException>(() => ImageId.OfDigest([1]));
        Assert.Throws<ManifestException>(() => ImageId.Parse("sha512-12"));
    }

    [Theory]
    [InlineData("1.0", "three numbers")]
    [InlineData("1.0.x", "decimal digits")]
    [InlineData("1.0.01", "begin with 0")]
    [InlineData("1.0.9223372036854775808", "too large")]
    [InlineData("1.0.0-", "letters, digits and hyphens")]
    [InlineData("1.0.0-01", "letters, digits and hyphens")]
    [InlineData("1.0.0+", "letters, digits and hyphens")]
    [InlineData("0.0.0", "no version")]
    public void A_bad_version_is_told_why(string text, string fault) =>
        Assert.Contains(fault, Assert.Throws<ManifestException>(() => SemVer.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_parts_of_a_version_can_be_had()
    {
        SemVer version = SemVer.Parse("1.22.333-rc.1+build.5");
        Assert.Equal((1L, 22L, 333L, "rc.1", "build.5"), (version.Major, version.Minor, version.Patch, version.Prerelease, version.Build));
        string[] order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "2.0.0"];
        Assert.Equal(order, order.Reverse().Select(SemVer.Parse).Order().Select(sorted => sorted.ToString()));
    }

    [Theory]
    [InlineData("2015-05-18T13:49:28.351729952-04:00", "2015-05-18T17:49:28.3517299")]
    [InlineData("1990-12-31T23:59:60Z", "1991-01-01T00:00:00.0000000")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000")]
    [InlineData("2000-01-01T00:00:00.1+14:00", "1999-12-31T10:00:00.1000000")]
    public void The_moment_of_a_timestamp_can_be_had(string text, string utc) =>
        Assert.Equal(utc + "+00:00", Timestamp.Parse(text).Utc?.ToString("o", System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("0000-02-29T00:00:00Z")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:59-01:00")]
    public void Moments_that_dotnet_cannot_express_are_still_dates(string text)
    {
        Assert.Null(Timestamp.Parse(text).Utc);
        Assert.Equal(text, Timestamp.Parse(text).ToString());
    }

    [Theory]
    [InlineData("2015-05-18 13:49:28Z", "must look like")]
    [InlineData("2015-05-18T13:49:28", "must end with")]
    [InlineData("2015-05-18T13:49:28+1:00", "must end with")]
    [InlineData("2015-05-18T13:49:28.Z", "fraction")]
    [InlineData("2015-05-18T13:49:28.", "fraction")]
    [InlineData("2015-05-18T13:49:28.5", "fraction")]
    [InlineData("2015-13-18T13:49:28Z", "no such date")]
    [InlineData("2015-02-29T13:49:28Z", "no such date")]
    public void A_bad_timestamp_is_told_why(string text, string fault) =>
        Assert.Contains(fault, Assert.Throws<ManifestException>(() => Timestamp.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_timestamp_is_made_of_a_moment() =>
        Assert.Equal("2015-05-18T13:49:28-04:00", Timestamp.Of(new DateTimeOffset(2015, 5, 18, 13, 49, 28, TimeSpan.FromHours(-4))).ToString());

    [Theory]
    [InlineData("", "must begin with a number")]
    [InlineData(".", "must begin with a number")]
    [InlineData("-1", "cannot be negative")]
    [InlineData("1X", "must end with a suffix")]
    [InlineData("1e99999999999", "must end with a suffix")]
    [InlineData("9223372036854775807.000000001", "more than")]
    [InlineData("1e2147483647", "more than")]
    [InlineData("8Ei", "more than")]
    public void A_bad_quantity_is_told_why(string text, string fault) =>
        Assert.Contains(fault, Assert.Throws<ManifestException>(() => Quantity.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("1e-2147483648", "1e-9")]
    [InlineData("0e2147483647", "0")]
    [InlineData("0.00000000000000001", "1n")]
    [InlineData("0.9999999999", "1")]
    [InlineData("7Ei", "7Ei")]
    [InlineData("512Mi", "512Mi")]
    [InlineData("1023", "1023")]
    [InlineData("1.5Ki", "1536")]
    [InlineData("1e-1", "100e-3")]
    public void Quantities_are_exact_and_written_short(string text, string canonical) => Assert.Equal(canonical, Quantity.Parse(text).ToString());

    [Fact]
    public void Quantities_are_made_of_numbers()
    {
        Assert.Equal("1500m", Quantity.OfMilli(1500).ToString());
        Assert.Equal("2Gi", Quantity.OfBytes(2L << 30).ToString());
        Assert.Equal("2G", Quantity.Of(2_000_000_000).ToString());
        Assert.Equal(0.25m, Quantity.Parse("250m").Amount);
        Assert.Null(Quantity.Of(long.MaxValue).MilliValue);
        Assert.Throws<ManifestException>(() => Quantity.Parse(new string('1', 300)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Quantity.Of(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Quantity.OfMilli(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Quantity.OfBytes(-1));
    }

    [Fact]
    public void Uuids_are_read_made_and_never_nil()
    {
        Guid guid = Guid.Parse("8e1f3b52-7c4d-4a96-b0e3-5d2c9f1a646f");
        Assert.Equal(guid, Uuid.Of(guid).Value);
        Assert.Equal("8e1f3b52-7c4d-4a96-b0e3-5d2c9f1a646f", Uuid.Of(guid).ToString());
        Assert.Throws<ManifestException>(() => Uuid.Of(Guid.Empty));
        Assert.Throws<ManifestException>(() => Uuid.Parse("00000000-0000-0000-0000-000000000000"));
        Assert.False(Uuid.TryParse("0x1f3b52-7c4d-4a96-b0e3-5d2c9f1a646f", out _));
    }

    [Fact]
    public void Words_for_systems_are_translated_both_ways()
    {
        Assert.Equal(new OsArch("linux", "aarch64"), OsArch.FromGo("linux", "arm64"));
        Assert.Equal("linux/aarch64", OsArch.FromGo("linux", "arm64").ToString());
        Assert.True(new OsArch("linux", "armv7l").TryToGo(out string? os, out string? arch, out string? flavor));
        Assert.Equal(("linux", "arm", "7"), (os, arch, flavor));
        Assert.True(new OsArch("darwin", "x86_64").TryToGo(out _, out arch, out _));
        Assert.Equal("amd64", arch);
        Assert.False(new OsArch("linux", "armv7b").TryToGo(out _, out _, out _));
        Assert.Contains("windows/amd64", Assert.Throws<ManifestException>(() => OsArch.FromGo("windows", "amd64")).Message, StringComparison.Ordinal);
        Assert.True(OsArch.IsKnownOs("freebsd"));
        Assert.False(OsArch.IsKnownOs(null));
        Assert.False(OsArch.IsKnown("plan9", "amd64"));
        if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64)
        {
            Assert.Equal(new OsArch("linux", "amd64"), OsArch.Current);
        }
        else
        {
            Assert.True(OsArch.Current is null || OsArch.IsKnown(OsArch.Current.Os, OsArch.Current.Arch));
        }
    }

    [Fact]
    public void App_references_have_a_version()
    {
        AppReference reference = AppReference.Parse("example.com/app:1.2,os=linux");
        Assert.Equal(("example.com/app", "1.2"), (reference.Name.ToString(), reference.Version));
        Assert.Equal("example.com/app,version=1.2,os=linux", reference.ToString());
        Assert.Null(AppReference.Parse("a").Version);
        Assert.True(AppReference.TryParse("a", out _));
        Assert.False(AppReference.TryParse("A", out _));
    }
}
