using Appc.Fetching;
using Microsoft.Extensions.Time.Testing;

namespace Appc.Core.Tests.Fetching;

public sealed class SpeedLimitTests
{
    private static readonly Uri Url = new("https://example.com/x.aci");
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Transfer_that_trickles_is_ended()
    {
        SpeedLimit limit = Limit(256);
        for (int second = 1; second < 60; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            limit.Check(Url, 1);
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        FetchException e = Assert.Throws<FetchException>(() => limit.Check(Url, 1));

        Assert.Equal(FetchFailure.Network, e.Failure);
        Assert.Contains("sent 60 bytes in 60 s, fewer than 256 a second", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_period_must_bring_its_share()
    {
        SpeedLimit limit = Limit(256);
        limit.Check(Url, 1_000_000);
        _time.Advance(TimeSpan.FromSeconds(60));
        limit.Check(Url, 1);
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.Throws<FetchException>(() => limit.Check(Url, 1));
    }

    [Fact]
    public void Limit_can_be_lifted()
    {
        SpeedLimit limit = Limit(0);
        _time.Advance(TimeSpan.FromHours(1));
        limit.Check(Url, 1);
        Assert.Throws<FetchException>(() =>
        {
            SpeedLimit other = Limit(1);
            _time.Advance(TimeSpan.FromHours(1));
            other.Check(Url, 1);
        });
    }

    private SpeedLimit Limit(int speed) => new(new ImageFetcherOptions { MinimumSpeed = speed, TimeProvider = _time });
}
