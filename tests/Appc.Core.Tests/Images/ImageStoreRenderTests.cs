using Appc.Images;
using Appc.Images.Verification;
using Appc.Linux;

namespace Appc.Core.Tests.Images;

public sealed class ImageStoreRenderTests : IDisposable
{
    private readonly ImageFixture _fixture = new();

    private string Target => Path.Combine(_fixture.Scratch, "target");

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task A_tree_that_leaves_the_store_is_a_faithful_copy()
    {
        StoredImage image = await ImportAsync("example.com/rich", RichTree.Fill, options: "--format=posix --sparse --xattrs --xattrs-include=*");

        await _fixture.Store.ExtractAsync(image.Id, Target);

        Assert.Equal(ImageFixture.Describe(image.TreePath!), ImageFixture.Describe(Target));
        Assert.Equal(
            ImageFixture.Shell($"cd '{image.TreePath}' && stat -c %b holes && find . -links +1 -type f -printf '%i\\n' | sort -u | wc -l"),
            ImageFixture.Shell($"cd '{Target}' && stat -c %b holes && find . -links +1 -type f -printf '%i\\n' | sort -u | wc -l"));
        Assert.Equal("", ImageFixture.Shell($"comm -12 <(find '{Target}' -printf '%i\\n' | sort) <(find '{image.TreePath}' -printf '%i\\n' | sort)"));
        ImageFixture.Shell($"echo changed > '{Target}/etc/hello' && rm -r '{Target}/usr'");
        Assert.True((await _fixture.Store.VerifyAsync(image.Id, new ImageVerifyOptions { Trust = Trust.TrustPolicy.Insecure })).IsGood);
        Assert.Equal(["target"], Directory.GetFileSystemEntries(_fixture.Scratch, "*target*").Select(Path.GetFileName));
    }

    [Fact]
    public async Task Render_gives_image_and_dependencies_and_extract_the_image_alone()
    {
        await ImportAsync("example.com/base", root => ImageFixture.Shell($"cd '{root}' && mkdir d && echo 1 > d/one && echo 2 > two && ln two d/two-too && chmod 0750 d"));
        StoredImage middle = await ImportAsync(
            "example.com/middle",
            root => ImageFixture.Shell($"cd '{root}' && echo 3 > three"),
            """ "dependencies":[{"imageName":"example.com/base"}],"pathWhitelist":["/d","/d/one","/two","/d/two-too"] """);
        StoredImage top = await ImportAsync(
            "example.com/top", root => ImageFixture.Shell($"cd '{root}' && echo 4 > four"), """ "dependencies":[{"imageName":"example.com/middle"}] """);

        await _fixture.Store.RenderAsync(top.Id, Target);

        Assert.Equal("./d/one ./d/two-too ./four ./two", ImageFixture.Shell($"cd '{Target}' && find . -type f | sort | xargs").Trim());
        Assert.Equal("750", ImageFixture.Shell($"stat -c %a '{Target}/d'").Trim());
        Assert.Equal(Digest(Assert.Single(await _fixture.Store.GetLayersAsync(top.Id))), Digest(Target));
        Assert.Equal(ImageFixture.Shell($"stat -c %i '{Target}/two'"), ImageFixture.Shell($"stat -c %i '{Target}/d/two-too'"));

        string own = Directory.CreateDirectory(Path.Combine(_fixture.Scratch, "own")).FullName;
        await _fixture.Store.ExtractAsync(middle.Id, own);
        Assert.Equal(["three"], Directory.GetFileSystemEntries(own).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Nothing_is_overwritten_and_nothing_half_done_stays()
    {
        StoredImage image = await ImportAsync("example.com/app", root => File.WriteAllText(Path.Combine(root, "f"), "1"));
        StoredImage lost = await ImportAsync("example.com/lost", _ => { }, """ "dependencies":[{"imageName":"example.com/nowhere"}] """);
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "mine"), "x");

        ImageException e = await Assert.ThrowsAsync<ImageException>(() => _fixture.Store.RenderAsync(image.Id, Target));
        Assert.Contains(Target, e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ImageException>(() => _fixture.Store.ExtractAsync(image.Id, Path.Combine(_fixture.Scratch, "no", "where")));
        Assert.Equal(ImageFailure.Storage, e.Failure);
        e = await Assert.ThrowsAsync<ImageException>(() => _fixture.Store.RenderAsync(lost.Id, Path.Combine(_fixture.Scratch, "lost")));
        Assert.Equal(ImageFailure.NotFound, e.Failure);
        using CancellationTokenSource cancelled = new();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _fixture.Store.ExtractAsync(image.Id, Path.Combine(_fixture.Scratch, "cancelled"), cancelled.Token));

        Assert.Equal(["mine"], Directory.GetFileSystemEntries(Target).Select(Path.GetFileName));
        Assert.Equal(["root", "target"], Directory.GetDirectories(_fixture.Scratch).Select(Path.GetFileName).Where(n => n!.Length < 32).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(_fixture.Scratch, ".*"));
    }

    private static string Digest(string tree)
    {
        using Fd root = Fd.OpenDirectory(tree);
        using TreeDigester digester = new(default);
        return digester.Compute(root);
    }

    private Task<StoredImage> ImportAsync(string name, Action<string> fill, string extra = "", string options = "--format=gnu") =>
        _fixture.Store.ImportAsync(_fixture.Pack(name, fill, extra, options), ImageFixture.Insecure());
}
