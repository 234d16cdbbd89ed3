using System.Text;
using Appc.Manifests;
using CsCheck;

namespace Appc.Core.Tests.Manifests;

public sealed class ManifestPropertyTests
{
    [Fact]
    public void An_image_manifest_that_is_written_and_read_is_the_same() => ManifestGen.Image.Sample(
        manifest => Assert.Equal(manifest, ImageManifest.Parse(manifest.ToJsonBytes())), iter: 500);

    [Fact]
    public void A_pod_manifest_that_is_written_and_read_is_the_same() => ManifestGen.Pod.Sample(
        manifest => Assert.Equal(manifest, PodManifest.Parse(manifest.ToJsonBytes())), iter: 500);

    [Fact]
    public void Layout_does_not_change_what_a_manifest_says() => ManifestGen.Image.Sample(
        manifest =>
        {
            ImageManifest read = ImageManifest.Parse(manifest.ToJson(indented: true));
            Assert.Equal(manifest, read);
            Assert.Equal(manifest.GetHashCode(), read.GetHashCode());
            Assert.Equal(manifest.ToJson(), read.ToJson());
        },
        iter: 200);

    [Fact]
    public void Scalars_that_are_written_and_read_are_the_same()
    {
        ManifestGen.Name.Sample(value => Assert.Equal(value, AcName.Parse(value.ToString())));
        ManifestGen.Identifier.Sample(value => Assert.Equal(value, AcIdentifier.Parse(value.ToString())));
        ManifestGen.ImageId.Sample(value => Assert.Equal(value, ImageId.Parse(value.ToString())));
        ManifestGen.Uuid.Sample(value => Assert.Equal(value, Uuid.Parse(value.ToString())));
        ManifestGen.SemVer.Sample(value => Assert.Equal(value, SemVer.Parse(value.ToString())));
        ManifestGen.Quantity.Sample(value =>
        {
            Quantity read = Quantity.Parse(value.ToString());
            Assert.Equal(value, read);
            Assert.Equal(value.ToString(), read.ToString());
        });
        ManifestGen.SomeIsolator.Sample(value => Assert.Equal(value, Isolator.Create(value.Name, value.ValueJson)));
        Gen.DateTimeOffset.Sample(moment => Assert.Equal(moment.UtcTicks / TimeSpan.TicksPerSecond, Timestamp.Of(moment).Utc?.UtcTicks / TimeSpan.TicksPerSecond));
    }

    [Fact]
    public void Orders_are_total()
    {
        TotalOrder(ManifestGen.Name);
        TotalOrder(ManifestGen.Identifier);
        TotalOrder(ManifestGen.ImageId);
        TotalOrder(ManifestGen.Uuid);
        TotalOrder(ManifestGen.SemVer);
        TotalOrder(ManifestGen.Quantity);
    }

    [Fact]
    public void Precedence_of_versions_is_a_weak_order_that_the_total_one_refines() => Gen.Select(ManifestGen.SemVer, ManifestGen.SemVer, ManifestGen.SemVer).Sample((a, b, c) =>
    {
        Assert.Equal(Math.Sign(a.ComparePrecedence(b)), -Math.Sign(b.ComparePrecedence(a)));
        Assert.True(!(a.ComparePrecedence(b) <= 0 && b.ComparePrecedence(c) <= 0) || a.ComparePrecedence(c) <= 0);
        Assert.True(a.ComparePrecedence(b) == 0 || Math.Sign(a.ComparePrecedence(b)) == Math.Sign(a.CompareTo(b)));
    });

    [Fact]
    public void Rounding_up_loses_less_than_a_unit() => ManifestGen.Quantity.Sample(quantity =>
    {
        Assert.InRange(quantity.Value - quantity.Amount, 0m, 0.999999999m);
        if (quantity.MilliValue is { } milli)
        {
            Assert.InRange(milli - (quantity.Amount * 1000), 0m, 0.999999m);
        }
    });

    [Fact]
    public void Sanitized_text_is_valid_or_refused() => ManifestGen.Text.Sample(text =>
    {
        bool anything = text.Any(char.IsAsciiLetterOrDigit);
        Assert.Equal(anything, Record.Exception(() => AcName.Sanitize(text)) is null);
        Assert.Equal(anything, Record.Exception(() => AcIdentifier.Sanitize(text)) is null);
    });

    [Fact]
    public void Volumes_read_back_from_their_text() => ManifestGen.Volume.Where(volume => volume.Source?.Contains(',', StringComparison.Ordinal) != true).Sample(
        volume => Assert.Equal(volume with { UnknownMembers = [] }, Volume.Parse(volume.ToString())));

    [Fact]
    public void No_text_makes_a_scalar_throw_anything_but_its_own_exception() => ManifestGen.Text.Sample(text =>
    {
        OnlyManifestException(() => AcName.Parse(text));
        OnlyManifestException(() => AcIdentifier.Parse(text));
        OnlyManifestException(() => AcKind.Parse(text));
        OnlyManifestException(() => ImageId.Parse(text));
        OnlyManifestException(() => Uuid.Parse(text));
        OnlyManifestException(() => SemVer.Parse(text));
        OnlyManifestException(() => Timestamp.Parse(text));
        OnlyManifestException(() => Quantity.Parse(text));
        OnlyManifestException(() => AppReference.Parse(text));
        OnlyManifestException(() => Volume.Parse(text));
        OnlyManifestException(() => Mount.Parse(text));
        OnlyManifestException(() => MountPoint.Parse(text));
        OnlyManifestException(() => Port.Parse(text));
        OnlyManifestException(() => Isolator.Create(text, text));
    });

    [Fact]
    public void No_bytes_make_validation_throw() => Gen.Select(ManifestGen.Image, Gen.Int[0, int.MaxValue], Gen.Byte.Array[0, 6], Gen.Int[0, 6]).Sample(
        (manifest, place, bytes, removed) =>
        {
            byte[] document = manifest.ToJsonBytes();
            int start = place % document.Length;
            int end = Math.Min(start + removed, document.Length);
            byte[] damaged = [.. document[..start], .. bytes, .. document[end..]];
            ManifestReport report = Manifest.Validate(damaged);
            Assert.Equal(report.IsValid, report.Image is not null || report.Pod is not null);
            if (report.IsValid)
            {
                Assert.True(Manifest.Validate(report.ToJson()).IsValid);
            }
            else
            {
                Assert.All(report.Findings, finding => Assert.DoesNotContain(finding.ToString(), character => char.IsControl(character)));
            }
        },
        iter: 2000);

    [Fact]
    public void Compact_and_indented_text_hold_the_same_tokens() => ManifestGen.Pod.Sample(manifest =>
    {
        string compact = manifest.ToJson();
        string indented = manifest.ToJson(indented: true);
        Assert.Equal(Encoding.UTF8.GetString(manifest.ToJsonBytes()), compact);
        Assert.Equal(PodManifest.Parse(compact), PodManifest.Parse(indented));
    },
    iter: 100);

    private static void TotalOrder<T>(Gen<T> gen)
        where T : class, IComparable<T>, IEquatable<T> => Gen.Select(gen, gen, gen).Sample((a, b, c) =>
        {
            Assert.Equal(Math.Sign(a.CompareTo(b)), -Math.Sign(b.CompareTo(a)));
            Assert.Equal(a.CompareTo(b) == 0, a.Equals(b));
            Assert.True(!a.Equals(b) || a.GetHashCode() == b.GetHashCode());
            Assert.True(a.CompareTo(b) > 0 || b.CompareTo(c) > 0 || a.CompareTo(c) <= 0);
            Assert.True(a.CompareTo(null) > 0);
            Assert.False(a.Equals(null));
        });

    private static void OnlyManifestException(Action action)
    {
        if (Record.Exception(action) is { } exception)
        {
            Assert.IsType<ManifestException>(exception);
            Assert.DoesNotContain(exception.Message, character => char.IsControl(character));
        }
    }
}
