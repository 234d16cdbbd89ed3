using System.Text;
using Appc.Images;
using Appc.Manifests;
using Appc.Trust;

namespace Appc.Core.Tests.Images;

public class ImageStoreVerifyTests
{
    private static readonly ImageVerifyOptions Bytes = new() { Trust = TrustPolicy.Insecure };

    /// <summary>Commands that change one thing below an image's directory (or as said), and what the finding must name.</summary>
    public static TheoryData<string, string, ImagePart> Changes => new()
    {
        { "printf X | dd of=image.aci conv=notrunc bs=1 seek=300 status=none", "", ImagePart.Archive },
        { "truncate -s -1 image.aci", "", ImagePart.Archive },
        { "truncate -s 0 image.aci", "", ImagePart.Archive },
        { "rm image.aci", "missing", ImagePart.Archive },
        { "rm image.aci; mkdir image.aci", "", ImagePart.Archive },
        { "printf ' ' >> manifest", "manifest in the archive", ImagePart.Manifest },
        { "rm manifest", "missing", ImagePart.Manifest },
        { "printf '{' > provenance.json", "", ImagePart.Provenance },
        { "rm provenance.json", "missing", ImagePart.Provenance },
        { "rm -r rootfs", "missing", ImagePart.Tree },
        { "printf 'Hello\\n' > rootfs/etc/hello; touch -d '2001-02-03 04:05:06.123456789' rootfs/etc/hello", "byte 0", ImagePart.Tree },
        { "printf X | dd of=rootfs/usr/bin/large conv=notrunc bs=1 seek=699999 status=none; touch -d '2001-02-03 04:05:06.123456789' rootfs/usr/bin/large", "byte 699999", ImagePart.Tree },
        { "printf x >> rootfs/etc/nothing", "bytes long", ImagePart.Tree },
        { "printf X | dd of=rootfs/holes conv=notrunc bs=1 seek=500000 status=none", "byte 500000", ImagePart.Tree },
        { "printf X | dd of=rootfs/holes conv=notrunc bs=1 seek=1000000 status=none", "byte 1000000", ImagePart.Tree },
        { "printf X | dd of=rootfs/holes conv=notrunc bs=1 seek=2999999 status=none", "byte 2999999", ImagePart.Tree },
        { "chmod 0755 rootfs/usr/bin/su", "mode 0755 instead of 6755", ImagePart.Tree },
        { "chmod 0700 rootfs/tmp", "mode 0700 instead of 1777", ImagePart.Tree },
        { "chown 1:4321 rootfs/usr/bin/su; chmod 6755 rootfs/usr/bin/su", "belongs to 1:4321 instead of 1234:4321", ImagePart.Tree },
        { "chown -h 7:7 rootfs/absolute", "belongs to 7:7", ImagePart.Tree },
        { "touch rootfs/etc/hello", "modification time", ImagePart.Tree },
        { "touch -h rootfs/absolute", "modification time", ImagePart.Tree },
        { "touch rootfs/tmp", "modification time", ImagePart.Tree },
        { "setfattr -x user.note rootfs/etc/hello", "lacks the extended attribute user.note", ImagePart.Tree },
        { "setfattr -n user.note -v other rootfs/etc/hello", "another value", ImagePart.Tree },
        { "setfattr -n user.new -v x rootfs/etc/hello", "user.new, which is not in the archive", ImagePart.Tree },
        { "setfattr -n trusted.new -v x rootfs/etc", "trusted.new, which is not", ImagePart.Tree },
        { "setfattr -h -n trusted.new -v x rootfs/absolute", "trusted.new, which is not", ImagePart.Tree },
        { "setfattr -x security.capability rootfs/usr/bin/large", "lacks the extended attribute security.capability", ImagePart.Tree },
        { "setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 rootfs/usr/bin/large", "another value", ImagePart.Tree },
        { "cp -a rootfs/etc/hello rootfs/etc/copy && mv rootfs/etc/copy rootfs/etc/hello-too", "hard link", ImagePart.Tree },
        { "rm rootfs/usr/bin/block && ln rootfs/etc/hello rootfs/usr/bin/block", "a file of its own", ImagePart.Tree },
        { "t=$(stat -c %y rootfs/absolute); ln -sfn /etc/shadow rootfs/absolute; touch -h -d \"$t\" rootfs/absolute", "leads to '/etc/shadow'", ImagePart.Tree },
        { "rm rootfs/null && mknod rootfs/null c 1 5", "is device 1:5; in the archive 1:3", ImagePart.Tree },
        { "rm rootfs/null && mknod rootfs/null b 1 3", "is a block device", ImagePart.Tree },
        { "rm rootfs/pipe && touch rootfs/pipe", "is a file; in the archive it is a pipe", ImagePart.Tree },
        { "rm rootfs/etc/hello && mkfifo rootfs/etc/hello", "is a pipe", ImagePart.Tree },
        { "rm -r rootfs/empty", "missing", ImagePart.Tree },
        { "rm rootfs/$'odd-\\xff\\xfe-\\n-name'", "missing", ImagePart.Tree },
        { "mv rootfs/usr rootfs/usr2 && ln -s usr2 rootfs/usr", "a symbolic link", ImagePart.Tree },
        { "t=$(stat -c %y rootfs/empty); touch rootfs/empty/new; touch -d \"$t\" rootfs/empty", "not in the archive", ImagePart.Tree },
        { "t=$(stat -c %y rootfs/empty); mkdir -p rootfs/empty/new/deep; touch -d \"$t\" rootfs/empty", "not in the archive", ImagePart.Tree },
        { "chmod 0700 rootfs", "mode 0700", ImagePart.Tree },
        { "printf 'a\\0' > implied", "implied", ImagePart.Tree },
        { "printf 'a' > implied", "implied", ImagePart.Tree },
    };

    [Fact]
    public async Task A_rich_image_is_whole_and_stays_so()
    {
        using ImageFixture fixture = new();
        foreach (string options in (string[])["--format=gnu --sparse", "--format=posix --sparse --xattrs --xattrs-include=*"])
        {
            StoredImage image = await fixture.Store.ImportAsync(
                fixture.Pack("example.com/rich", RichTree.Fill, manifestExtra: $"\"annotations\":[{{\"name\":\"n\",\"value\":\"{options.Length}\"}}]", tarOptions: options), ImageFixture.Insecure());
            List<ImageVerifyProgress> told = [];

            ImageVerification found = Assert.Single((await fixture.Store.VerifyAsync(image.Id, Bytes, new Listener(told))).Images);

            Assert.True(found.IsGood, Show(found));
            Assert.Equal(image.Id, found.Id);
            Assert.Equal("example.com/rich", found.Manifest!.Name.ToString());
            Assert.Equal(int.Parse(ImageFixture.Shell($"find '{image.TreePath}' -printf x | wc -c"), System.Globalization.CultureInfo.InvariantCulture), found.TreeFiles);
            Assert.Equal(await fixture.Store.GetTreeDigestAsync(image.Id), found.TreeDigest);
            Assert.Contains(told, p => p.Image == image.Id && p.Bytes == p.TotalBytes && p is { Number: 1, Count: 1 });
        }

        Assert.True((await fixture.Store.VerifyAllAsync(Bytes)).IsGood);
        Assert.Empty(fixture.Leftovers());
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_is_found(string command, string named, ImagePart part)
    {
        using ImageFixture fixture = new();
        StoredImage image = await fixture.Store.ImportAsync(
            fixture.Pack("example.com/rich", RichTree.Fill, tarOptions: "--format=posix --sparse --xattrs --xattrs-include=*"), ImageFixture.Insecure());
        string before = await fixture.Store.GetTreeDigestAsync(image.Id);

        ImageFixture.Shell($"cd '{Path.GetDirectoryName(image.ArchivePath)}' && {command}");
        ImageVerification found = Assert.Single((await fixture.Store.VerifyAsync(image.Id, Bytes)).Images);

        Assert.Contains(found.Findings, f => f.Part == part && f.Message.Contains(named, StringComparison.Ordinal));
        Assert.All(found.Findings, f => Assert.Equal(image.Id, f.Image));
        Assert.DoesNotContain(found.Findings, f => f.Message.Any(char.IsControl) || (f.Path?.Any(char.IsControl) ?? false));
        if (part == ImagePart.Tree && !command.Contains("implied", StringComparison.Ordinal) && found.TreeDigest is not null)
        {
            Assert.NotEqual(before, found.TreeDigest);
        }
        else if (found.TreeDigest is not null)
        {
            Assert.Equal(before, found.TreeDigest);
        }

        Assert.Empty(fixture.Leftovers());
    }

    [Fact]
    public async Task Many_changes_are_counted_beyond_the_first_hundred()
    {
        using ImageFixture fixture = new();
        StoredImage image = await fixture.Store.ImportAsync(
            fixture.Pack("example.com/many", root => ImageFixture.Shell($"cd '{root}' && touch $(seq 1 300)")), ImageFixture.Insecure());

        ImageFixture.Shell($"rm '{image.TreePath}'/*");
        ImageVerification found = Assert.Single((await fixture.Store.VerifyAsync(image.Id, Bytes)).Images);

        Assert.Equal(100, found.Findings.Count);
        Assert.True(found.FindingsOmitted >= 200);
    }

    [Fact]
    public async Task Directories_without_an_entry_are_checked_too()
    {
        using ImageFixture fixture = new();
        string layout = fixture.NewDirectory();
        File.WriteAllText(Path.Combine(layout, "manifest"), ImageFixture.Manifest("example.com/implied"));
        ImageFixture.Shell($"cd '{layout}' && mkdir -p rootfs/a/b && echo x > rootfs/a/b/f");
        string archive = Path.Combine(fixture.Scratch, "implied.aci");
        ImageFixture.Shell($"tar -C '{layout}' --no-recursion -cf '{archive}' manifest rootfs rootfs/a/b/f");
        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());
        Assert.True((await fixture.Store.VerifyAsync(image.Id, Bytes)).IsGood);

        foreach (string command in (string[])["chmod 0700 rootfs/a", "chmod 0755 rootfs/a; chown 5 rootfs/a/b", "chown 0 rootfs/a/b; rm implied"])
        {
            ImageFixture.Shell($"cd '{Path.GetDirectoryName(image.ArchivePath)}' && {command}");
            ImageFinding finding = Assert.Single((await fixture.Store.VerifyAsync(image.Id, Bytes)).Findings);
            Assert.Equal(ImagePart.Tree, finding.Part);
        }
    }

    [Fact]
    public async Task The_signature_is_checked_again_and_what_is_wrong_with_it_is_a_finding()
    {
        StubVerifier verifier = new();
        using ImageFixture fixture = new(verifier);
        string archive = fixture.Pack("example.com/app", _ => { });
        StubVerifier.Sign(archive, "example.com");
        StoredImage image = await fixture.Store.ImportAsync(archive);
        string signature = image.ArchivePath + ".asc";

        ImageVerification found = Assert.Single((await fixture.Store.VerifyAsync(image.Id)).Images);
        Assert.True(found.IsGood, Show(found));
        Assert.Equal("ab12", found.Signer!.Fingerprint);
        Assert.Equal(2, verifier.Checks);

        File.WriteAllText(signature, File.ReadAllText(signature).Replace("example.com", "example.org", StringComparison.Ordinal));
        ImageFinding finding = Assert.Single((await fixture.Store.VerifyAsync(image.Id)).Findings);
        Assert.Equal(ImagePart.Signature, finding.Part);
        Assert.Contains("example.com/app", finding.Message, StringComparison.Ordinal);

        File.WriteAllText(signature, "00 example.com");
        Assert.Equal(ImagePart.Signature, Assert.Single((await fixture.Store.VerifyAsync(image.Id)).Findings).Part);
        Assert.True((await fixture.Store.VerifyAsync(image.Id, Bytes)).IsGood);

        File.Delete(signature);
        finding = Assert.Single((await fixture.Store.VerifyAsync(image.Id, Bytes)).Findings);
        Assert.Equal(ImagePart.Signature, finding.Part);
        Assert.Contains("missing", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_was_never_checked_is_whole_but_not_signed()
    {
        using ImageFixture fixture = new(new StubVerifier());
        StoredImage image = await fixture.Store.ImportAsync(fixture.Pack("example.com/app", _ => { }), ImageFixture.Insecure());

        Assert.True((await fixture.Store.VerifyAsync(image.Id, Bytes)).IsGood);
        Assert.Equal(ImagePart.Signature, Assert.Single((await fixture.Store.VerifyAsync(image.Id)).Findings).Part);
    }

    [Fact]
    public async Task Rendered_trees_are_held_against_the_images_they_were_made_of()
    {
        using ImageFixture fixture = new();
        StoredImage @base = await fixture.Store.ImportAsync(
            fixture.Pack("example.com/base", root => ImageFixture.Shell($"cd '{root}' && mkdir d && echo 1 > d/one && echo 2 > two && ln -s two link")), ImageFixture.Insecure());
        StoredImage top = await fixture.Store.ImportAsync(
            fixture.Pack("example.com/top", root => File.WriteAllText(Path.Combine(root, "three"), "3"), """ "dependencies":[{"imageName":"example.com/base"}],"pathWhitelist":["/d/one","/three","/link"] """),
            ImageFixture.Insecure());
        string rendered = Assert.Single(await fixture.Store.GetLayersAsync(top.Id));
        ImageVerificationReport report = await fixture.Store.VerifyAsync(top.Id, Bytes);
        Assert.Equal([top.Id, @base.Id], report.Images.Select(i => i.Id));
        Assert.True(report.IsGood, string.Join('\n', report.Images.Select(Show)));
        Assert.Empty(report.Images[0].Unchecked);

        (string Command, string Undo, string Named)[] changes =
        [
            ("chmod 0700 d", "chmod 0755 d", "/d"),
            ("cp -p d/one d/new && echo X > d/new && touch -r d/one d/new && mv d/new d/one", $"rm d/one && ln '{@base.TreePath}/d/one' d/one", "/d/one"),
            ("touch added", "rm added", "/added"),
            ("rm three", $"ln '{top.TreePath}/three' three", "/three"),
            ("rm link && ln -s other link", $"rm link && ln '{@base.TreePath}/link' link", "/link"),
        ];
        foreach ((string command, string undo, string named) in changes)
        {
            ImageFixture.Shell($"cd '{rendered}' && t=$(stat -c %y .) u=$(stat -c %y d) && {command} && touch -d \"$u\" d && touch -d \"$t\" .");
            ImageVerificationReport changed = await fixture.Store.VerifyAsync(top.Id, Bytes);
            Assert.NotEmpty(changed.Findings);
            Assert.All(changed.Findings, f => Assert.Equal((ImagePart.Rendered, true), (f.Part, f.Path!.EndsWith(named, StringComparison.Ordinal))));
            ImageFixture.Shell($"cd '{rendered}' && t=$(stat -c %y .) u=$(stat -c %y d); touch -d '2020-01-01' x; rm x; {undo} && touch -d \"$u\" d");
            ImageFixture.Shell($"touch -r '{top.TreePath}' '{rendered}'");
        }

        // A copy with the same bytes is as good as the link.
        ImageFixture.Shell($"cd '{rendered}' && t=$(stat -c %y d) && cp -p d/one d/new && mv d/new d/one && touch -d \"$t\" d");
        Assert.True((await fixture.Store.VerifyAsync(top.Id, Bytes)).IsGood);

        // Another base counts now; the tree that was made of the first one is still checked against that one.
        await fixture.Store.ImportAsync(
            fixture.Pack("example.com/base", root => File.WriteAllText(Path.Combine(root, "four"), "4"), """ "labels":[{"name":"version","value":"2.0.0"}] """), ImageFixture.Insecure());
        Assert.NotEqual(rendered, Assert.Single(await fixture.Store.GetLayersAsync(top.Id)));
        ImageFixture.Shell($"chmod 0700 '{rendered}/d'");
        Assert.Equal(ImagePart.Rendered, Assert.Single((await fixture.Store.VerifyAsync(top.Id, Bytes)).Findings).Part);

        await fixture.Store.RemoveAsync(@base.Id);
        report = await fixture.Store.VerifyAsync(top.Id, Bytes);
        Assert.True(report.IsGood);
        Assert.Equal("rendered/" + Path.GetFileName(rendered), Assert.Single(report.Images[0].Unchecked));
    }

    [Fact]
    public async Task What_a_later_version_may_have_added_is_named_and_left_alone()
    {
        using ImageFixture fixture = new();
        StoredImage image = await fixture.Store.ImportAsync(fixture.Pack("example.com/app", _ => { }), ImageFixture.Insecure());
        string directory = Path.GetDirectoryName(image.ArchivePath)!;
        File.WriteAllText(Path.Combine(directory, "later"), "x");
        File.WriteAllText(Path.Combine(fixture.Root, "later"), "x");
        Directory.CreateDirectory(Path.Combine(fixture.Root, "images", "later"));

        ImageVerification found = Assert.Single((await fixture.Store.VerifyAllAsync(Bytes)).Images);
        await fixture.Store.ImportAsync(fixture.Pack("example.com/other", _ => { }), ImageFixture.Insecure());
        await fixture.Store.CollectLeftoversAsync();

        Assert.True(found.IsGood, Show(found));
        Assert.Equal(["later"], found.UnknownFiles);
        Assert.Equal(image.Id, (await fixture.Store.ResolveAsync("example.com/app")).Id);
        Assert.Equal("x", File.ReadAllText(Path.Combine(directory, "later")));
        Assert.Equal("x", File.ReadAllText(Path.Combine(fixture.Root, "later")));
        Assert.True(Directory.Exists(Path.Combine(fixture.Root, "images", "later")));
    }

    [Fact]
    public async Task Verification_can_be_cancelled_and_needs_no_more_than_the_shared_lock()
    {
        using ImageFixture fixture = new();
        StoredImage image = await fixture.Store.ImportAsync(
            fixture.Pack("example.com/app", root => ImageFixture.Shell($"head -c 9000000 /dev/urandom > '{root}/data'"), compress: "cat"), ImageFixture.Insecure());
        using IDisposable held = await fixture.Store.HoldAsync(image.Id);

        Assert.True((await fixture.Store.VerifyAsync(image.Id, Bytes)).IsGood);

        using CancellationTokenSource cancellation = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => fixture.Store.VerifyAsync(image.Id, Bytes, new Listener([], cancellation.Cancel), cancellation.Token));
        ImageException e = await Assert.ThrowsAsync<ImageException>(() => fixture.Store.VerifyAsync(ImageId.Parse("sha512-" + new string('0', 128)), Bytes));
        Assert.Equal(ImageFailure.NotFound, e.Failure);
    }

    [Fact]
    public async Task Trees_of_two_stores_have_the_same_digest()
    {
        using ImageFixture fixture = new();
        string archive = fixture.Pack("example.com/rich", RichTree.Fill, tarOptions: "--format=posix --xattrs --xattrs-include=*");
        StoredImage image = await fixture.Store.ImportAsync(archive, ImageFixture.Insecure());
        ImageStore other = new(Path.Combine(fixture.Scratch, "other"));
        await other.ImportAsync(archive, ImageFixture.Insecure());

        Assert.Equal(await fixture.Store.GetTreeDigestAsync(image.Id), await other.GetTreeDigestAsync(image.Id));
    }

    private static string Show(ImageVerification found) =>
        string.Join('\n', found.Findings.Select(f => new StringBuilder().Append(f.Part).Append(' ').Append(f.Path).Append(' ').Append(f.Message)));

    private sealed class Listener(List<ImageVerifyProgress> told, Action? then = null) : IProgress<ImageVerifyProgress>
    {
        public void Report(ImageVerifyProgress value)
        {
            lock (told)
            {
                told.Add(value);
            }

            then?.Invoke();
        }
    }
}
