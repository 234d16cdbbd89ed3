using Appc.Fetching;
using Appc.Images;
using Appc.Trust;
using static Appc.Core.Tests.Fetching.TestImage;

namespace Appc.Core.Tests.Fetching;

public sealed class DependencyTests
{
    [Fact]
    public async Task Dependencies_of_dependencies_are_fetched_each_once()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage libc = scene.Offer(Make("example.com/libc"));
        TestImage ssl = scene.Offer(Make("example.com/ssl", needs: new Need("example.com/libc")));
        TestImage shell = scene.Offer(Make("example.com/shell", needs: [new Need("example.com/libc", libc.Id, libc.Archive.Length)]));
        TestImage app = scene.Offer(Make("example.com/app", needs: [new Need("example.com/ssl"), new Need("example.com/shell")]));
        ImageFetcher fetcher = scene.Fetcher();

        FetchResult result = await fetcher.FetchAsync("example.com/app", FetchScene.Options());

        Assert.Equal(app.Id, result.Image.Id);
        Assert.Equal(new[] { libc.Id, ssl.Id, shell.Id }.Order(), result.Dependencies.Select(d => d.Image.Id).Order());
        Assert.Equal(4, scene.Server.Urls.Count(u => u.EndsWith(".aci", StringComparison.Ordinal)));
        Assert.Equal(4, (await scene.Store.GetLayersAsync(app.Id)).Count);

        FetchResult again = await fetcher.FetchAsync("example.com/app", FetchScene.Options(PullPolicy.Never));
        Assert.Equal(3, again.Dependencies.Count);
        Assert.All(again.Dependencies, d => Assert.Equal(FetchOrigin.Store, d.Origin));
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Dependencies_can_be_left_out()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(Make("example.com/app", needs: new Need("example.com/missing")));
        FetchOptions options = FetchScene.Options();
        options.Dependencies = false;

        Assert.Empty((await scene.Fetcher().FetchAsync("example.com/app", options)).Dependencies);
    }

    [Fact]
    public async Task Missing_dependency_fails_the_fetch_and_is_named()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(Make("example.com/app", needs: new Need("example.com/missing")));

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/app", FetchScene.Options()));

        Assert.Contains("example.com/missing", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dependency_is_checked_under_its_own_name()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage libc = scene.Offer(Make("example.com/libc"));
        TestImage app = scene.Offer(Make("example.com/app", needs: new Need("example.com/libc")));
        scene.Server.File(FetchScene.Url(libc) + ".asc", HashVerifier.Sign(libc.Archive, "example.com/app"));
        scene.Server.File(FetchScene.Url(app) + ".asc", HashVerifier.Sign(app.Archive, "example.com/app"));

        TrustException e = await Assert.ThrowsAsync<TrustException>(() => scene.Fetcher().FetchAsync("example.com/app", FetchScene.Options()));

        Assert.Equal(TrustFailure.WrongPrefix, e.Failure);
        Assert.Equal(0, scene.Downloads(libc));
    }

    [Fact]
    public async Task Id_and_size_that_a_manifest_gives_must_fit()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage libc = scene.Offer(Make("example.com/libc"));
        scene.Offer(Make("example.com/pinned", needs: new Need("example.com/libc", Make("example.com/libc").Id)));
        scene.Offer(Make("example.com/sized", needs: new Need("example.com/libc", Size: libc.Archive.Length - 1)));

        ImageException id = await Assert.ThrowsAsync<ImageException>(() => scene.Fetcher().FetchAsync("example.com/pinned", FetchScene.Options()));
        Assert.Equal(ImageFailure.HashMismatch, id.Failure);
        FetchException size = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync("example.com/sized", FetchScene.Options()));
        Assert.Equal(FetchFailure.BadResponse, size.Failure);
        Assert.Empty(scene.Leftovers);
    }

    [Fact]
    public async Task Circle_is_reported_and_not_walked_for_ever()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(Make("example.com/a", needs: new Need("example.com/b")));
        scene.Offer(Make("example.com/b", needs: new Need("example.com/c")));
        scene.Offer(Make("example.com/c", needs: new Need("example.com/b")));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync("example.com/a", FetchScene.Options()));

        Assert.Equal(FetchFailure.BadDependencies, e.Failure);
        Assert.Contains("example.com/b -> example.com/c -> example.com/b", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Image_that_needs_itself_is_a_circle()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(Make("example.com/a", needs: new Need("example.com/a")));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync("example.com/a", FetchScene.Options()));

        Assert.Contains("example.com/a -> example.com/a", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ladder_of_images_is_walked_once_a_rung()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();

        // Every rung has two images that both need both of the next one: 2^12 ways down.
        for (int rung = 0; rung <= 12; rung++)
        {
            foreach (string side in new[] { "l", "r" })
            {
                scene.Offer(Make($"example.com/{side}{rung}", payload: 10, needs: rung == 12 ? [] : [new Need($"example.com/l{rung + 1}"), new Need($"example.com/r{rung + 1}")]));
            }
        }

        FetchResult result = await scene.Fetcher().FetchAsync("example.com/l0", FetchScene.Options());

        Assert.Equal(24, result.Dependencies.Count);
        Assert.Equal(25, scene.Server.Urls.Count(u => u.EndsWith(".aci", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Too_many_dependencies_are_refused_before_they_are_fetched()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        scene.Offer(Make("example.com/a", needs: [.. Enumerable.Range(0, 129).Select(i => new Need($"example.com/n{i}"))]));

        FetchException e = await Assert.ThrowsAsync<FetchException>(() => scene.Fetcher().FetchAsync("example.com/a", FetchScene.Options()));

        Assert.Equal(FetchFailure.BadDependencies, e.Failure);
        Assert.Contains("more than 128 images", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(scene.Server.Urls, u => u.Contains("/n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Platform_of_a_dependency_is_that_of_the_image_that_needs_it_or_none()
    {
        await using FetchScene scene = await FetchScene.CreateAsync();
        TestImage data = scene.Offer(Make("example.com/data", "version=1"), arch: "aarch64");
        TestImage libc = scene.Offer(Make("example.com/libc", "version=1,os=linux,arch=aarch64"), arch: "aarch64");
        scene.Offer(Make("example.com/app", "version=1,os=linux,arch=aarch64", needs: [new Need("example.com/libc"), new Need("example.com/data")]), arch: "aarch64");

        FetchResult result = await scene.Fetcher().FetchAsync("example.com/app,arch=aarch64", FetchScene.Options());

        Assert.Equal(new[] { data.Id, libc.Id }.Order(), result.Dependencies.Select(d => d.Image.Id).Order());
    }
}
